//! Who may do what: every role × every operation of the document, answered as its table says. The table is
//! that of `access::operation`; checks, document and this test are made from it.

use access::{Action, Operation, Role, operation};
use serde_json::{Value, json};
use testkit::{Client, TestAccount};

use crate::fixture::{Fixture, problem};

const NOTHING: &str = "00000000-0000-0000-0000-000000000000";
const FORBIDDEN: &str = "forbidden";
pub const PASSWORD: &str = "violet anchor and a lamp";

async fn token(it: &Fixture, role: Role) -> Client {
    token_of(it, &json!({"role": role.name()})).await
}

async fn token_of(it: &Fixture, asked: &Value) -> Client {
    let body = asked.to_string();
    let issued = it.owner().post("/api/v1/organizations/default/tokens", &body).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    it.with_token(issued.json()["token"].as_str().expect("a token is text"))
}

/// Somebody who was invited to a place, accepted and is signed in.
pub async fn join(it: &Fixture, place: &str, email: &str, rights: &Value) -> (Client, Value) {
    let mut body = rights.clone();
    body["email"] = json!(email);
    let invited = it.owner().post(&format!("/api/v1/{place}/invitations"), &body.to_string()).await;
    assert_eq!(invited.status, 201, "{email} {place}: {invited:?}");
    let body = json!({"link": invited.json()["link"], "password": PASSWORD}).to_string();
    let accepted = it.server.client().post("/api/v1/invitations/accept", &body).await;
    assert_eq!(accepted.status, 201, "{email}: {accepted:?}");
    let session = accepted.json();
    (it.with_token(session["token"].as_str().unwrap()), session)
}

/// Every operation of the document: method, path with its names filled in, and what it takes.
fn operations(account: &TestAccount) -> Vec<(String, String, Value)> {
    let document: Value = serde_json::from_str(dialect_native::openapi_text()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let filled: Vec<&str> = path
            .split('/')
            .map(|segment| match segment {
                "{account}" => account.key.as_str(),
                "{organization}" => "default",
                "{kind}" => "company",
                segment if segment.starts_with('{') => NOTHING,
                segment => segment,
            })
            .collect();
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_uppercase(), filled.join("/"), operation["x-permissions"].clone()));
        }
    }
    all
}

/// Where either of two operations will do, before it is known which it takes.
fn is_either(path: &str) -> bool {
    path.contains("/memberships/") || path.contains("/invitations/0")
}

async fn hold_against_the_table(
    client: &Client,
    account: &TestAccount,
    who: &str,
    refused: &str,
    may: impl Fn(&Value) -> bool,
) -> usize {
    let mut asked = 0;
    for (method, path, permissions) in operations(account) {
        let permissions = permissions.as_array().unwrap();
        let is_open = matches!(permissions[0]["operation"].as_str(), Some("Anybody" | "Yourself"));
        // It ends the very secrets that are still to ask; revoking one takes the same right.
        if is_open || path.ends_with("/secrets/reissue") {
            continue;
        }
        let permissions = if is_either(&path) { &permissions[..] } else { &permissions[..1] };
        let body = if matches!(&*method, "GET" | "DELETE") { "" } else { "{}" };
        let answer = client.send(&method, &path, body).await;
        let allowed = permissions.iter().any(&may);
        assert_eq!(answer.status == 403, !allowed, "{who} {method} {path} {permissions:?}: {answer:?}");
        if !allowed {
            assert_eq!(problem(&answer).1, refused, "{who} {method} {path}");
        }
        asked += 1;
    }
    asked
}

fn is_for(permission: &Value, role: Role) -> bool {
    permission["roles"].as_array().unwrap().contains(&json!(role.name()))
}

#[tokio::test]
async fn every_role_may_what_the_table_says_and_no_more() {
    let it = Fixture::sandbox().await;
    let account = it.funded("100").await;
    let family = format!("accounts/{}", account.key);
    let sellers = [Role::Owner, Role::Admin, Role::Finance, Role::Developer, Role::ReadOnly];
    let mut asked = 0;
    for role in sellers {
        // A program and a person on the seller's side.
        let program = token(&it, role).await;
        let rights = json!({"role": role.name()});
        let email = format!("{}@seller.example", role.name());
        let (person, _) = join(&it, "organizations/default", &email, &rights).await;
        for (client, who) in [(program, "program"), (person, "person")] {
            let who = format!("{who} {role:?}");
            asked += hold_against_the_table(&client, &account, &who, FORBIDDEN, |it| is_for(it, role)).await;
        }
        // A person of a family: no more than is done inside families.
        let email = format!("{}@buyer.example", role.name());
        let (member, _) = join(&it, &family, &email, &rights).await;
        asked += hold_against_the_table(&member, &account, &format!("member {role:?}"), FORBIDDEN, |it| {
            let name = it["operation"].as_str().unwrap();
            let row = operation::TABLE.iter().find(|(operation, _)| format!("{operation:?}") == name);
            is_for(it, role) && row.unwrap().0.side() == operation::Side::Both
        })
        .await;
    }
    let key = it.buyer(&account);
    asked += hold_against_the_table(&key, &account, "key", FORBIDDEN, |it| is_for(it, Role::Account)).await;
    assert!(asked > 800, "{asked}");
}

