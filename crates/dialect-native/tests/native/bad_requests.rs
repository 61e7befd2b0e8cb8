//! Headers, paths, queries and fields that a stranger may get wrong, one line each.

use crate::bad_input::{Said, Stage};

/// Method, path, headers, body, and what is said.
type Request = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, Said);

/// Everything else that a request is made of.
const REQUESTS: &[Request] = &[
    // headers
    ("POST", TOP_UP, &[("idempotency-key", "a"), ("idempotency-key", "a")], ONE, KEY),
    ("POST", TOP_UP, &[("idempotency-key", "")], ONE, KEY),
    ("POST", TOP_UP, &[("idempotency-key", "ключ")], ONE, KEY),
    ("POST", TOP_UP, &[("idempotency-key", "a\tb")], ONE, KEY),
    ("POST", CHARGE, &[("idempotency-key", "a"), ("idempotency-key", "b")], ONE, KEY),
    ("POST", CHARGE, &[("idempotency-key", "é")], ONE, KEY),
    ("POST", TOP_UP, &[("content-type", "text/plain")], ONE, MEDIA),
    ("POST", TOP_UP, &[("content-type", "application/x-www-form-urlencoded")], "amount=1", MEDIA),
    ("POST", TOP_UP, &[("content-type", "application/x-ndjson")], ONE, MEDIA),
    ("POST", CHARGE, &[("content-type", "multipart/form-data; boundary=x")], ONE, MEDIA),
    ("POST", CHARGES, &[("content-type", "text/csv")], "a,1", MEDIA),
    // paths
    ("GET", "/accounts/%00", &[], "", (404, "account-not-found", None)),
    ("GET", "/accounts/%ff%fe", &[], "", (404, "not-found", None)),
    ("GET", "/accounts/%zz", &[], "", (404, "account-not-found", None)),
    ("GET", "/accounts/%", &[], "", (404, "account-not-found", None)),
    ("GET", "/accounts/..%2f..%2fetc", &[], "", (404, "account-not-found", None)),
    ("GET", "/accounts/%20", &[], "", (404, "account-not-found", None)),
    ("GET", "/accounts/", &[], "", (404, "not-found", None)),
    ("GET", "//accounts", &[], "", (404, "not-found", None)),
    ("GET", "/accounts/email:", &[], "", (404, "account-not-found", None)),
    ("GET", "/accounts/{A}/balance/", &[], "", (404, "not-found", None)),
    ("GET", "/holds/00000000-0000-0000-0000-000000000000", &[], "", (404, "hold-not-found", None)),
    ("GET", "/holds/{C}", &[], "", (404, "hold-not-found", None)),
    ("GET", "/entries/{H}", &[], "", (404, "not-found", None)),
    ("POST", "/charges/{H}/refunds", &[], "{}", (404, "charge-not-found", None)),
    ("DELETE", "/accounts/{A}", &[], "", (405, "method-not-allowed", None)),
    ("GET", "/transfers", &[], "", (405, "method-not-allowed", None)),
    // queries
    ("GET", "/accounts?limit=0", &[], "", LIMIT),
    ("GET", "/accounts?limit=-1", &[], "", LIMIT),
    ("GET", "/accounts?limit=1001", &[], "", LIMIT),
    ("GET", "/accounts?limit=1e3", &[], "", LIMIT),
    ("GET", "/accounts?limit=", &[], "", LIMIT),
    ("GET", "/accounts?limit=+5", &[], "", LIMIT),
    ("GET", "/accounts?limit=99999999999999999999", &[], "", LIMIT),
    ("GET", "/accounts?limit=1&limit=2", &[], "", LIMIT),
    ("GET", "/accounts?cursor=", &[], "", CURSOR),
    ("GET", "/accounts?cursor=AAAA", &[], "", CURSOR),
    ("GET", "/accounts?cursor=%ff", &[], "", CURSOR),
    ("GET", "/accounts?cursor={H}", &[], "", CURSOR),
    ("GET", "/accounts/{A}/holds?cursor=AAAAAAAAAAAAAAAAAAAAAA", &[], "", CURSOR),
    ("GET", "/accounts/{A}/entries?cursor=AAAAAAAAAAAAAAAAAAAAAA", &[], "", CURSOR),
    ("GET", "/accounts?colour=red", &[], "", (400, "invalid-parameter", Some("colour"))),
    ("GET", "/accounts/{A}/entries?from=yesterday", &[], "", FROM),
    ("GET", "/accounts/{A}/entries?from=2025-02-30T00:00:00Z", &[], "", FROM),
    ("GET", "/accounts/{A}/entries?from=2025-03-01", &[], "", FROM),
    ("GET", "/accounts/{A}/entries?from=1740821400", &[], "", FROM),
    ("GET", "/accounts/{A}/entries?from=", &[], "", FROM),
    ("GET", "/accounts/{A}/entries?from=2025-03-02T00:00:00Z&to=2025-03-01T00:00:00Z", &[], "", TO),
    ("GET", "/accounts/{A}/entries?kinds=nothing", &[], "", (400, "invalid-parameter", Some("kinds"))),
    ("GET", "/accounts/{A}/entries?movements=maybe", &[], "", (400, "invalid-parameter", Some("movements"))),
    ("GET", "/accounts/{A}/balance?as_of=2099-01-01T00:00:00Z", &[], "", AS_OF),
    ("GET", "/accounts/{A}/balance?as_of=now", &[], "", AS_OF),
    ("GET", "/accounts/{A}/balance?currency=E", &[], "", (400, "invalid-parameter", Some("currency"))),
    // fields
    ("POST", "/accounts", &[], r#"{"name":7}"#, (422, "invalid-field", Some("name"))),
    ("POST", "/accounts", &[], r#"{"name":""}"#, (422, "invalid-field", Some("name"))),
    ("POST", "/accounts", &[], r#"{"name":"a\u0007"}"#, (422, "invalid-field", Some("name"))),
    ("POST", "/accounts", &[], r#"{"shared":"yes"}"#, (422, "invalid-field", Some("shared"))),
    ("POST", "/accounts", &[], r#"{"parent":"nobody"}"#, (404, "account-not-found", Some("parent"))),
    (
        "POST",
        "/accounts",
        &[],
        r#"{"organization":"no"}"#,
        (404, "organization-not-found", Some("organization")),
    ),
    ("PATCH", "/accounts/{A}", &[], r#"{"suspended":1}"#, (422, "invalid-field", Some("suspended"))),
    ("PATCH", "/accounts/{A}", &[], r#"{"Name":"x"}"#, (422, "unknown-field", Some("Name"))),
    ("PATCH", "/accounts/{A}", &[], r#"{"currency":"USD"}"#, (422, "unknown-field", Some("currency"))),
    ("POST", HOLD, &[], r#"{"amount":1,"expires_in":-1}"#, (422, "invalid-field", Some("expires_in"))),
    ("POST", HOLD, &[], r#"{"amount":1,"expires_in":0}"#, (422, "hold-expiry-past", Some("expires_in"))),
    ("POST", HOLD, &[], r#"{"amount":1,"expires_in":2592001}"#, (422, "hold-too-long", Some("expires_in"))),
    (
        "POST",
        HOLD,
        &[],
        r#"{"amount":1,"expires_in":4294967296}"#,
        (422, "invalid-field", Some("expires_in")),
    ),
    ("POST", HOLD, &[], r#"{"amount":1,"expires_at":"x"}"#, (422, "invalid-field", Some("expires_at"))),
    ("POST", HOLD, &[], r#"{"amount":1,"expires_at":"2020-01-01T00:00:00Z"}"#, PAST),
    ("POST", "/holds/{H}/capture", &[], r#"{"excess":"all"}"#, (422, "invalid-field", Some("excess"))),
    ("POST", "/holds/{H}/capture", &[], r#"{"amount":"5.000000001"}"#, (409, "capture-above-hold", None)),
    ("POST", "/holds/{H}/extend", &[], r#"{"expires_in":"1"}"#, (422, "invalid-field", Some("expires_in"))),
    ("POST", "/charges/{C}/refunds", &[], r#"{"amount":"6"}"#, (409, "refund-above-charge", None)),
    (
        "POST",
        "/accounts/{B}/allocations",
        &[],
        r#"{"amount":1,"way":"up"}"#,
        (422, "invalid-field", Some("way")),
    ),
    ("POST", "/accounts/{A}/allocations", &[], ONE, (409, "not-a-child", None)),
    (
        "POST",
        "/accounts/{A}/adjustments",
        &[],
        r#"{"amount":1,"of":"x"}"#,
        (422, "invalid-field", Some("of")),
    ),
    ("POST", "/transfers", &[], r#"{"from":"{A}","amount":1}"#, (422, "missing-field", Some("to"))),
    ("POST", "/transfers", &[], r#"{"from":1,"to":"{B}","amount":1}"#, (422, "invalid-field", Some("from"))),
    ("POST", "/transfers", &[], r#"{"from":"{A}","to":"{A}","amount":1}"#, (422, "same-account", Some("to"))),
    (
        "POST",
        "/transfers",
        &[],
        r#"{"from":"x","to":"{A}","amount":1}"#,
        (404, "account-not-found", Some("from")),
    ),
    (
        "POST",
        "/transfers",
        &[],
        r#"{"from":"{A}","to":"x","amount":1}"#,
        (404, "account-not-found", Some("to")),
    ),
    ("PUT", "/accounts/{A}/handles/phone", &[], r#"{"value":"1"}"#, (404, "not-found", None)),
    ("PUT", "/accounts/{A}/handles/email", &[], "{}", (422, "missing-field", Some("value"))),
    ("POST", TOP_UP, &[], r#"{"amount":1,"currency":"XXQ"}"#, (422, "currency-unknown", Some("currency"))),
    ("POST", TOP_UP, &[], r#"{"amount":1,"currency":"eur "}"#, (422, "invalid-field", Some("currency"))),
    ("POST", "/organizations", &[], r#"{"name":"x"}"#, (422, "missing-field", Some("currency"))),
    (
        "POST",
        "/organizations/default/tokens",
        &[],
        r#"{"role":"king"}"#,
        (422, "invalid-field", Some("role")),
    ),
    ("POST", "/organizations/default/users", &[], r#"{"email":"x"}"#, (422, "missing-field", Some("role"))),
];
const CHARGE: &str = "/accounts/{A}/charges";
const CHARGES: &str = "/charges";
const TOP_UP: &str = "/accounts/{A}/top-ups";
const HOLD: &str = "/accounts/{A}/holds";
const ONE: &str = r#"{"amount":"1"}"#;
const KEY: Said = (400, "invalid-parameter", Some("Idempotency-Key"));
const MEDIA: Said = (415, "unsupported-media-type", None);
const LIMIT: Said = (400, "invalid-parameter", Some("limit"));
const CURSOR: Said = (400, "invalid-parameter", Some("cursor"));
const FROM: Said = (400, "invalid-parameter", Some("from"));
const TO: Said = (400, "invalid-parameter", Some("to"));
const AS_OF: Said = (400, "invalid-parameter", Some("as_of"));
const PAST: Said = (422, "hold-expiry-past", Some("expires_at"));

#[tokio::test]
async fn a_bad_request_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    for (method, path, headers, body, said) in REQUESTS {
        stage.refuses(method, path, headers, body, *said).await;
    }
    let long = "k".repeat(256);
    stage.refuses("POST", TOP_UP, &[("idempotency-key", &long)], ONE, KEY).await;
    stage.refuses("POST", TOP_UP, &[("content-length", "9000000")], "", (413, "body-too-large", None)).await;
    let many = format!("[{}]", vec![r#"{"account":"{A}","amount":"1"}"#; 8193].join(","));
    stage.refuses("POST", CHARGES, &[], &many, (413, "batch-too-large", None)).await;
    let words = format!(r#"{{"amount":"1","reference":"{}"}}"#, "x".repeat(1025));
    stage.refuses("POST", TOP_UP, &[], &words, (422, "invalid-field", Some("reference"))).await;
    let most = r#"{"amount":"9223372036854775807"}"#;
    for path in [TOP_UP, "/accounts/{A}/adjustments"] {
        stage.refuses("POST", path, &[], most, (422, "amount-out-of-range", Some("amount"))).await;
    }
    // A cursor is of its own list only.
    stage.send("POST", "/accounts", &[], "{}").await;
    let accounts = stage.send("GET", "/accounts?limit=1", &[], "").await.json();
    let cursor = accounts["next_cursor"].as_str().unwrap();
    for list in ["children", "holds", "entries"] {
        stage.refuses("GET", &format!("/accounts/{{A}}/{list}?cursor={cursor}"), &[], "", CURSOR).await;
    }
    // 255 characters are a key.
    let answer = stage.send("POST", TOP_UP, &[("idempotency-key", &long[1..])], ONE).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}
