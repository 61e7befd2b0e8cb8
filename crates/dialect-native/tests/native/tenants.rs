//! What tenants see of each other: nothing. What is another's is answered as what is not there, to the byte.

use std::sync::atomic::Ordering;

use serde_json::json;
use testkit::{Answer, Client};

use crate::fixture::{Fixture, problem};

const NOBODY: &str = "ffffffff";
const NOTHING: &str = "00000000-0000-0000-0000-000000000000";

/// Every operation on something that is named, well asked and badly asked: `{A}` is an account's key, `{I}`
/// its id, `{H}` a hold, `{C}` a charge, `{S}` a secret, `{M}` an account of the caller's own.
const FOREIGN: &[(&str, &str, &[&str])] = &[
    ("GET", "/accounts/{A}", &[""]),
    ("GET", "/accounts/{I}", &[""]),
    ("GET", "/accounts/key:{A}", &[""]),
    ("GET", "/accounts/email:acme@example.com", &[""]),
    ("GET", "/accounts/acme@example.com", &[""]),
    ("GET", "/accounts/same", &[""]),
    ("GET", "/accounts/{A}/balance", &[""]),
    ("GET", "/accounts/{A}/balance?currency=USD", &[""]),
    ("GET", "/accounts/{A}/balance?as_of=2099-01-01T00:00:00Z", &[""]),
    ("GET", "/accounts/{A}/balances", &[""]),
    ("GET", "/accounts/{A}/children", &[""]),
    ("GET", "/accounts/{A}/entries", &[""]),
    ("GET", "/accounts/{A}/holds", &[""]),
    ("GET", "/accounts/{A}/secrets", &[""]),
    ("GET", "/usage?account={A}", &[""]),
    ("GET", "/entries/{C}", &[""]),
    ("GET", "/holds/{H}", &[""]),
    ("PATCH", "/accounts/{A}", &["{}", r#"{"name":"Mine"}"#, r#"{"shared":true}"#, r#"{"suspended":true}"#]),
    ("POST", "/accounts/{A}/charges", MONEY),
    ("POST", "/accounts/{I}/charges", MONEY),
    (
        "POST",
        "/accounts/{A}/charges",
        &[r#"{"amount":"0","quantity":"1"}"#, r#"{"amount":"1","quantity":"-1"}"#],
    ),
    ("POST", "/charges", &[r#"[{"account":"{A}","amount":"1"},{"account":"{A}","amount":"0"}]"#]),
    ("POST", "/charges", &[r#"[{"account":"{A}","amount":"1","currency":"XXQ"}]"#]),
    ("POST", "/accounts/{A}/holds", MONEY),
    ("POST", "/accounts/{A}/holds", &[r#"{"amount":"1","expires_in":0}"#]),
    ("POST", "/accounts/{A}/holds", &[r#"{"amount":"1","expires_at":"2020-01-01T00:00:00Z"}"#]),
    ("POST", "/accounts/{A}/holds", &[r#"{"amount":"1","expires_at":"2099-01-01T00:00:00Z"}"#]),
    ("POST", "/holds/{H}/capture", &["{}", r#"{"amount":"0"}"#, r#"{"amount":"-1"}"#, r#"{"amount":"99"}"#]),
    ("POST", "/holds/{H}/extend", &["{}", r#"{"expires_at":"2020-01-01T00:00:00Z"}"#]),
    ("POST", "/holds/{H}/void", &[""]),
    ("POST", "/accounts/{A}/allocations", MONEY),
    ("POST", "/accounts/{A}/allocations", &[r#"{"amount":"1","way":"return"}"#]),
    (
        "POST",
        "/transfers",
        &[r#"{"from":"{A}","to":"{M}","amount":"1"}"#, r#"{"from":"{A}","to":"{M}","amount":"0"}"#],
    ),
    (
        "POST",
        "/transfers",
        &[r#"{"from":"{M}","to":"{A}","amount":"1"}"#, r#"{"from":"{M}","to":"{A}","amount":"0"}"#],
    ),
    (
        "POST",
        "/transfers",
        &[r#"{"from":"{A}","to":"{A}","amount":"1"}"#, r#"{"from":"{A}","to":"{I}","amount":"1"}"#],
    ),
    ("POST", "/transfers", &[r#"{"from":"{A}","to":"ffffffff","amount":"1"}"#]),
    ("POST", "/accounts", &[r#"{"parent":"{A}"}"#, r#"{"parent":"{A}","currency":"EUR"}"#]),
    (
        "POST",
        "/accounts",
        &[r#"{"parent":"{A}","currency":"USD"}"#, r#"{"parent":"{A}","credit_limit":"5"}"#],
    ),
    (
        "PUT",
        "/accounts/{A}/handles/email",
        &[r#"{"value":"x@example.com"}"#, r#"{"value":"acme@example.com"}"#],
    ),
    ("DELETE", "/accounts/{A}/secrets/{S}", &[""]),
    ("POST", "/accounts/{A}/secrets", &["", "{}", r#"{"secret":"short"}"#, r#"{"secret":"Rotate2ndnow"}"#]),
    (
        "POST",
        "/accounts/{M}/secrets",
        &[r#"{"scope":{"accounts":["{A}"]}}"#, r#"{"scope":{"accounts":["{I}"],"operations":["read"]}}"#],
    ),
    ("POST", "/accounts/{A}/secrets/reissue", &["", "{}"]),
    ("GET", "/accounts/{A}/settings", &[""]),
    (
        "PATCH",
        "/accounts/{A}/settings",
        &["{}", r#"{"inbound_url":"https://x.example"}"#, r#"{"inbound_url":"x"}"#],
    ),
    ("GET", "/accounts/{A}/numbers", &[""]),
    ("GET", "/accounts/{A}/reload-rule", &[""]),
    ("POST", "/accounts/{A}/reloads", &[r#"{"reference":"trx"}"#, r#"{"reference":"x"}"#]),
    (
        "POST",
        "/number-transfers",
        &[
            r#"{"from":"{A}","to":"{M}","number":"447700900123"}"#,
            r#"{"from":"{M}","to":"{A}","number":"447700900123"}"#,
            r#"{"from":"{A}","to":"{I}","number":"447700900123","country":"GB"}"#,
        ],
    ),
];
const MONEY: &[&str] = &[
    r#"{"amount":"1"}"#,
    r#"{"amount":"0"}"#,
    r#"{"amount":"-1"}"#,
    r#"{"amount":"1000000"}"#,
    r#"{"amount":"1","currency":"USD"}"#,
    r#"{"amount":"1","currency":"XXQ"}"#,
];

/// What only a seller may do.
const OF_SELLERS: &[(&str, &str, &[&str])] = &[
    ("POST", "/accounts/{A}/top-ups", MONEY),
    ("POST", "/accounts/{A}/withdrawals", MONEY),
    ("POST", "/accounts/{A}/usage-credits", MONEY),
    ("POST", "/accounts/{A}/adjustments", MONEY),
    (
        "PUT",
        "/accounts/{A}/credit-limit",
        &[r#"{"credit_limit":"5"}"#, r#"{"credit_limit":"5","currency":"XXQ"}"#],
    ),
    ("POST", "/charges/{C}/refunds", &["{}", r#"{"amount":"0"}"#, r#"{"amount":"99"}"#]),
    ("POST", "/accounts/{A}/charges", &[r#"{"amount":"1","admission":"forced"}"#]),
    ("POST", "/accounts/{A}/freeze", &[""]),
    ("PUT", "/accounts/{A}/reload-rule", &[r#"{"provider":"manual","amount":"1","reference":"x"}"#]),
    ("PUT", "/accounts/{A}/reload-rule", &[r#"{"provider":"manual","amount":"0","reference":"x"}"#]),
    ("POST", "/accounts/{A}/reloads/settle", &[r#"{"approved":true}"#, r#"{"approved":false}"#]),
    ("POST", "/accounts/{A}/numbers", &[r#"{"number":"447700900999","country":"GB"}"#]),
    ("DELETE", "/accounts/{A}/numbers/447700900123", &[""]),
    ("PATCH", "/accounts/{A}/settings", &[r#"{"throughput":{"outbound":1,"inbound":1,"calls":1}}"#]),
    ("POST", "/accounts/{A}/unfreeze", &[""]),
    ("DELETE", "/tokens/{T}", &[""]),
    ("DELETE", "/accounts/{M}/secrets/{S}", &[""]),
    ("DELETE", "/accounts/{M}/secrets/{R}", &[""]),
    ("GET", "/holds/{E}", &[""]),
    ("POST", "/holds/{E}/void", &[""]),
    ("POST", "/holds/{E}/capture", &[r#"{"amount":"1"}"#]),
    ("POST", "/accounts/{A}/close", &[""]),
    ("POST", "/accounts/{A}/reopen", &[""]),
];

type Steps = [u64; 5];

fn taken(from: Steps, to: Steps) -> Steps {
    std::array::from_fn(|which| to[which] - from[which])
}

struct Tenants {
    it: Fixture,
    /// Another seller, and another buyer of the first.
    seller: Client,
    buyer: Client,
    /// What is foreign to both, and what is nowhere.
    foreign: Vec<(&'static str, String)>,
    nowhere: Vec<(&'static str, String)>,
    /// An account of the one's, and of the other's.
    of_seller: String,
    of_buyer: String,
}

impl Tenants {
    async fn new() -> Self {
        let it = Fixture::new().await;
        let owner = it.owner();
        owner.post("/api/v1/organizations", r#"{"name":"other","currency":"EUR"}"#).await;
        let issued = owner.post("/api/v1/organizations/other/tokens", r#"{"role":"owner"}"#).await;
        let text =
            |answer: &Answer, member: &str| answer.json()[member].as_str().expect("it is there").to_owned();
        let seller = it.with_token(&text(&issued, "token"));
        let of_seller = text(&seller.post("/api/v1/accounts", "{}").await, "api_key");

        let (account, second) = (it.funded("100").await, it.funded("5").await);
        let at = |rest: &str| format!("/api/v1/accounts/{}{rest}", account.key);
        let own = it.buyer(&account);
        let put = async |path: String, value: &str| {
            let put = owner.send("PUT", &path, &json!({"value": value}).to_string()).await;
            assert_eq!(put.status, 200, "{put:?}");
        };
        put(at("/handles/email"), "acme@example.com").await;
        // A bare handle that means two accounts, neither of them the other buyer's.
        put(at("/handles/company"), "same").await;
        let third = it.funded("5").await;
        put(format!("/api/v1/accounts/{}/handles/billing", third.key), "same").await;
        owner.post(&at("/numbers"), r#"{"number":"447700900123","country":"GB"}"#).await;
        let rule = r#"{"provider":"manual","amount":"5","reference":"trx"}"#;
        assert_eq!(owner.send("PUT", &at("/reload-rule"), rule).await.status, 200);
        let secrets = own.get(&at("/secrets")).await.json();
        let secret = secrets["data"][0]["id"].as_str().expect("it has a secret");
        // What is no more.
        let ended = text(&own.post(&at("/holds"), r#"{"amount":"1"}"#).await, "id");
        assert_eq!(own.post(&format!("/api/v1/holds/{ended}/void"), "").await.status, 200);
        let revoked = text(&own.post(&at("/secrets"), "{}").await, "id");
        assert_eq!(own.send("DELETE", &at(&format!("/secrets/{revoked}")), "").await.status, 204);
        let foreign = vec![
            ("{I}", text(&own.get(&at("")).await, "id")),
            ("{H}", text(&own.post(&at("/holds"), r#"{"amount":"1"}"#).await, "id")),
            ("{C}", text(&own.post(&at("/charges"), r#"{"amount":"1"}"#).await, "id")),
            ("{S}", secret.to_owned()),
            ("{E}", ended),
            ("{R}", revoked),
            (
                "{T}",
                text(&owner.post("/api/v1/organizations/default/tokens", r#"{"role":"owner"}"#).await, "id"),
            ),
            ("{A}", account.key.clone()),
        ];
        let ids = ["{I}", "{H}", "{C}", "{S}", "{E}", "{R}", "{T}"];
        let mut nowhere: Vec<_> = ids.map(|name| (name, NOTHING.to_owned())).into();
        nowhere.push(("{A}", NOBODY.to_owned()));
        nowhere.push(("acme@example.com", "nobody@example.com".to_owned()));
        nowhere.push(("/same", "/nobody".to_owned()));
        let buyer = it.buyer(&second);
        Self { seller, buyer, foreign, nowhere, of_seller, of_buyer: second.key, it }
    }

    /// What the book has done so far: reads, commands done, refused by the rules, repeated, not judged.
    fn steps(&self) -> Steps {
        let counters = self.it.book.engine.counters();
        let all =
            [&counters.reads, &counters.done, &counters.rejected, &counters.repeated, &counters.refused];
        all.map(|counter| counter.load(Ordering::Acquire))
    }

    async fn compare(&self, client: &Client, own: &str, method: &str, path: &str, body: &str) {
        // With the same id of the request, all that could differ is what was found.
        let client = client.with("x-request-id", "7f1d0c3e-5b7a-4c0e-9d55-000000000001");
        let send = async |names: &[(&str, String)]| {
            let named = |text: &str| {
                names.iter().fold(text.replace("{M}", own), |text, (name, value)| text.replace(name, value))
            };
            client.send(method, &format!("/api/v1{}", named(path)), &named(body)).await
        };
        let before = self.it.book.digest().await;
        let start = self.steps();
        let there = send(&self.foreign).await;
        let between = self.steps();
        let nowhere = send(&self.nowhere).await;
        let (of_foreign, of_nowhere) = (taken(start, between), taken(between, self.steps()));
        assert_eq!(of_foreign, of_nowhere, "steps of the book: {method} {path} {body}");
        let said = |answer: &Answer| {
            let headers = answer.headers.iter().filter(|(name, _)| name != "date");
            (answer.status, headers.cloned().collect::<Vec<_>>(), answer.body.clone())
        };
        assert!(there.status >= 400 || path == "/charges", "{method} {path} {body}: {there:?}");
        assert_eq!(said(&there), said(&nowhere), "{method} {path} {body}");
        assert_eq!(self.it.book.digest().await, before, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn what_is_anothers_is_answered_as_what_is_not_there() {
    let tenants = Tenants::new().await;
    for (method, path, bodies) in FOREIGN {
        for body in *bodies {
            tenants.compare(&tenants.seller, &tenants.of_seller, method, path, body).await;
            tenants.compare(&tenants.buyer, &tenants.of_buyer, method, path, body).await;
        }
    }
    for (method, path, bodies) in OF_SELLERS {
        for body in *bodies {
            tenants.compare(&tenants.seller, &tenants.of_seller, method, path, body).await;
        }
    }
}

#[tokio::test]
async fn lists_hold_what_is_ones_own() {
    let Tenants { it: _it, seller, buyer, of_seller, of_buyer, .. } = Tenants::new().await;
    for (client, own) in [(&seller, &of_seller), (&buyer, &of_buyer)] {
        let listed = client.get("/api/v1/accounts").await.json();
        let keys: Vec<_> =
            listed["data"].as_array().unwrap().iter().map(|it| it["api_key"].clone()).collect();
        assert_eq!(keys, [json!(own)]);
    }
    assert_eq!(
        problem(&seller.post("/api/v1/organizations", r#"{"name":"x","currency":"EUR"}"#).await).0,
        403
    );
    for what in ["tokens", "users", "currencies"] {
        let path = |name: &str| format!("/api/v1/organizations/{name}/{what}");
        for body in ["{}", r#"{"role":"owner"}"#] {
            let answers = [path("default"), path("nowhere")].map(|path| (path, body));
            let mut said = Vec::new();
            for (path, body) in answers {
                let answer = seller.with("x-request-id", "r").post(&path, body).await;
                said.push((answer.status, answer.body));
            }
            assert_eq!(said[0], said[1], "{what} {body}");
        }
    }
}
