//! Who may do what, made from the table of roles; and what tenants see of each other.

use access::{Operation, Role, operation};
use serde_json::{Value, json};
use testkit::Client;

use crate::fixture::{Fixture, problem};

/// A call that does the operation, and does no harm when it is allowed.
fn call(operation: Operation, account: &str) -> (&'static str, String, &'static str) {
    let at = |rest: &str| format!("/api/v1/accounts/{account}{rest}");
    match operation {
        Operation::ReadAccounts => ("GET", at(""), ""),
        Operation::ReadEntries => ("GET", at("/entries"), ""),
        Operation::OpenAccount => ("POST", "/api/v1/accounts".to_owned(), "{}"),
        Operation::OpenSubaccount => ("POST", "/api/v1/accounts".to_owned(), r#"{"parent":"PARENT"}"#),
        Operation::ModifyAccount => ("PATCH", at(""), "{}"),
        Operation::FreezeAccount => ("POST", at("/unfreeze"), ""),
        Operation::CloseAccount => ("POST", at("/reopen"), ""),
        Operation::Charge => ("POST", at("/charges"), r#"{"amount":"0.1"}"#),
        Operation::ForceCharge => ("POST", at("/charges"), r#"{"amount":"0.1","admission":"forced"}"#),
        Operation::Hold => ("POST", at("/holds"), r#"{"amount":"0.1"}"#),
        Operation::Transfer => {
            ("POST", "/api/v1/transfers".to_owned(), r#"{"from":"PARENT","to":"PARENT","amount":"1"}"#)
        }
        Operation::Allocate => ("POST", at("/allocations"), r#"{"amount":"1"}"#),
        Operation::TopUp => ("POST", at("/top-ups"), r#"{"amount":"1"}"#),
        Operation::Refund => {
            ("POST", "/api/v1/charges/00000000-0000-0000-0000-000000000000/refunds".to_owned(), "{}")
        }
        Operation::Adjust => ("POST", at("/adjustments"), r#"{"amount":"1"}"#),
        Operation::GiveUsageCredit => ("POST", at("/usage-credits"), r#"{"amount":"1"}"#),
        Operation::Withdraw => ("POST", at("/withdrawals"), r#"{"amount":"0.1"}"#),
        Operation::SetCredit => ("PUT", at("/credit-limit"), r#"{"credit_limit":"0"}"#),
        Operation::ManageSecrets => ("GET", at("/secrets"), ""),
        Operation::ManageTokens => ("GET", "/api/v1/organizations/default/tokens".to_owned(), ""),
        Operation::ManageUsers => ("POST", "/api/v1/organizations/default/users".to_owned(), "{}"),
        Operation::ManageOrganization => {
            ("POST", "/api/v1/organizations/default/currencies".to_owned(), "{}")
        }
        Operation::Operate => ("POST", "/api/v1/sandbox/clock".to_owned(), r#"{"by":0}"#),
    }
}

async fn token(it: &Fixture, role: Role) -> Client {
    let body = json!({"role": role.name()}).to_string();
    let issued = it.owner().post("/api/v1/organizations/default/tokens", &body).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    it.with_token(issued.json()["token"].as_str().expect("a token is text"))
}

#[tokio::test]
async fn every_role_may_what_the_table_says_and_no_more() {
    let it = Fixture::sandbox().await;
    let account = it.funded("100").await;
    for role in Role::ALL {
        let client = if role == Role::Account { it.buyer(&account) } else { token(&it, role).await };
        for (operation, roles) in operation::TABLE {
            let (method, path, body) = call(*operation, &account.key);
            let answer = client.send(method, &path, &body.replace("PARENT", &account.key)).await;
            let is_forbidden = answer.status == 403;
            assert_eq!(is_forbidden, !roles.contains(&role), "{role:?} {operation:?}: {answer:?}");
            if is_forbidden {
                assert_eq!(problem(&answer).1, "forbidden");
                // What needs more than another operation is refused for that one first.
                let first = match operation {
                    Operation::OpenAccount => Operation::OpenSubaccount,
                    Operation::ForceCharge => Operation::Charge,
                    other => *other,
                };
                let named = if role.may(first) { *operation } else { first };
                let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
                assert!(detail.contains(named.text()), "{detail} names {named:?}");
            }
        }
    }
}

/// What is another's is answered as what is not there: the same status, the same body.
#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let it = Fixture::new().await;
    let owner = it.owner();
    let founded = owner.post("/api/v1/organizations", r#"{"name":"other","currency":"EUR"}"#).await;
    assert_eq!(founded.status, 201, "{founded:?}");
    let issued = owner.post("/api/v1/organizations/other/tokens", r#"{"role":"owner"}"#).await;
    let other = it.with_token(issued.json()["token"].as_str().expect("a token is text"));

    let account = it.funded("100").await;
    let second = it.funded("5").await;
    let (buyer, stranger) = (it.buyer(&account), it.buyer(&second));
    let at = |rest: &str| format!("/api/v1/accounts/{}{rest}", account.key);
    let hold = buyer.post(&at("/holds"), r#"{"amount":"1"}"#).await.json();
    let charge = buyer.post(&at("/charges"), r#"{"amount":"1"}"#).await.json();
    let secrets = buyer.get(&at("/secrets")).await.json();
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let foreign = [
        ("GET", at(""), "", account.key.clone()),
        ("GET", at("/balance"), "", account.key.clone()),
        ("GET", at("/entries"), "", account.key.clone()),
        ("GET", at("/children"), "", account.key.clone()),
        ("GET", at("/holds"), "", account.key.clone()),
        ("GET", at("/secrets"), "", account.key.clone()),
        ("POST", at("/charges"), r#"{"amount":"1"}"#, account.key.clone()),
        ("POST", at("/holds"), r#"{"amount":"1"}"#, account.key.clone()),
        ("PATCH", at(""), r#"{"name":"Mine"}"#, account.key.clone()),
        ("GET", format!("/api/v1/holds/{}", id(&hold)), "", id(&hold)),
        ("POST", format!("/api/v1/holds/{}/capture", id(&hold)), "{}", id(&hold)),
        ("POST", format!("/api/v1/holds/{}/void", id(&hold)), "", id(&hold)),
        ("GET", format!("/api/v1/entries/{}", id(&charge)), "", id(&charge)),
        ("DELETE", at(&format!("/secrets/{}", id(&secrets["data"][0]))), "", account.key.clone()),
    ];
    for (method, path, body, name) in &foreign {
        for client in [&other, &stranger] {
            let unknown = if name.len() == 8 { "ffffffff" } else { "00000000-0000-0000-0000-000000000000" };
            let there = client.send(method, path, body).await;
            let nowhere = client.send(method, &path.replace(name.as_str(), unknown), body).await;
            let said = |answer: &testkit::Answer| {
                let mut body = answer.json();
                body.as_object_mut().unwrap().remove("instance");
                (answer.status, body)
            };
            assert_eq!(there.status, 404, "{method} {path}: {there:?}");
            assert_eq!(said(&there), said(&nowhere), "{method} {path}");
        }
    }
    let refund = format!("/api/v1/charges/{}/refunds", id(&charge));
    assert_eq!(problem(&other.post(&refund, "{}").await), (404, "charge-not-found".to_owned()));
    assert_eq!(other.get("/api/v1/accounts").await.json()["data"], json!([]));
    assert_eq!(stranger.get("/api/v1/accounts").await.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        problem(&other.post("/api/v1/organizations", r#"{"name":"x","currency":"EUR"}"#).await).0,
        403
    );
    let tokens = other.get("/api/v1/organizations/default/tokens").await;
    assert_eq!(problem(&tokens), (404, "organization-not-found".to_owned()));
    let moved = stranger
        .post("/api/v1/transfers", &json!({"from": second.key, "to": account.key, "amount": "1"}).to_string())
        .await;
    assert_eq!(problem(&moved), (404, "account-not-found".to_owned()));
}
