//! The audit log: every administrative act is in it, and nothing of another's.

use serde_json::{Value, json};

use crate::fixture::{Fixture, pick};
use crate::rights::join;

const LOG: &str = "/api/v1/organizations/default/audit";

#[tokio::test]
async fn what_was_done_is_in_the_log_with_who_from_where_and_what_was_before() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let (ann, _) = join(&it, "organizations/default", "ann@seller.example", &json!({"role": "admin"})).await;
    let me = ann.get("/api/v1/me").await.json();
    let at = format!("/api/v1/accounts/{}", account.key);
    let id = ann.get(&at).await.json()["id"].clone();
    let ask = ann.with("x-request-id", "r-1");
    ask.patch(&at, r#"{"name":"=New","suspended":true}"#).await;
    ask.send("PUT", &format!("{at}/credit-limit"), r#"{"credit_limit":"30"}"#).await;
    ask.post(&format!("{at}/charges"), r#"{"amount":"1"}"#).await;
    ask.post(&format!("{at}/holds"), r#"{"amount":"1"}"#).await;
    let owner = it.owner();
    let read = async |query: &str| {
        let answer = owner.get(&format!("{LOG}{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        answer.json()["data"].as_array().unwrap().clone()
    };
    let by_request = read("?request_id=r-1").await;
    let seen: Vec<Value> = by_request.iter().map(|it| it["act"].clone()).collect();
    assert_eq!(seen, [json!("set-credit-limit"), json!("change-account")], "charges and holds are usage");
    for line in &by_request {
        assert_eq!(line["actor"]["email"], json!("ann@seller.example"));
        assert_eq!(line["actor"]["membership"], me["membership"]["id"]);
        assert_eq!(pick(line, &["address", "object"]), json!({"address": "127.0.0.1", "object": id}));
    }
    assert_eq!(by_request[0]["before"], json!({"credit_limit": "0"}));
    assert_eq!(by_request[0]["after"], json!({"credit_limit": "30"}));
    assert_eq!(by_request[1]["before"], json!({"name": "Acme", "suspended": false}));
    assert_eq!(by_request[1]["after"], json!({"name": "=New", "suspended": true}));
    let all = read("?limit=1000").await;
    // Page by page the same, with every entry once.
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("{LOG}?limit=2{cursor}")).await.json();
        pages.extend(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, all);
    let user = me["user"]["id"].as_str().unwrap();
    assert_eq!(read(&format!("?actor={user}")).await.len(), 2);
    let about = read(&format!("?object={}", id.as_str().unwrap())).await;
    let acts: Vec<&str> = about.iter().map(|it| it["act"].as_str().unwrap()).collect();
    for act in ["top-up", "open-account", "change-account", "set-credit-limit"] {
        assert!(acts.contains(&act), "{acts:?}");
    }
    assert_eq!(read("?acts=sign-in,invite").await.len(), 2);
    assert_eq!(read("?from=2099-01-01T00:00:00Z").await, [] as [Value; 0]);
    assert_eq!(read("?to=2025-03-01T00:00:00Z").await, [] as [Value; 0]);
    for bad in ["?acts=fly", "?actor=x", "?object=x", "?from=x", "?cursor=x", "?limit=0", "?colour=red"] {
        assert_eq!(owner.get(&format!("{LOG}{bad}")).await.status, 400, "{bad}");
    }
    let lines = owner.with("accept", "application/x-ndjson").get(&format!("{LOG}?limit=1000")).await;
    assert_eq!(
        lines.body.lines().map(|it| serde_json::from_str::<Value>(it).unwrap()).collect::<Vec<_>>(),
        all
    );
    let table = owner.with("accept", "text/csv").get(&format!("{LOG}?request_id=r-1")).await;
    assert_eq!(table.body.lines().count(), 3);
    assert!(table.body.contains(r#""{""name"":""=New""#), "{}", table.body);
    // What is personal goes with the person; that it was done stays.
    assert_eq!(owner.send("DELETE", &format!("/api/v1/users/{user}"), "").await.status, 204);
    let erased = &read("?acts=change-account").await[0];
    assert_eq!((erased.get("address"), erased["actor"].get("email")), (None, None), "{erased}");
    assert_eq!(erased["actor"]["membership"], me["membership"]["id"]);
}

#[tokio::test]
async fn another_organizations_log_is_not_there() {
    let it = Fixture::new().await;
    let owner = it.owner();
    owner.post("/api/v1/organizations", r#"{"name":"other","currency":"EUR"}"#).await;
    let issued = owner.post("/api/v1/organizations/other/tokens", r#"{"role":"owner"}"#).await.json();
    let other = it.with_token(issued["token"].as_str().unwrap()).with("x-request-id", "r");
    let own = other.get("/api/v1/organizations/other/audit").await.json();
    let acts: Vec<&Value> = own["data"].as_array().unwrap().iter().map(|it| &it["act"]).collect();
    assert_eq!(acts, [&json!("issue-credential"), &json!("found-organization")]);
    let said = async |path: &str| {
        let answer = other.get(path).await;
        (answer.status, answer.body)
    };
    assert_eq!(said(LOG).await, said("/api/v1/organizations/nowhere/audit").await);
    let cursor =
        owner.get(&format!("{LOG}?limit=1")).await.json()["next_cursor"].as_str().unwrap().to_owned();
    let path = "/api/v1/organizations/other/audit?cursor=";
    assert_eq!(said(&format!("{path}{cursor}")).await, said(&format!("{path}x")).await);
}

#[tokio::test]
async fn settings_and_reload_rules_say_what_they_were_before() {
    let it = Fixture::new().await;
    let owner = it.owner();
    let account = it.funded("100").await;
    let at = format!("/api/v1/accounts/{}", account.key);
    for body in [r#"{"inbound_url":"https://a.example"}"#, r#"{"inbound_url":"https://b.example"}"#] {
        assert_eq!(owner.patch(&format!("{at}/settings"), body).await.status, 200);
    }
    for body in [
        r#"{"provider":"manual","amount":"10","reference":"one","limits":{"count":2}}"#,
        r#"{"provider":"manual","amount":"20","reference":"two","threshold":"5"}"#,
    ] {
        assert_eq!(owner.send("PUT", &format!("{at}/reload-rule"), body).await.status, 200);
    }
    let log = owner.get(&format!("{LOG}?acts=change-settings,set-reload")).await.json();
    let seen: Vec<(&Value, &Value)> =
        log["data"].as_array().unwrap().iter().map(|it| (&it["before"], &it["after"])).collect();
    let one =
        json!({"provider": "manual", "enabled": true, "amount": "10", "count_limit": 2, "reference": "one"});
    let two =
        json!({"provider": "manual", "enabled": true, "amount": "20", "threshold": "5", "reference": "two"});
    let url = |of: &str| json!({"inbound_url": format!("https://{of}.example")});
    assert_eq!(
        seen,
        [
            (&one, &two),
            (&Value::Null, &one),
            (&url("a"), &url("b")),
            (&json!({"inbound_url": null}), &url("a")),
        ]
    );
}
