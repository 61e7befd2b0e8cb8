//! Every operation once, as it is meant to go.

use serde_json::{Value, json};
use testkit::Client;

use crate::fixture::{Fixture, pick, problem};

async fn post(client: &Client, path: &str, body: &Value) -> Value {
    let answer = client.post(&format!("/api/v1{path}"), &body.to_string()).await;
    assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
    answer.json()
}

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(&format!("/api/v1{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_family_lives() {
    let it = Fixture::new().await;
    let seller = it.owner();
    let parent =
        post(&seller, "/accounts", &json!({"name": "Acme", "currency": "eur", "credit_limit": "200"})).await;
    let (key, id) = (parent["api_key"].as_str().unwrap(), parent["id"].as_str().unwrap());
    let buyer = it.server.client().with_basic(key, parent["secret"].as_str().unwrap());
    let child = post(&buyer, "/accounts", &json!({"name": "Tenant", "parent": key})).await;
    let child_key = child["api_key"].as_str().unwrap();
    assert_eq!(
        pick(&child, &["parent", "root", "funding", "payer", "currency", "may_open_children"]),
        json!({"parent": id, "root": id, "funding": "own", "payer": child["id"], "currency": "EUR",
               "may_open_children": false})
    );
    post(&buyer, &format!("/accounts/{child_key}/allocations"), &json!({"amount": "60"})).await;
    post(&seller, &format!("/accounts/{id}/top-ups"), &json!({"amount": 50, "reference": "inv-1"})).await;
    let moved = post(&buyer, "/transfers", &json!({"from": key, "to": child_key, "amount": "10"})).await;
    assert_eq!(moved["balance"]["posted"], json!("40"));
    let charge = post(
        &buyer,
        &format!("/accounts/{child_key}/charges"),
        &json!({"amount": "15", "product": "calls", "used_by": "ann", "quantity": 3, "reference": "r"}),
    )
    .await;
    let refund = post(
        &seller,
        &format!("/charges/{}/refunds", charge["id"].as_str().unwrap()),
        &json!({"amount": "4"}),
    )
    .await;
    assert_eq!(refund["balance"]["posted"], json!("-1"));
    post(&seller, &format!("/accounts/{key}/usage-credits"), &json!({"amount": "3"})).await;
    post(&seller, &format!("/accounts/{key}/adjustments"), &json!({"amount": "-2", "of": "used"})).await;
    post(&seller, &format!("/accounts/{key}/withdrawals"), &json!({"amount": "1"})).await;
    let balance = get(&buyer, &format!("/accounts/{key}/balance")).await;
    assert_eq!(
        pick(&balance, &["posted", "funded", "used", "granted", "given", "credit_limit", "available"]),
        json!({"posted": "40", "funded": "39", "used": "-1", "granted": "200", "given": "60",
               "credit_limit": "140", "available": "180"})
    );
    let entries = get(&buyer, &format!("/accounts/{child_key}/entries")).await;
    let seen: Vec<Value> = entries["data"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(seen, [json!("refund"), json!("charge"), json!("transfer_in"), json!("allocation_in")]);
    let charged = &entries["data"][1];
    assert_eq!(
        pick(charged, &["id", "charge", "amount", "product", "used_by", "quantity", "reference"]),
        json!({"id": charge["id"], "charge": charge["id"], "amount": "15", "product": "calls",
               "used_by": "ann", "quantity": "3", "reference": "r"})
    );
    assert_eq!(entries["data"][2]["counterparty"], json!(id));
    let one = get(&buyer, &format!("/entries/{}", charge["id"].as_str().unwrap())).await;
    assert_eq!(&one, charged);
    let first = get(&buyer, &format!("/accounts/{child_key}/entries?limit=2&movements=true")).await;
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let page = get(&buyer, &format!("/accounts/{child_key}/entries?limit=3")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = get(&buyer, &format!("/accounts/{child_key}/entries?limit=3&cursor={cursor}")).await;
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next_cursor"], Value::Null);
    let charges = get(&buyer, &format!("/accounts/{child_key}/entries?kinds=charge,refund")).await;
    assert_eq!(charges["data"].as_array().unwrap().len(), 2);
    let children = get(&seller, &format!("/accounts/{key}/children")).await;
    assert_eq!(children["data"][0]["id"], child["id"]);
    let roots = get(&seller, "/accounts").await;
    assert_eq!(roots["data"].as_array().unwrap().len(), 1);
    let limit = seller
        .send("PUT", &format!("/api/v1/accounts/{key}/credit-limit"), r#"{"credit_limit":"100"}"#)
        .await;
    assert_eq!(limit.status, 201, "{limit:?}");
    assert_eq!(limit.json()["balance"]["credit_limit"], json!("100"));
    let shared = buyer.patch(&format!("/api/v1/accounts/{child_key}"), r#"{"shared":true}"#).await;
    assert_eq!(pick(&shared.json(), &["funding", "payer"]), json!({"funding": "shared", "payer": id}));
    let balance = get(&buyer, &format!("/accounts/{child_key}/balance")).await;
    assert_eq!(pick(&balance, &["posted", "payer", "spendable", "usage"])["payer"], json!(id));
    assert_eq!(balance["spendable"], json!("199"));
}

#[tokio::test]
async fn a_hold_is_placed_extended_captured_and_voided() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let (buyer, key) = (it.buyer(&account), &account.key);
    let hold =
        post(&buyer, &format!("/accounts/{key}/holds"), &json!({"amount": "40", "product": "gpu"})).await;
    assert_eq!(
        pick(&hold, &["amount", "available", "product"]),
        json!({"amount": "40", "available": "60", "product": "gpu"})
    );
    assert_eq!(hold["expires_at"], json!("2025-03-01T10:30:00.000000Z"));
    let id = hold["id"].as_str().unwrap();
    let seen = get(&buyer, &format!("/holds/{id}")).await;
    assert_eq!(
        pick(&seen, &["id", "amount", "product"]),
        json!({"id": id, "amount": "40", "product": "gpu"})
    );
    assert_eq!(get(&buyer, &format!("/accounts/{key}/holds")).await["data"][0]["id"], json!(id));
    let extended = post(&buyer, &format!("/holds/{id}/extend"), &json!({"expires_in": 7200})).await;
    assert_eq!(extended["expires_at"], json!("2025-03-01T11:30:00.000000Z"));
    let once = buyer.with("idempotency-key", "c1");
    let first =
        post(&once, &format!("/holds/{id}/capture"), &json!({"amount": "10", "keep_open": true})).await;
    assert_eq!(
        pick(&first, &["amount", "left", "released", "available"]),
        json!({"amount": "10", "left": "30", "released": "0", "available": "60"})
    );
    let again =
        post(&once, &format!("/holds/{id}/capture"), &json!({"amount": "10", "keep_open": true})).await;
    assert_eq!(again, first);
    let all = post(&buyer.with("idempotency-key", "c2"), &format!("/holds/{id}/capture"), &json!({})).await;
    assert_eq!(
        pick(&all, &["amount", "left", "available"]),
        json!({"amount": "30", "left": "0", "available": "60"})
    );
    let again = post(&buyer.with("idempotency-key", "c2"), &format!("/holds/{id}/capture"), &json!({})).await;
    assert_eq!(again, all);
    let gone = buyer.post(&format!("/api/v1/holds/{id}/void"), "").await;
    assert_eq!(problem(&gone), (404, "hold-not-found".to_owned()));
    let refund =
        post(&it.owner(), &format!("/charges/{}/refunds", all["id"].as_str().unwrap()), &json!({})).await;
    assert_eq!(refund["amount"], json!("30"));
    let hold =
        post(&buyer, &format!("/accounts/{key}/holds"), &json!({"amount": "5", "expires_in": 60})).await;
    let voided = post(&buyer, &format!("/holds/{}/void", hold["id"].as_str().unwrap()), &json!({})).await;
    assert_eq!(pick(&voided, &["released", "available"]), json!({"released": "5", "available": "90"}));
}

#[tokio::test]
async fn an_account_changes() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let (seller, key) = (it.owner(), &account.key);
    let path = format!("/api/v1/accounts/{key}");
    let renamed = seller.patch(&path, r#"{"name":"New","suspended":true}"#).await;
    assert_eq!(pick(&renamed.json(), &["name", "suspended"]), json!({"name": "New", "suspended": true}));
    let unnamed = seller.patch(&path, r#"{"name":null,"suspended":false}"#).await;
    assert_eq!(pick(&unnamed.json(), &["name", "suspended"]), json!({"name": null, "suspended": false}));
    for (act, member, value) in [
        ("freeze", "frozen", json!(true)),
        ("unfreeze", "frozen", json!(false)),
        ("close", "status", json!("closed")),
        ("reopen", "status", json!("active")),
    ] {
        let changed = post(&seller, &format!("/accounts/{key}/{act}"), &json!({})).await;
        assert_eq!(changed[member], value, "{act}");
    }
    let named = seller.send("PUT", &format!("{path}/handles/email"), r#"{"value":"Ann@example.com"}"#).await;
    assert_eq!(named.json()["handles"], json!({"email": "Ann@example.com"}));
    assert_eq!(get(&seller, "/accounts/ann@example.com").await["api_key"], json!(key));
    assert_eq!(get(&seller, "/accounts/email:ann@example.com").await["api_key"], json!(key));
}

#[tokio::test]
async fn a_balance_is_seen_as_it_was() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    it.book.clock.advance_secs(60);
    it.book.charge(&account, "30").await;
    it.book.clock.advance_secs(60);
    let (buyer, key) = (it.buyer(&account), &account.key);
    let posted =
        async |at: &str| get(&buyer, &format!("/accounts/{key}/balance?as_of={at}")).await["posted"].clone();
    assert_eq!(posted("2025-03-01T09:29:59Z").await, json!("0"));
    assert_eq!(posted("2025-03-01T09:30:00Z").await, json!("100"));
    assert_eq!(posted("2025-03-01T09:30:59Z").await, json!("100"));
    assert_eq!(posted("2025-03-01T09:31:00Z").await, json!("70"));
    let future = buyer.get(&format!("/api/v1/accounts/{key}/balance?as_of=2026-01-01T00:00:00Z")).await;
    assert_eq!(problem(&future), (400, "invalid-parameter".to_owned()));
    // A new period: what was posted is carried, whoever touched the balance since or not.
    it.book.clock.advance_secs(40);
    let before = get(&buyer, &format!("/accounts/{key}/balance?as_of=2025-03-01T09:32:00Z")).await;
    assert_eq!(
        pick(&before, &["carried", "funded", "used"]),
        json!({"carried": "0", "funded": "100", "used": "30"})
    );
    let all = get(&buyer, &format!("/accounts/{key}/balances")).await;
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn people_come_and_go() {
    let it = Fixture::new().await;
    let operator = it.owner();
    let made = post(&operator, "/organizations", &json!({"name": "acme", "currency": "USD"})).await;
    assert_eq!(
        pick(&made, &["name", "currency", "time_zone"]),
        json!({"name": "acme", "currency": "USD", "time_zone": "UTC"})
    );
    let token =
        post(&operator, "/organizations/acme/tokens", &json!({"role": "owner", "label": "first"})).await;
    let owner = it.with_token(token["token"].as_str().unwrap());
    let account = post(&owner, "/accounts", &json!({"name": "Customer"})).await;
    assert_eq!(
        pick(&account, &["organization", "currency"]),
        json!({"organization": "acme", "currency": "USD"})
    );
    // By its own or by the operator: the account is the seller's, and nothing of it the operator's to see.
    for opener in [&owner, &operator] {
        let body = json!({"name": "Customer", "credit_limit": "7"});
        let opened = post(opener, "/organizations/acme/accounts", &body).await;
        assert_eq!(
            pick(&opened, &["organization", "currency"]),
            json!({"organization": "acme", "currency": "USD"})
        );
        let path = format!("/accounts/{}/balance", opened["api_key"].as_str().unwrap());
        assert_eq!(get(&owner, &path).await["available"], "7");
        assert_eq!(operator.get(&format!("/api/v1{path}")).await.status, 404);
    }
    post(&owner, "/organizations/acme/currencies", &json!({"code": "POINTS", "exponent": 0})).await;
    let key = account["api_key"].as_str().unwrap();
    post(&owner, &format!("/accounts/{key}/top-ups"), &json!({"amount": 5, "currency": "POINTS"})).await;
    let points = get(&owner, &format!("/accounts/{key}/balance?currency=points")).await;
    assert_eq!(pick(&points, &["currency", "posted"]), json!({"currency": "POINTS", "posted": "5"}));
    let user = json!({"email": "ann@acme.example", "role": "finance", "password": "correct horse battery"});
    assert_eq!(post(&owner, "/organizations/acme/users", &user).await["role"], json!("finance"));
    let reader = post(&owner, "/organizations/acme/tokens", &json!({"role": "read-only"})).await;
    let tokens = get(&owner, "/organizations/acme/tokens").await;
    assert_eq!(tokens["data"].as_array().unwrap().len(), 2);
    assert_eq!(tokens["data"][0].get("token"), None, "a token is shown once");
    let reads = it.with_token(reader["token"].as_str().unwrap());
    get(&reads, &format!("/accounts/{key}")).await;
    let revoke = format!("/api/v1/tokens/{}", reader["id"].as_str().unwrap());
    assert_eq!(owner.send("DELETE", &revoke, "").await.status, 204);
    let refused = reads.get(&format!("/api/v1/accounts/{key}")).await;
    assert_eq!(problem(&refused), (401, "unauthenticated".to_owned()));
    assert!(refused.header("www-authenticate").is_some());

    let second = post(&owner, &format!("/accounts/{key}/secrets"), &json!({"label": "new"})).await;
    let buyer = it.server.client().with_basic(key, second["secret"].as_str().unwrap());
    let secrets = get(&buyer, &format!("/accounts/{key}/secrets")).await;
    assert_eq!(secrets["data"].as_array().unwrap().len(), 2);
    let first = secrets["data"][1]["id"].as_str().unwrap();
    assert_eq!(
        buyer.send("DELETE", &format!("/api/v1/accounts/{key}/secrets/{first}"), "").await.status,
        204
    );
    let last = format!("/api/v1/accounts/{key}/secrets/{}", second["id"].as_str().unwrap());
    assert_eq!(problem(&buyer.send("DELETE", &last, "").await), (409, "last-credential".to_owned()));
}
