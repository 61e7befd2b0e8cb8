//! Keys for programs that provision: they open subaccounts and allocate so much and no more, and record no
//! payments. Whoever holds one: a program of the seller, a person, or the partner itself.

use serde_json::{Value, json};
use testkit::{Client, TestAccount};

use crate::fixture::{Fixture, pick, problem};
use crate::rights::join;

#[derive(Clone, Copy, Debug)]
enum Whose {
    Seller,
    Person,
    Partner,
}

/// A key, and those who issued it and can take it back.
struct Key {
    client: Client,
    id: String,
    issuer: Client,
    /// Where it was issued and is listed, and where it is revoked.
    list: String,
    revoke: String,
}

async fn issue(it: &Fixture, whose: Whose, partner: &TestAccount, scope: &Value) -> Key {
    let (issuer, list, revoke, body) = match whose {
        Whose::Seller => {
            let body = json!({"role": "admin", "label": "provisioning", "scope": scope});
            (it.owner(), "/api/v1/organizations/default/tokens".to_owned(), "/api/v1/tokens".to_owned(), body)
        }
        Whose::Person => {
            let rights = json!({"role": "admin"});
            let (ann, _) = join(it, "organizations/default", "ann@seller.example", &rights).await;
            (ann, "/api/v1/me/tokens".to_owned(), "/api/v1/tokens".to_owned(), json!({"scope": scope}))
        }
        Whose::Partner => {
            let secrets = format!("/api/v1/accounts/{}/secrets", partner.key);
            (it.buyer(partner), secrets.clone(), secrets, json!({"scope": scope}))
        }
    };
    let issued = issuer.post(&list, &body.to_string()).await;
    assert_eq!(issued.status, 201, "{whose:?}: {issued:?}");
    let issued = issued.json();
    let text = |member: &str| issued[member].as_str().map(str::to_owned);
    let client = match whose {
        Whose::Partner => it.server.client().with_basic(&partner.key, &text("secret").unwrap()),
        Whose::Seller | Whose::Person => it.with_token(&text("token").unwrap()),
    };
    Key { client, id: text("id").unwrap(), issuer, list, revoke }
}

impl Key {
    /// As those see it who issued it.
    async fn limit(&self) -> Value {
        let listed = self.issuer.get(&self.list).await.json();
        let all = listed["data"].as_array().expect("a list has its data");
        let key = all.iter().find(|key| key["id"] == self.id.as_str()).expect("it is listed");
        pick(&key["scope"]["limits"][0], &["counts", "amount", "currency", "period", "spent", "left"])
    }
}

fn up_to_500() -> Value {
    json!({
        "operations": ["read", "open-subaccount", "allocate"],
        "limits": [{"counts": ["allocate"], "amount": "500", "currency": "EUR", "period": "total"}],
    })
}

#[tokio::test]
async fn a_key_may_open_subaccounts_and_allocate_500_in_total_and_not_top_up() {
    for whose in [Whose::Seller, Whose::Person, Whose::Partner] {
        let it = Fixture::new().await;
        let partner = it.book.open_primary("Partner", 2_000).await;
        let key = issue(&it, whose, &partner, &up_to_500()).await;
        let left = |spent: &str, left: &str| {
            json!({"counts": ["allocate"], "amount": "500", "currency": "EUR", "period": "total",
                   "spent": spent, "left": left})
        };

        let opened = key.client.post("/api/v1/accounts", &json!({"parent": partner.key}).to_string()).await;
        assert_eq!(opened.status, 201, "{whose:?}: {opened:?}");
        let subaccount = opened.json()["api_key"].as_str().expect("it has a key").to_owned();
        let allocations = format!("/api/v1/accounts/{subaccount}/allocations");
        let allocate = async |amount: &str| key.client.post(&allocations, &body(amount)).await;

        assert_eq!(allocate("300").await.status, 201, "{whose:?}");
        assert_eq!(key.limit().await, left("300", "200"), "{whose:?}");
        let refused = allocate("200.000000001").await;
        assert_eq!(problem(&refused), (403, "scope-exceeded".to_owned()), "{whose:?}");
        assert_eq!(
            pick(&refused.json(), &["need", "have", "limit"]),
            json!({"need": "200.000000001", "have": "200", "limit": "500"}),
        );
        assert_eq!(allocate("200").await.status, 201, "{whose:?}: exactly 500");
        assert_eq!(problem(&allocate("0.000000001").await).1, "scope-exceeded", "{whose:?}");
        assert_eq!(key.limit().await, left("500", "0"), "{whose:?}");

        // The log says what was given.
        let log = it.owner().get("/api/v1/organizations/default/audit?acts=issue-credential").await.json();
        let issued = &log["data"][0]["after"]["scope"];
        assert_eq!(issued["limits"], up_to_500()["limits"], "{whose:?}");
        assert!(issued["operations"].as_array().unwrap().contains(&json!("open-subaccount")), "{whose:?}");

        // Neither a payment, nor credit from nowhere, nor money past the limit, nor a key without one.
        let is_partner = matches!(whose, Whose::Partner);
        let role = if is_partner { "forbidden" } else { "out-of-scope" };
        let at = |rest: &str| format!("/api/v1/accounts/{}{rest}", partner.key);
        for (path, body, kind) in [
            (at("/top-ups"), body("1"), role),
            (at("/charges"), body("1"), "out-of-scope"),
            (at("/secrets"), "{}".to_owned(), "out-of-scope"),
            (
                "/api/v1/organizations/default/tokens".to_owned(),
                json!({"role": "read-only"}).to_string(),
                role,
            ),
            (
                "/api/v1/accounts".to_owned(),
                json!({"parent": partner.key, "credit_limit": "1"}).to_string(),
                role,
            ),
            (
                "/api/v1/accounts".to_owned(),
                json!({"parent": partner.key, "shared": true}).to_string(),
                "out-of-scope",
            ),
        ] {
            let before = it.book.digest().await;
            let refused = key.client.post(&path, &body).await;
            assert_eq!(problem(&refused), (403, kind.to_owned()), "{whose:?} {path} {body}");
            assert_eq!(it.book.digest().await, before, "{whose:?} {path}");
        }

        let revoked = key.issuer.send("DELETE", &format!("{}/{}", key.revoke, key.id), "").await;
        assert_eq!(revoked.status, 204, "{whose:?}: {revoked:?}");
        assert_eq!(problem(&allocate("1").await), (401, "unauthenticated".to_owned()), "{whose:?}");
    }
}