/// A set of a single operation opens that operation and no other.
#[tokio::test]
async fn a_set_of_permissions_is_what_it_says() {
    let it = Fixture::sandbox().await;
    let account = it.funded("100").await;
    for (place, (operation, _)) in operation::TABLE.iter().enumerate().step_by(4) {
        let (name, only) = (format!("only-{}", operation.name()), format!("{operation:?}"));
        let path = format!("/api/v1/organizations/default/permission-sets/{name}");
        let body = json!({"operations": [operation.name()]}).to_string();
        let defined = it.owner().send("PUT", &path, &body).await;
        assert_eq!(defined.status, 200, "{defined:?}");
        let rights = json!({"permissions": name});
        let (person, _) =
            join(&it, "organizations/default", &format!("u{place}@seller.example"), &rights).await;
        hold_against_the_table(&person, &account, &name, FORBIDDEN, |it| it["operation"] == json!(only))
            .await;
    }
}

/// An owner's token whose scope names a single operation does that and nothing else; so does a secret of an
/// account, as far as accounts may.
#[tokio::test]
async fn a_scope_is_what_it_says() {
    let it = Fixture::sandbox().await;
    let account = it.funded("100").await;
    let secrets = format!("/api/v1/accounts/{}/secrets", account.key);
    for (operation, roles) in operation::TABLE {
        let (name, only) = (operation.name(), format!("{operation:?}"));
        let scope = json!({"operations": [name]});
        if !operation.is_in_scopes() {
            let body = json!({"role": "owner", "scope": scope}).to_string();
            let refused = it.owner().post("/api/v1/organizations/default/tokens", &body).await;
            assert_eq!(problem(&refused), (422, "invalid-field".to_owned()), "{name}");
            continue;
        }
        let held = token_of(&it, &json!({"role": "owner", "scope": scope})).await;
        let may = |it: &Value| it["operation"] == json!(only);
        hold_against_the_table(&held, &account, &name, "out-of-scope", may).await;
        if !roles.contains(&Role::Account) {
            continue;
        }
        let added = it.owner().post(&secrets, &json!({"scope": scope}).to_string()).await.json();
        let secret = added["secret"].as_str().expect("a new secret is shown");
        let held = it.server.client().with_basic(&account.key, secret);
        let me = held.get("/api/v1/me").await.json();
        assert_eq!(me["operations"], json!([name]));
        let top_up = format!("/api/v1/accounts/{}/top-ups", account.key);
        assert_eq!(problem(&held.post(&top_up, r#"{"amount":"1"}"#).await).1, FORBIDDEN);
    }
}

#[tokio::test]
async fn who_does_not_sign_in_may_only_what_is_for_anybody() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    for (method, path, permissions) in operations(&account) {
        let body = if matches!(&*method, "GET" | "DELETE") { "" } else { "{}" };
        let answer = it.server.client().send(&method, &path, body).await;
        let is_open = permissions[0]["operation"] == json!("Anybody") || path.contains("/sandbox/");
        assert_eq!(problem(&answer).1 == "unauthenticated", !is_open, "{method} {path}: {answer:?}");
    }
}

#[test]
fn the_table_is_committed() {
    let roles = Role::ALL.map(Role::name);
    let mut text = format!(
        "# Roles\n\nMade from the table that the server checks; do not edit.\n\n\
         The last column is an account's own secret. Within a family people may what their role says, as far as \
         the operation is marked `family`. Scopes of secrets and tokens name what is marked `scope`, or say \
         {}.\n\n| operation | may | family | scope | {} |\n|---|---|---|---|{}\n",
        other_names(),
        roles.join(" | "),
        "---|".repeat(roles.len())
    );
    let yes = |is| if is { "yes" } else { "" };
    for (operation, allowed) in operation::TABLE {
        let family = yes(operation.side() == operation::Side::Both);
        let scope = yes(operation.is_in_scopes());
        let marks = Role::ALL.map(|role| yes(allowed.contains(&role)));
        let (name, about) = (operation.name(), operation.text());
        text.push_str(&format!("| `{name}` | {about} | {family} | {scope} | {} |\n", marks.join(" | ")));
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/roles.md");
    testkit::expect_text(&path, &text);
}

/// The actions that are not called like an operation.
fn other_names() -> String {
    let actions = Action::ALL.into_iter().filter(|action| Operation::parse(action.name()).is_none());
    let told = actions.map(|action| {
        let names: Vec<String> =
            action.operations().operations().map(|it| format!("`{}`", it.name())).collect();
        format!("`{}` ({})", action.name(), names.join(", "))
    });
    told.collect::<Vec<_>>().join(" or ")
}

#[test]
fn operations_come_back_from_their_names() {
    for (operation, _) in operation::TABLE {
        assert_eq!(Operation::parse(&operation.name()), Some(*operation));
    }
}
