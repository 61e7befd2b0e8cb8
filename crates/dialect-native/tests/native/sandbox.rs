//! Time that passes on request.

use serde_json::json;

use crate::fixture::{Fixture, pick, problem};

const CLOCK: &str = "/api/v1/sandbox/clock";

#[tokio::test]
async fn time_passes_holds_expire_and_periods_roll() {
    let it = Fixture::sandbox().await;
    let owner = it.owner();
    let account = it.funded("100").await;
    let at = |rest: &str| format!("/api/v1/accounts/{}{rest}", account.key);
    let balance = async |members: &[&str]| pick(&owner.get(&at("/balance")).await.json(), members);
    owner.post(&at("/charges"), r#"{"amount":"10"}"#).await;
    let hold = owner.post(&at("/holds"), r#"{"amount":"40","expires_in":3600}"#).await.json();
    assert_eq!(balance(&["held", "available"]).await, json!({"held": "40", "available": "50"}));

    let moved = owner.post(CLOCK, r#"{"by":3599}"#).await;
    assert_eq!((moved.status, moved.json()), (200, json!({"now": "2025-03-01T10:29:59.000000Z"})));
    assert_eq!(balance(&["held"]).await, json!({"held": "40"}));
    owner.post(CLOCK, r#"{"by":1}"#).await;
    assert_eq!(balance(&["held", "available"]).await, json!({"held": "0", "available": "90"}));
    let hold = owner.get(&format!("/api/v1/holds/{}", hold["id"].as_str().unwrap())).await;
    assert_eq!(problem(&hold).1, "hold-not-found");

    assert_eq!(balance(&["carried", "used"]).await, json!({"carried": "0", "used": "10"}));
    let moved = owner.post(CLOCK, r#"{"to":"2025-04-01T02:00:00+02:00"}"#).await;
    assert_eq!(moved.json(), json!({"now": "2025-04-01T00:00:00.000000Z"}));
    assert_eq!(balance(&["carried", "used"]).await, json!({"carried": "90", "used": "0"}));
    let charged = owner.post(&at("/charges"), r#"{"amount":"1"}"#).await;
    assert_eq!(charged.json()["time"], json!("2025-04-01T00:00:00.000000Z"));
    // What only the clock outside does is seen too.
    it.book.clock.advance_secs(60);
    assert_eq!(owner.post(CLOCK, r#"{"by":0}"#).await.json(), json!({"now": "2025-04-01T00:01:00.000000Z"}));
}

#[tokio::test]
async fn more_falls_due_than_one_group_ends() {
    let it = Fixture::sandbox().await;
    let account = it.funded("3000").await;
    let path = format!("/api/v1/accounts/{}/holds", account.key);
    for _ in 0..ledger::DUE_MAX + 10 {
        it.owner().post(&path, r#"{"amount":"1","expires_in":60}"#).await;
    }
    let moved = it.owner().post(CLOCK, r#"{"by":86400}"#).await;
    assert_eq!(moved.json(), json!({"now": "2025-03-02T09:30:00.000000Z"}));
    let balance = it.owner().get(&format!("/api/v1/accounts/{}/balance", account.key)).await;
    assert_eq!(pick(&balance.json(), &["held", "available"]), json!({"held": "0", "available": "3000"}));
}

#[tokio::test]
async fn the_clock_never_goes_back_and_moves_only_in_a_sandbox() {
    let it = Fixture::sandbox().await;
    for (body, kind, field) in [
        (r#"{"by":-1}"#, "invalid-field", Some("by")),
        (r#"{"by":"1"}"#, "invalid-field", Some("by")),
        (r#"{"by":316224001}"#, "invalid-field", Some("by")),
        (r#"{"to":"2025-03-01T09:29:59Z"}"#, "invalid-field", Some("to")),
        (r#"{"to":"9999-01-01T00:00:00Z"}"#, "invalid-field", Some("to")),
        (r#"{"to":"tomorrow"}"#, "invalid-field", Some("to")),
        (r#"{"by":1,"to":"2025-04-01T00:00:00Z"}"#, "invalid-field", Some("to")),
        ("{}", "missing-field", Some("by")),
    ] {
        let answer = it.owner().post(CLOCK, body).await;
        assert_eq!(problem(&answer), (422, kind.to_owned()), "{body}: {answer:?}");
        assert_eq!(answer.json()["field"].as_str(), field, "{body}: {answer:?}");
    }
    assert_eq!(it.owner().post(CLOCK, r#"{"by":0}"#).await.json()["now"], "2025-03-01T09:30:00.000000Z");

    let it = Fixture::new().await;
    for method in ["GET", "POST"] {
        let (there, nowhere) = (CLOCK, "/api/v1/nothing");
        let answer = it.owner().send(method, there, r#"{"by":1}"#).await;
        assert_eq!(problem(&answer), problem(&it.owner().send(method, nowhere, "").await));
    }
}
