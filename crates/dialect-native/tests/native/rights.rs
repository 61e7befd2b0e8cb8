//! Who may do what, made from the table of roles.

use access::{Operation, Role, operation};
use serde_json::json;
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
        Operation::ChangeSettings => ("PATCH", at("/settings"), "{}"),
        Operation::SetThroughput => {
            ("PATCH", at("/settings"), r#"{"throughput":{"outbound":30,"inbound":30,"calls":30}}"#)
        }
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
        Operation::SetReload => ("POST", at("/reloads/settle"), r#"{"approved":false}"#),
        Operation::StartReload => ("POST", at("/reloads"), r#"{"reference":"x"}"#),
        Operation::AssignNumber => ("DELETE", at("/numbers/1"), ""),
        Operation::TransferNumber => {
            ("POST", "/api/v1/number-transfers".to_owned(), r#"{"from":"PARENT","to":"PARENT","number":"1"}"#)
        }
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
                    Operation::SetThroughput => Operation::ChangeSettings,
                    other => *other,
                };
                let named = if role.may(first) { *operation } else { first };
                let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
                assert!(detail.contains(named.text()), "{detail} names {named:?}");
            }
        }
    }
}
