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
    ("POST", "/accounts", &[], r#"{"organization":"no"}"#, (422, "unknown-field", Some("organization"))),
    ("POST", "/organizations/no/accounts", &[], r#"{"name":"a"}"#, (404, "organization-not-found", None)),
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
    // secrets
    ("POST", SECRETS, &[], r#"{"secret":"short1A"}"#, SECRET),
    ("POST", SECRETS, &[], r#"{"secret":"alllowercase1"}"#, SECRET),
    ("POST", SECRETS, &[], r#"{"secret":"ALLUPPERCASE1"}"#, SECRET),
    ("POST", SECRETS, &[], r#"{"secret":"NoDigitsAtAll"}"#, SECRET),
    ("POST", SECRETS, &[], r#"{"secret":"Longer1Longer1Longer1Longer1"}"#, SECRET),
    ("POST", SECRETS, &[], r#"{"secret":7}"#, SECRET),
    (
        "POST",
        SECRETS,
        &[],
        r#"{"expires_at":"2020-01-01T00:00:00Z"}"#,
        (422, "invalid-field", Some("expires_at")),
    ),
    ("POST", SECRETS, &[], r#"{"expires_at":"soon"}"#, (422, "invalid-field", Some("expires_at"))),
    ("POST", SECRETS, &[], r#"{"label":""}"#, (422, "invalid-field", Some("label"))),
    ("POST", SECRETS, &[], r#"{"label":"a\nb"}"#, (422, "invalid-field", Some("label"))),
    ("POST", SECRETS, &[], r#"{"colour":"red"}"#, (422, "unknown-field", Some("colour"))),
    ("POST", SECRETS, &[], r#"{"scope":{"operations":[]}}"#, SCOPE),
    ("POST", SECRETS, &[], r#"{"scope":{"operations":["fly"]}}"#, SCOPE),
    // What its account may not, and what no scope lets anybody.
    ("POST", SECRETS, &[], r#"{"scope":{"operations":["top-up"]}}"#, SCOPE),
    ("POST", SECRETS, &[], r#"{"scope":{"operations":["manage-secrets"]}}"#, SCOPE),
    ("POST", SECRETS, &[], r#"{"scope":{"accounts":[]}}"#, SCOPE),
    ("POST", SECRETS, &[], r#"{"scope":{"below":false}}"#, SCOPE),
    ("POST", SECRETS, &[], r#"{"scope":{"limits":[]}}"#, SCOPE),
    ("POST", SECRETS, &[], r#"{"scope":{"limits":[{"counts":[],"amount":"1","period":"day"}]}}"#, SCOPE),
    ("POST", SECRETS, &[], r#"{"scope":{"limits":[{"counts":["pay"],"amount":"0","period":"day"}]}}"#, SCOPE),
    (
        "POST",
        SECRETS,
        &[],
        r#"{"scope":{"limits":[{"counts":["pay"],"amount":"-1","period":"day"}]}}"#,
        SCOPE,
    ),
    (
        "POST",
        SECRETS,
        &[],
        r#"{"scope":{"accounts":["ffffffff"]}}"#,
        (404, "account-not-found", Some("scope")),
    ),
    ("DELETE", "/accounts/{A}/secrets/nothing", &[], "", (404, "credential-not-found", None)),
    ("DELETE", "/accounts/{B}/secrets/{C}", &[], "", (404, "credential-not-found", None)),
    // numbers
    ("POST", NUMBERS, &[], "{}", (422, "missing-field", Some("number"))),
    ("POST", NUMBERS, &[], r#"{"number":"+447700900123","country":"GB"}"#, NUMBER),
    ("POST", NUMBERS, &[], r#"{"number":"","country":"GB"}"#, NUMBER),
    ("POST", NUMBERS, &[], r#"{"number":"1234567890123456","country":"GB"}"#, NUMBER),
    ("POST", NUMBERS, &[], r#"{"number":"447700900123","country":"Britain"}"#, COUNTRY),
    ("POST", NUMBERS, &[], r#"{"number":"447700900123","country":"4 "}"#, COUNTRY),
    ("DELETE", "/accounts/{A}/numbers/447700900123", &[], "", (404, "number-not-found", Some("number"))),
    ("GET", "/accounts/{A}/numbers?cursor=AAAA", &[], "", CURSOR),
    (
        "POST",
        "/number-transfers",
        &[],
        r#"{"from":"{A}","to":"{A}","number":"1"}"#,
        (422, "same-account", Some("to")),
    ),
    (
        "POST",
        "/number-transfers",
        &[],
        r#"{"from":"{A}","to":"{B}","number":"1"}"#,
        (404, "number-not-found", Some("number")),
    ),
    // reloads
    (
        "PUT",
        RULE,
        &[],
        r#"{"provider":"test","amount":"1","reference":"x"}"#,
        (422, "invalid-field", Some("provider")),
    ),
    (
        "PUT",
        RULE,
        &[],
        r#"{"provider":"card","amount":"1","reference":"x"}"#,
        (422, "invalid-field", Some("provider")),
    ),
    (
        "PUT",
        RULE,
        &[],
        r#"{"provider":"manual","amount":"0","reference":"x"}"#,
        (422, "amount-not-positive", Some("amount")),
    ),
    (
        "PUT",
        RULE,
        &[],
        r#"{"provider":"manual","amount":"1","reference":""}"#,
        (422, "invalid-field", Some("reference")),
    ),
    (
        "PUT",
        RULE,
        &[],
        r#"{"provider":"manual","amount":"1","reference":"x","threshold":"-1"}"#,
        (422, "invalid-field", Some("threshold")),
    ),
    (
        "PUT",
        RULE,
        &[],
        r#"{"provider":"manual","amount":"1","reference":"x","limits":{"count":0}}"#,
        (422, "invalid-field", Some("limits")),
    ),
    ("GET", RULE, &[], "", (404, "not-found", None)),
    ("POST", "/accounts/{A}/reloads", &[], r#"{"reference":"x"}"#, (409, "reload-off", Some("reference"))),
    ("POST", "/accounts/{A}/reloads/settle", &[], "{}", (422, "missing-field", Some("approved"))),
    ("POST", "/accounts/{A}/reloads/settle", &[], r#"{"approved":true}"#, (409, "no-reload-under-way", None)),
    // settings
    (
        "PATCH",
        SETTINGS,
        &[],
        r#"{"inbound_url":"ftp://hooks.example"}"#,
        (422, "invalid-field", Some("inbound_url")),
    ),
    (
        "PATCH",
        SETTINGS,
        &[],
        r#"{"receipt_url":"https://a:b@hooks.example"}"#,
        (422, "invalid-field", Some("receipt_url")),
    ),
    ("PATCH", SETTINGS, &[], r#"{"forward":"fax"}"#, (422, "invalid-field", Some("forward"))),
    (
        "PATCH",
        SETTINGS,
        &[],
        r#"{"throughput":{"outbound":0,"inbound":1,"calls":1}}"#,
        (422, "invalid-field", Some("throughput")),
    ),
];
const SECRETS: &str = "/accounts/{A}/secrets";
const NUMBERS: &str = "/accounts/{A}/numbers";
const RULE: &str = "/accounts/{A}/reload-rule";
const SETTINGS: &str = "/accounts/{A}/settings";
const SECRET: Said = (422, "invalid-field", Some("secret"));
const SCOPE: Said = (422, "invalid-field", Some("scope"));
const NUMBER: Said = (422, "invalid-field", Some("number"));
const COUNTRY: Said = (422, "invalid-field", Some("country"));
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
    let url = format!(r#"{{"inbound_url":"https://hooks.example/{}"}}"#, "x".repeat(2048));
    stage.refuses("PATCH", SETTINGS, &[], &url, (422, "invalid-field", Some("inbound_url"))).await;
    let reference = format!(r#"{{"provider":"manual","amount":"1","reference":"{}"}}"#, "x".repeat(256));
    stage.refuses("PUT", RULE, &[], &reference, (422, "invalid-field", Some("reference"))).await;
    let many = format!(r#"{{"scope":{{"accounts":[{}]}}}}"#, vec![r#""{A}""#; 33].join(","));
    stage.refuses("POST", SECRETS, &[], &many, SCOPE).await;
    let limit = r#"{"counts":["pay"],"amount":"1","period":"day"}"#;
    let many = format!(r#"{{"scope":{{"limits":[{}]}}}}"#, [limit; 9].join(","));
    stage.refuses("POST", SECRETS, &[], &many, SCOPE).await;
    // What is live already is no new secret, and four of one's own choice are enough.
    for number in 1..=4 {
        let chosen = format!(r#"{{"secret":"Chosen{number}now"}}"#);
        assert_eq!(stage.send("POST", SECRETS, &[], &chosen).await.status, 201);
        stage.refuses("POST", SECRETS, &[], &chosen, SECRET).await;
    }
    let fifth = r#"{"secret":"Chosen5now"}"#;
    stage.refuses("POST", SECRETS, &[], fifth, (409, "too-many-credentials", None)).await;
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