fn body(amount: &str) -> String {
    json!({"amount": amount}).to_string()
}

/// Whatever order they come in, they come in one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_get_as_much_as_the_limit_and_no_more() {
    let it = Fixture::new().await;
    let partner = it.book.open_primary("Partner", 2_000).await;
    let key = issue(&it, Whose::Seller, &partner, &up_to_500()).await;
    let opened =
        key.client.post("/api/v1/accounts", &json!({"parent": partner.key}).to_string()).await.json();
    let path = format!("/api/v1/accounts/{}/allocations", opened["api_key"].as_str().unwrap());
    let callers: Vec<_> = (0..24)
        .map(|_| {
            let (client, path) = (key.client.clone(), path.clone());
            tokio::spawn(async move {
                let mut done = 0;
                for _ in 0..4 {
                    let answer = client.post(&path, r#"{"amount":"12.5"}"#).await;
                    match answer.status {
                        201 => done += 1,
                        _ => assert_eq!(problem(&answer).1, "scope-exceeded"),
                    }
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for caller in callers {
        done += caller.await.unwrap();
    }
    assert_eq!(done, 40);
    assert_eq!(key.limit().await["left"], json!("0"));
}

/// A token of a person ends with the membership, and never passes what the membership may.
#[tokio::test]
async fn a_token_of_a_person_is_no_more_than_the_person() {
    let it = Fixture::new().await;
    let partner = it.book.open_primary("Partner", 2_000).await;
    let family = format!("accounts/{}", partner.key);
    let (pat, session) = join(&it, &family, "pat@partner.example", &json!({"role": "read-only"})).await;
    for operations in [json!(["allocate"]), json!(["read", "top-up"]), json!(["manage-members"])] {
        let body = json!({"scope": {"operations": operations}}).to_string();
        let refused = pat.post("/api/v1/me/tokens", &body).await;
        assert_eq!(problem(&refused), (422, "invalid-field".to_owned()), "{operations}");
    }
    let token =
        pat.post("/api/v1/me/tokens", &json!({"scope": {"operations": ["read"]}}).to_string()).await.json();
    let token = it.with_token(token["token"].as_str().unwrap());
    assert_eq!(token.get(&format!("/api/v1/accounts/{}", partner.key)).await.status, 200);
    assert_eq!(problem(&token.post("/api/v1/me/tokens", "{}").await).0, 403, "a token issues none");
    assert_eq!(problem(&token.get("/api/v1/me/tokens").await).0, 403);
    assert_eq!(pat.get("/api/v1/me/tokens").await.json()["data"].as_array().unwrap().len(), 1);
    let membership = session["membership"]["id"].as_str().unwrap();
    it.owner().send("DELETE", &format!("/api/v1/memberships/{membership}"), "").await;
    assert_eq!(problem(&token.get(&format!("/api/v1/accounts/{}", partner.key)).await).0, 401);
}

/// Another's accounts are not there, and what is not an account's is refused to a key of chosen accounts.
#[tokio::test]
async fn a_token_of_chosen_accounts_sees_no_others() {
    let it = Fixture::new().await;
    let (mine, other) = (it.funded("10").await, it.funded("10").await);
    let scope = json!({"accounts": [mine.key]});
    let key = issue(&it, Whose::Seller, &mine, &scope).await;
    let at = |account: &TestAccount, rest: &str| format!("/api/v1/accounts/{}{rest}", account.key);
    let child = key.client.post("/api/v1/accounts", &json!({"parent": mine.key}).to_string()).await;
    assert_eq!(child.status, 201, "{child:?}");
    let seen = key.client.get("/api/v1/accounts").await.json();
    let seen: Vec<&Value> = seen["data"].as_array().unwrap().iter().map(|it| &it["api_key"]).collect();
    assert_eq!(seen, [&json!(mine.key)]);
    for (method, path, body, expected) in [
        ("GET", at(&mine, ""), "", 200),
        ("GET", at(&mine, "/children"), "", 200),
        ("GET", at(&other, ""), "", 404),
        ("GET", at(&other, "/entries"), "", 404),
        ("POST", at(&other, "/top-ups"), r#"{"amount":"1"}"#, 404),
        ("POST", at(&mine, "/top-ups"), r#"{"amount":"1"}"#, 201),
        ("POST", "/api/v1/accounts".to_owned(), "{}", 403),
        ("GET", "/api/v1/organizations/default/audit".to_owned(), "", 403),
    ] {
        let answer = key.client.send(method, &path, body).await;
        assert_eq!(answer.status, expected, "{method} {path}: {answer:?}");
    }
}
