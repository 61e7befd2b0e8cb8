//! Secrets end at once, whoever is charging by them; scopes hold; the last use is known and costs no write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use testkit::{Client, TestAccount};

use crate::fixture::{Fixture, pick, problem};
use crate::rights::join;

const CALLERS: usize = 24;

/// How a secret comes to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Revoked,
    /// A secret of somebody's own choice, which is remembered once it proved right.
    ChosenRevoked,
    Reissued,
    Expired,
}

async fn add(it: &Fixture, account: &TestAccount, body: &Value) -> (String, Client) {
    let path = format!("/api/v1/accounts/{}/secrets", account.key);
    let added = it.owner().post(&path, &body.to_string()).await;
    assert_eq!(added.status, 201, "{added:?}");
    let added = added.json();
    let secret = added["secret"].as_str().or(body["secret"].as_str()).expect("it is known");
    let id = added["id"].as_str().expect("a secret has an id").to_owned();
    (id, it.server.client().with_basic(&account.key, secret))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_call_after_the_end_of_a_secret_is_refused_under_load() {
    for end in [End::Revoked, End::ChosenRevoked, End::Reissued, End::Expired] {
        let it = Fixture::new().await;
        let account = it.funded("1000000").await;
        let body = match end {
            End::ChosenRevoked => json!({"secret": "Chosen1234"}),
            End::Expired => json!({"expires_at": "2025-03-01T10:30:00Z"}),
            End::Revoked | End::Reissued => json!({}),
        };
        let (id, client) = add(&it, &account, &body).await;
        let charges = format!("/api/v1/accounts/{}/charges", account.key);
        assert_eq!(client.post(&charges, r#"{"amount":"1"}"#).await.status, 201, "{end:?}");
        let ended = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (client, charges, ended) = (client.clone(), charges.clone(), ended.clone());
                tokio::spawn(async move {
                    let mut done = 0;
                    loop {
                        // Asked before the call is sent: what was under way may still be done.
                        let is_after = ended.load(Ordering::SeqCst);
                        let answer = client.post(&charges, r#"{"amount":"1"}"#).await;
                        match answer.status {
                            201 if !is_after => done += 1,
                            401 => return done,
                            other => panic!("{end:?}: {other} after its end: {}", answer.body),
                        }
                    }
                })
            })
            .collect();
        let at = |rest: &str| format!("/api/v1/accounts/{}/secrets{rest}", account.key);
        match end {
            End::Revoked | End::ChosenRevoked => {
                assert_eq!(it.owner().send("DELETE", &at(&format!("/{id}")), "").await.status, 204);
            }
            End::Reissued => assert_eq!(it.owner().post(&at("/reissue"), "").await.status, 201),
            End::Expired => it.book.clock.advance_secs(3600),
        }
        ended.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.await.expect("no call after the end was done");
        }
    }
}

/// What the secret is held to, a call, and what is said: (scope, method, path, body, status, problem).
const SCOPES: &[(&str, &str, &str, &str, u16, &str)] = &[
    (r#"{"operations":["charge"]}"#, "POST", "/accounts/{A}/charges", ONE, 201, ""),
    (r#"{"operations":["charge"]}"#, "POST", "/accounts/{B}/charges", ONE, 201, ""),
    (r#"{"operations":["charge"]}"#, "POST", "/accounts/{A}/holds", ONE, 403, "out-of-scope"),
    (r#"{"operations":["charge"]}"#, "GET", "/accounts/{A}", "", 403, "out-of-scope"),
    (r#"{"operations":["charge"]}"#, "POST", "/accounts/{A}/top-ups", ONE, 403, "forbidden"),
    (r#"{"operations":["read"]}"#, "GET", "/accounts/{A}/balance", "", 200, ""),
    (r#"{"operations":["read"]}"#, "POST", "/accounts/{A}/charges", ONE, 403, "out-of-scope"),
    (r#"{"operations":["modify"]}"#, "PATCH", "/accounts/{A}", r#"{"name":"x"}"#, 200, ""),
    (r#"{"accounts":["{B}"]}"#, "POST", "/accounts/{B}/charges", ONE, 201, ""),
    (r#"{"accounts":["{B}"]}"#, "POST", "/accounts/{A}/charges", ONE, 404, "account-not-found"),
    (r#"{"accounts":["{B}"]}"#, "GET", "/accounts/{A}", "", 404, "account-not-found"),
    (r#"{"accounts":["{B}"]}"#, "GET", "/accounts/{B}/entries", "", 200, ""),
    (r#"{"operations":["open-subaccount"]}"#, "POST", "/accounts", r#"{"parent":"{A}"}"#, 201, ""),
    (r#"{"operations":["open-subaccount"]}"#, "POST", "/accounts", "{}", 403, "forbidden"),
    (
        r#"{"operations":["open-subaccount"]}"#,
        "POST",
        "/accounts",
        r#"{"parent":"{A}","credit_limit":"1"}"#,
        403,
        "forbidden",
    ),
    (
        r#"{"operations":["open-subaccount"]}"#,
        "POST",
        "/accounts",
        r#"{"parent":"{A}","shared":true}"#,
        403,
        "out-of-scope",
    ),
    (
        r#"{"operations":["transfer-number"]}"#,
        "PATCH",
        "/accounts/{A}",
        r#"{"name":"x"}"#,
        403,
        "out-of-scope",
    ),
    (r#"{"accounts":["{A}"]}"#, "POST", "/accounts/{B}/charges", ONE, 201, ""),
    (r#"{"accounts":["{A}"],"below":false}"#, "POST", "/accounts/{B}/charges", ONE, 404, "account-not-found"),
    (r#"{"accounts":["{A}"],"below":false}"#, "POST", "/accounts/{A}/charges", ONE, 201, ""),
    (DAY, "POST", "/accounts/{A}/charges", ONE, 201, ""),
    (DAY, "POST", "/accounts/{A}/charges", r#"{"amount":"1.000000001"}"#, 403, "scope-exceeded"),
    (DAY, "POST", "/accounts/{A}/holds", r#"{"amount":"2"}"#, 403, "scope-exceeded"),
    (DAY, "POST", "/transfers", r#"{"from":"{A}","to":"{C}","amount":"1"}"#, 403, "out-of-scope"),
    (
        r#"{"limits":[{"counts":["charge"],"amount":"9","currency":"USD","period":"day"}]}"#,
        "POST",
        "/accounts/{A}/charges",
        ONE,
        403,
        "out-of-scope",
    ),
    // Nothing that is held to a scope makes anything that is not.
    (DAY, "POST", "/accounts/{A}/secrets", "", 403, "out-of-scope"),
    (DAY, "POST", "/accounts/{A}/secrets/reissue", "", 403, "out-of-scope"),
    (DAY, "GET", "/accounts/{A}/secrets", "", 403, "out-of-scope"),
];
const ONE: &str = r#"{"amount":"1"}"#;
const DAY: &str = r#"{"limits":[{"counts":["charge"],"amount":"1","period":"day"}]}"#;

#[tokio::test]
async fn a_secret_does_what_its_scope_says_and_no_more() {
    let it = Fixture::new().await;
    let account = it.funded("1000").await;
    let child = format!(r#"{{"parent":"{}","shared":true}}"#, account.key);
    let child = it.owner().post("/api/v1/accounts", &child).await.json()["api_key"].clone();
    let own = it.owner().post("/api/v1/accounts", &format!(r#"{{"parent":"{}"}}"#, account.key)).await;
    let own = own.json()["api_key"].clone();
    let key = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let (child, own) = (key(&child), key(&own));
    let named = |text: &str| text.replace("{A}", &account.key).replace("{B}", &child).replace("{C}", &own);
    for (scope, method, path, body, status, kind) in SCOPES {
        let what = format!("{scope} {method} {path} {body}");
        let asked = format!(r#"{{"scope":{}}}"#, named(scope));
        let (_, client) = add(&it, &account, &serde_json::from_str(&asked).expect("it is JSON")).await;
        let before = it.book.digest().await;
        let answer = client.send(method, &format!("/api/v1{}", named(path)), &named(body)).await;
        if kind.is_empty() {
            assert_eq!(answer.status, *status, "{what}: {answer:?}");
        } else {
            assert_eq!(problem(&answer), (*status, (*kind).to_owned()), "{what}: {answer:?}");
            assert_eq!(it.book.digest().await, before, "{what}");
        }
    }
    // A list tells of all of it, and what is left.
    let limit = json!({"counts": ["charge"], "amount": "9", "currency": "EUR", "period": "day"});
    let scope = json!({"operations": ["read-accounts", "charge"], "limits": [limit]});
    let (id, client) = add(&it, &account, &json!({"label": "gateway", "scope": scope})).await;
    client.post(&format!("/api/v1/accounts/{}/charges", account.key), r#"{"amount":"2.5"}"#).await;
    let listed = it.owner().get(&format!("/api/v1/accounts/{}/secrets", account.key)).await.json();
    let listed =
        listed["data"].as_array().unwrap().iter().find(|it| it["id"] == id.as_str()).unwrap().clone();
    let mut scope = scope;
    scope["limits"][0]["spent"] = json!("2.5");
    scope["limits"][0]["left"] = json!("6.5");
    assert_eq!(
        pick(&listed, &["label", "chosen", "scope", "last_used_on"]),
        json!({"label": "gateway", "chosen": false, "scope": scope, "last_used_on": "2025-03-01"})
    );
}

#[tokio::test]
async fn the_last_use_is_known_to_the_day_and_written_down_once() {
    let it = Fixture::new().await;
    let account = it.funded("10").await;
    let app = it.book.app();
    let server = testkit::TestServer::start(dialect_native::router(app.clone())).await;
    let buyer = server.client().with_basic(&account.key, &account.secret);
    let path = format!("/api/v1/accounts/{}/secrets", account.key);
    let used_on = async || {
        let listed = it.owner().get(&path).await.json();
        let newest = listed["data"].as_array().unwrap()[0].clone();
        newest["last_used_on"].as_str().map(str::to_owned)
    };
    assert_eq!(used_on().await, None);
    let before = it.book.digest().await;
    for _ in 0..3 {
        assert_eq!(buyer.get(&format!("/api/v1/accounts/{}", account.key)).await.status, 200);
    }
    assert_eq!(it.book.digest().await, before, "a use writes nothing");
    let written = async || app.access.last_use().write_down(&it.book.engine).await.unwrap();
    assert_eq!(written().await, 1);
    assert_eq!(written().await, 0);
    // Another server over the same book, as after a restart.
    assert_eq!(used_on().await.as_deref(), Some("2025-03-01"));
    it.book.clock.advance_secs(24 * 3600);
    buyer.get(&path).await;
    assert_eq!(written().await, 1);
    assert_eq!(used_on().await.as_deref(), Some("2025-03-02"));
}

/// What is to end before it counts is refused, wherever an end may be said; a second later it is made.
#[tokio::test]
async fn nothing_is_born_dead() {
    let it = Fixture::new().await;
    let account = it.funded("1").await;
    let (ann, _) = join(&it, "organizations/default", "ann@seller.example", &json!({"role": "admin"})).await;
    let own = |rest: &str| format!("/accounts/{}{rest}", account.key);
    let cases = [
        (it.owner(), "/organizations/default/tokens".to_owned(), json!({"role": "admin"})),
        (ann, "/me/tokens".to_owned(), json!({})),
        (it.owner(), own("/secrets"), json!({})),
        (it.owner(), own("/secrets"), json!({"secret": "Rotate2ndnow", "scope": {"operations": ["charge"]}})),
        (it.buyer(&account), own("/secrets"), json!({})),
        (
            it.owner(),
            "/organizations/default/invitations".to_owned(),
            json!({"email": "a@b.example", "role": "admin"}),
        ),
        (it.owner(), own("/invitations"), json!({"email": "c@d.example", "role": "owner"})),
    ];
    for (client, path, body) in cases {
        let ask = async |end: domain::Timestamp| {
            let end = dialect::print_instant(end, dialect::Fraction::Micros).unwrap();
            let mut body = body.clone();
            body["expires_at"] = json!(end);
            client.post(&format!("/api/v1{path}"), &body.to_string()).await
        };
        let now = it.book.engine.read(|_, now| now).await.unwrap();
        let digest = it.book.digest().await;
        for end in [now.plus_secs(-3600), now] {
            let refused = ask(end).await;
            assert_eq!(problem(&refused), (422, "invalid-field".to_owned()), "{path} {body}");
            assert_eq!(refused.json()["field"], json!("expires_at"), "{path} {body}");
        }
        assert_eq!(it.book.digest().await, digest, "{path} {body}");
        assert_eq!(ask(now.plus_secs(1)).await.status, 201, "{path} {body}");
    }
}
