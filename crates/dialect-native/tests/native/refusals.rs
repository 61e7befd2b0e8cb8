//! Bad input, as tables: what is sent, and what is said of it.

use serde_json::json;

use crate::fixture::{Fixture, problem};

/// (body, status, problem, field)
const BODIES: &[(&str, u16, &str, Option<&str>)] = &[
    ("", 400, "malformed-json", None),
    ("{", 400, "malformed-json", None),
    (r#"{"amount":"1"} x"#, 400, "malformed-json", None),
    ("[]", 422, "invalid-field", None),
    ("{}", 422, "missing-field", Some("amount")),
    (r#"{"amount":null}"#, 422, "invalid-field", Some("amount")),
    (r#"{"amount":true}"#, 422, "invalid-field", Some("amount")),
    (r#"{"amount":""}"#, 422, "invalid-field", Some("amount")),
    (r#"{"amount":" 1"}"#, 422, "invalid-field", Some("amount")),
    (r#"{"amount":"1,5"}"#, 422, "invalid-field", Some("amount")),
    (r#"{"amount":"0.0000000001"}"#, 422, "invalid-field", Some("amount")),
    (r#"{"amount":1e40}"#, 422, "invalid-field", Some("amount")),
    (r#"{"amount":"9223372036854775808"}"#, 422, "invalid-field", Some("amount")),
    (r#"{"amount":"-1"}"#, 422, "amount-negative", Some("amount")),
    (r#"{"amount":"0"}"#, 422, "amount-not-positive", Some("amount")),
    (r#"{"amount":"1","amount":"1"}"#, 422, "duplicate-field", Some("amount")),
    (r#"{"amount":"1","colour":"red"}"#, 422, "unknown-field", Some("colour")),
    (r#"{"amount":"1","quantity":"-1"}"#, 422, "invalid-field", Some("quantity")),
    (r#"{"amount":"1","currency":"E"}"#, 422, "invalid-field", Some("currency")),
    (r#"{"amount":"1","currency":"XXQ"}"#, 422, "currency-unknown", Some("currency")),
    (r#"{"amount":"1","kind":"other"}"#, 422, "invalid-field", Some("kind")),
    (r#"{"amount":"1","admission":"free"}"#, 422, "invalid-field", Some("admission")),
    (r#"{"amount":"1","product":""}"#, 422, "invalid-field", Some("product")),
    (r#"{"amount":"1","product":"a\nb"}"#, 422, "invalid-field", Some("product")),
    (r#"{"amount":"1","reference":7}"#, 422, "invalid-field", Some("reference")),
    (r#"{"amount":"101"}"#, 402, "insufficient-funds", None),
];

#[tokio::test]
async fn a_bad_charge_is_refused_with_its_field_and_changes_nothing() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let path = format!("/api/v1/accounts/{}/charges", account.key);
    for (body, status, kind, field) in BODIES {
        let answer = it.buyer(&account).with("content-type", "application/json").post(&path, body).await;
        assert_eq!(problem(&answer), (*status, (*kind).to_owned()), "{body}: {answer:?}");
        assert_eq!(answer.json()["field"].as_str(), *field, "{body}: {answer:?}");
    }
    let balance = it.buyer(&account).get(&format!("/api/v1/accounts/{}/balance", account.key)).await;
    assert_eq!(balance.json()["posted"], json!("100"));
}

#[tokio::test]
async fn a_bad_element_of_an_array_stops_no_other() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let good = format!(r#"{{"account":"{}","amount":"1"}}"#, account.key);
    for (body, status, kind, field) in BODIES {
        let element = body.replacen('{', &format!(r#"{{"account":"{}","#, account.key), 1).replace(",}", "}");
        let array = format!("[{good},{element},{good}]");
        let answer = it.owner().post("/api/v1/charges", &array).await;
        if *status == 400 {
            assert_eq!(problem(&answer), (400, "malformed-json".to_owned()), "{element}: {answer:?}");
            continue;
        }
        assert_eq!(answer.status, 200, "{element}: {answer:?}");
        let outcomes = answer.json();
        assert_eq!(outcomes[0]["status"], json!(201), "{element}");
        assert_eq!(outcomes[2]["status"], json!(201), "{element}");
        assert_eq!(outcomes[1]["status"], json!(status), "{element}: {answer:?}");
        assert_eq!(outcomes[1]["type"], json!(format!("/problems/{kind}")), "{element}: {answer:?}");
        assert_eq!(outcomes[1]["line"], json!(2), "{element}: {answer:?}");
        assert_eq!(outcomes[1]["field"].as_str(), *field, "{element}: {answer:?}");
    }
}

#[tokio::test]
async fn batches_are_bounded_and_read_in_two_forms() {
    let it = Fixture::new().await;
    let account = it.funded("10000").await;
    let line = format!(r#"{{"account":"{}","amount":"1"}}"#, account.key);
    let lines = it.owner().with("content-type", "application/x-ndjson");
    for (count, status) in [(8192, 200), (8193, 413)] {
        let array = format!("[{}]", vec![line.as_str(); count].join(","));
        let answer = it.owner().post("/api/v1/charges", &array).await;
        assert_eq!(answer.status, status, "{count} in an array");
        let answer = lines.post("/api/v1/charges", &vec![line.as_str(); count].join("\n")).await;
        assert_eq!(answer.status, status, "{count} lines");
        if status == 413 {
            assert_eq!(problem(&answer).1, "batch-too-large");
        }
    }
    assert_eq!(it.owner().post("/api/v1/charges", "[]").await.body, "[]");
    assert_eq!(lines.post("/api/v1/charges", "\n\r\n").await.body, "");
    let odd = it.owner().with("content-type", "text/csv").post("/api/v1/charges", "a,b").await;
    assert_eq!(problem(&odd), (415, "unsupported-media-type".to_owned()));
    for body in ["{}", "[", "[1", "[{}]x", "[{},]", "[,]", "null"] {
        let answer = it.owner().post("/api/v1/charges", body).await;
        assert!(matches!(problem(&answer).0, 400 | 422), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn whoever_does_not_sign_in_is_asked_to() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let nobody = it.server.client();
    let at = |rest: &str| format!("/api/v1/accounts/{}{rest}", account.key);
    let wrong = nobody.with_basic(&account.key, "wrong");
    for client in [&nobody, &wrong, &it.with_token("bst_nothing")] {
        let answer = client.get(&at("")).await;
        assert_eq!(problem(&answer), (401, "unauthenticated".to_owned()));
        assert!(answer.header("www-authenticate").is_some());
    }
}

#[tokio::test]
async fn a_restricted_account_is_not_charged() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let at = |rest: &str| format!("/api/v1/accounts/{}{rest}", account.key);
    let owner = it.owner();
    let refused = async || problem(&owner.post(&at("/charges"), r#"{"amount":"1"}"#).await);
    owner.patch(&at(""), r#"{"suspended":true}"#).await;
    assert_eq!(refused().await, (409, "account-suspended".to_owned()));
    owner.patch(&at(""), r#"{"suspended":false}"#).await;
    owner.post(&at("/freeze"), r#"{"reason":"chargeback"}"#).await;
    assert_eq!(refused().await, (409, "account-frozen".to_owned()));
    owner.post(&at("/unfreeze"), "").await;
    owner.post(&at("/close"), "").await;
    assert_eq!(refused().await, (409, "account-closed".to_owned()));
}
