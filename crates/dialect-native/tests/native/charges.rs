use serde_json::json;

use crate::fixture::{Fixture, pick, problem};

#[tokio::test]
async fn a_charge_says_what_it_cost_and_what_is_left() {
    let it = Fixture::new().await;
    let opened = it.owner().post("/api/v1/accounts", r#"{"name":"Acme","currency":"EUR"}"#).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let opened = opened.json();
    let key = opened["api_key"].as_str().unwrap();
    let buyer = it.server.client().with_basic(key, opened["secret"].as_str().unwrap());
    let topped = it.owner().post(&format!("/api/v1/accounts/{key}/top-ups"), r#"{"amount":"10"}"#).await;
    assert_eq!(topped.status, 201, "{topped:?}");
    let path = format!("/api/v1/accounts/{key}/charges");
    let charged = buyer
        .with("idempotency-key", "one")
        .post(&path, r#"{"amount":0.0012,"product":"tokens","quantity":12,"used_by":"ann"}"#)
        .await;
    assert_eq!(charged.status, 201, "{charged:?}");
    assert_eq!(charged.header("bursar-cost"), Some("0.0012"));
    assert_eq!(charged.header("bursar-remaining"), Some("9.9988"));
    let again = buyer
        .with("idempotency-key", "one")
        .post(&path, r#"{"quantity":"12","amount":"0.00120","used_by":"ann","product":"tokens"}"#)
        .await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), charged.json());
    let conflict = buyer.with("idempotency-key", "one").post(&path, r#"{"amount":"0.0013"}"#).await;
    assert_eq!(problem(&conflict), (409, "idempotency-key-conflict".to_owned()));
    let refused = buyer.post(&path, r#"{"amount":"10"}"#).await;
    assert_eq!(problem(&refused), (402, "insufficient-funds".to_owned()));
    assert_eq!(
        pick(&refused.json(), &["need", "have", "limit"]),
        json!({"need": "10", "have": "9.9988", "limit": "0"})
    );
    let balance = buyer.get(&format!("/api/v1/accounts/{key}/balance")).await;
    assert_eq!(balance.status, 200, "{balance:?}");
    assert_eq!(
        pick(&balance.json(), &["posted", "funded", "used", "available"]),
        json!({"posted": "9.9988", "funded": "10", "used": "0.0012", "available": "9.9988"})
    );
}

#[tokio::test]
async fn one_bad_line_stops_no_other() {
    let it = Fixture::new().await;
    let account = it.funded("1").await;
    let key = &account.key;
    let lines = [
        format!(r#"{{"account":"{key}","amount":"0.5","product":"tokens","key":"a"}}"#),
        format!(r#"{{"account":"{key}","amount":"0.0000000001"}}"#),
        "{".to_owned(),
        String::new(),
        r#"{"account":"ffffffff","amount":"1"}"#.to_owned(),
        format!(r#"{{"account":"{key}","amount":"0.6"}}"#),
        format!(r#"{{"account":"{key}","amount":"0.5","product":"tokens","key":"a"}}"#),
        format!(r#"{{"account":"{key}","amount":"0.5","key":"a"}}"#),
    ];
    let client = it.owner().with("content-type", "application/x-ndjson");
    let answer = client.post("/api/v1/charges", &lines.join("\n")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let outcomes: Vec<serde_json::Value> =
        answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> =
        outcomes.iter().map(|it| pick(it, &["status", "line", "field", "available"])).collect();
    assert_eq!(
        seen,
        [
            json!({"status": 201, "line": null, "field": null, "available": "0.5"}),
            json!({"status": 422, "line": 2, "field": "amount", "available": null}),
            json!({"status": 400, "line": 3, "field": null, "available": null}),
            json!({"status": 404, "line": 5, "field": null, "available": null}),
            json!({"status": 402, "line": 6, "field": null, "available": null}),
            json!({"status": 201, "line": null, "field": null, "available": "0.5"}),
            json!({"status": 409, "line": 8, "field": "key", "available": null}),
        ]
    );
}

#[tokio::test]
async fn a_batch_that_a_node_sends_again_is_charged_once() {
    let it = Fixture::new().await;
    let account = it.funded("10").await;
    let key = &account.key;
    let batch = format!(
        r#"[{{"account":"{key}","amount":"1","key":"a"}},{{"account":"{key}","amount":"2"}},
            {{"account":"ffffffff","amount":"3"}},{{"account":"{key}","amount":"2"}}]"#
    );
    let told = async |name: &str| {
        let answer = it.owner().with("bursar-once", name).post("/api/v1/charges", &batch).await;
        let outcomes = answer.json();
        let lines = outcomes.as_array().unwrap().iter();
        lines.map(|it| pick(it, &["status", "available", "replayed"])).collect::<Vec<_>>()
    };
    let line = |available: &str| json!({"status": 201, "available": available, "replayed": null});
    let missing = json!({"status": 404, "available": null, "replayed": null});
    let first = [line("9"), line("7"), missing.clone(), line("5")];
    assert_eq!(told("node").await, first);
    // Who gave a key sees that it was known; who gave none sees nothing of the repeat.
    let mut again = first.clone();
    again[0]["replayed"] = json!(true);
    assert_eq!(told("node").await, again);
    assert_eq!(told("other").await, [again[0].clone(), line("3"), missing, line("1")]);
}

#[tokio::test]
async fn a_charge_that_a_node_sends_again_is_charged_once_and_does_not_say_so() {
    let it = Fixture::new().await;
    let account = it.funded("10").await;
    let path = format!("/api/v1/accounts/{}/charges", account.key);
    let charge = async |client: testkit::Client| client.post(&path, r#"{"amount":"4"}"#).await;
    let named = || it.owner().with("bursar-once", "node");
    let (first, again) = (charge(named()).await, charge(named()).await);
    assert_eq!((again.status, again.json()), (201, first.json()));
    assert_eq!(again.header("idempotent-replayed"), None);
    // The client's own key goes before.
    let own = charge(named().with("idempotency-key", "one")).await;
    assert_eq!((own.status, &own.json()["available"]), (201, &json!("2")));
}
