//! What a stranger with curl may send: a table of requests, and what is said of each. Nothing changes.

use testkit::Answer;

use crate::fixture::{Fixture, problem};

/// What is said: status, problem, and the field, parameter or header that is named.
pub type Said = (u16, &'static str, Option<&'static str>);

const TOP_UP: &str = "/accounts/{A}/top-ups";
const INVALID: Said = (422, "invalid-field", Some("amount"));
const NOT_POSITIVE: Said = (422, "amount-not-positive", Some("amount"));

type TakesAmount = (&'static str, &'static str, &'static str, Option<Said>, Option<Said>);

/// Every operation that takes an amount: where, the body around it, and what is said of zero and of less.
const AMOUNTS: &[TakesAmount] = &[
    ("POST", "/accounts/{A}/charges", r#"{"amount":$}"#, Some(NOT_POSITIVE), Some(NEGATIVE)),
    ("POST", "/accounts/{A}/holds", r#"{"amount":$}"#, Some(NOT_POSITIVE), Some(NOT_POSITIVE)),
    ("POST", "/accounts/{A}/top-ups", r#"{"amount":$}"#, Some(NOT_POSITIVE), Some(NOT_POSITIVE)),
    ("POST", "/accounts/{A}/withdrawals", r#"{"amount":$}"#, Some(NOT_POSITIVE), Some(NOT_POSITIVE)),
    ("POST", "/accounts/{A}/usage-credits", r#"{"amount":$}"#, Some(NOT_POSITIVE), Some(NOT_POSITIVE)),
    ("POST", "/accounts/{B}/allocations", r#"{"amount":$}"#, Some(NOT_POSITIVE), Some(NOT_POSITIVE)),
    ("POST", "/transfers", r#"{"from":"{A}","to":"{B}","amount":$}"#, Some(NOT_POSITIVE), Some(NOT_POSITIVE)),
    ("POST", "/accounts/{A}/adjustments", r#"{"amount":$}"#, Some(NOT_POSITIVE), None),
    ("POST", "/holds/{H}/capture", r#"{"amount":$}"#, None, Some(NEGATIVE)),
    ("POST", "/charges/{C}/refunds", r#"{"amount":$}"#, Some(NOT_POSITIVE), Some(NOT_POSITIVE)),
];
const NEGATIVE: Said = (422, "amount-negative", Some("amount"));

/// None of these is an amount, anywhere.
const NOT_AMOUNTS: &[&str] = &[
    "true",
    "[]",
    "{}",
    "[1]",
    r#""""#,
    r#"" 1""#,
    r#""1 ""#,
    r#""+1""#,
    r#""1,5""#,
    r#""1_000""#,
    r#"".5""#,
    r#""5.""#,
    r#""0x10""#,
    r#""NaN""#,
    r#""Infinity""#,
    r#""١""#,
    r#""1\u0000""#,
    r#""0.0000000001""#,
    "0.0000000001",
    "1e-10",
    "1E-10",
    "1e400",
    "-1e400",
    r#""1e400""#,
    "1e99999999999999999999",
    "0e400",
    r#""\ud800""#,
    "9223372036854775808",
    r#""170141183460469231731687303715884105728""#,
];

/// A world with all that the table names.
pub struct Stage {
    it: Fixture,
    names: Vec<(&'static str, String)>,
}

impl Stage {
    pub async fn new() -> Self {
        let it = Fixture::new().await;
        let account = it.funded("100").await;
        let owner = it.owner();
        let at = |rest: &str| format!("/api/v1/accounts/{}{rest}", account.key);
        let id =
            |answer: Answer, member: &str| answer.json()[member].as_str().expect("it is there").to_owned();
        let child = format!(r#"{{"parent":"{}","name":"child"}}"#, account.key);
        let names = vec![
            ("{A}", account.key.clone()),
            ("{B}", id(owner.post("/api/v1/accounts", &child).await, "api_key")),
            ("{C}", id(owner.post(&at("/charges"), r#"{"amount":"5"}"#).await, "id")),
            ("{H}", id(owner.post(&at("/holds"), r#"{"amount":"5"}"#).await, "id")),
        ];
        Self { it, names }
    }

    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let client = headers.iter().fold(self.it.owner(), |client, (name, value)| client.with(name, value));
        client.send(method, &format!("/api/v1{}", self.named(path)), &self.named(body)).await
    }

    /// Says exactly that, and changes nothing.
    pub async fn refuses(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str, said: Said) {
        let before = self.it.book.digest().await;
        let answer = self.send(method, path, headers, body).await;
        let (status, kind, field) = said;
        let shown: String = body.chars().take(200).collect();
        let what = format!("{method} {path} {headers:?} {shown}: {answer:?}");
        assert_eq!(problem(&answer), (status, kind.to_owned()), "{what}");
        assert_eq!(answer.json()["field"].as_str(), field, "{what}");
        assert_eq!(self.it.book.digest().await, before, "{what}");
    }
}

#[tokio::test]
async fn what_is_no_amount_is_one_nowhere() {
    let stage = Stage::new().await;
    for (method, path, body, zero, negative) in AMOUNTS {
        for amount in NOT_AMOUNTS {
            stage.refuses(method, path, &[], &body.replace('$', amount), INVALID).await;
        }
        if let Some(said) = zero {
            for amount in ["0", "-0", "0.000000000", r#""0""#, r#""-0""#, "0e9"] {
                stage.refuses(method, path, &[], &body.replace('$', amount), *said).await;
            }
        }
        if let Some(said) = negative {
            for amount in ["-1", r#""-0.000000001""#, "-1e-9"] {
                stage.refuses(method, path, &[], &body.replace('$', amount), *said).await;
            }
        }
        let twice = body.replace('$', r#"1,"amount":2"#);
        stage.refuses(method, path, &[], &twice, (422, "duplicate-field", Some("amount"))).await;
        let more = body.replace('$', r#"1,"ammount":2"#);
        stage.refuses(method, path, &[], &more, (422, "unknown-field", Some("ammount"))).await;
    }
    let limit = |amount: &str| format!(r#"{{"credit_limit":{amount}}}"#);
    for amount in NOT_AMOUNTS.iter().chain(&["-1"]) {
        let said = (422, "invalid-field", Some("credit_limit"));
        stage.refuses("PUT", "/accounts/{A}/credit-limit", &[], &limit(amount), said).await;
        stage.refuses("POST", "/accounts", &[], &limit(amount), said).await;
    }
}

#[tokio::test]
async fn what_is_an_amount_is_read_to_the_last_digit() {
    let stage = Stage::new().await;
    for (amount, read) in [
        ("1E-9", "0.000000001"),
        ("1e0", "1"),
        ("0.1e1", "1"),
        ("1.000000000", "1"),
        ("1.0000000000000000", "1"),
        (r#""0.100""#, "0.1"),
        ("10e-1", "1"),
    ] {
        let answer =
            stage.send("POST", "/accounts/{A}/charges", &[], &format!(r#"{{"amount":{amount}}}"#)).await;
        assert_eq!(
            (answer.status, answer.json()["amount"].as_str()),
            (201, Some(read)),
            "{amount}: {answer:?}"
        );
    }
}

const MALFORMED: Said = (400, "malformed-json", None);

#[tokio::test]
async fn what_is_no_json_is_told_where() {
    let stage = Stage::new().await;
    let deep = format!("{}1{}", r#"{"amount":"#.repeat(5000), "}".repeat(5000));
    let brackets = "[".repeat(100_000);
    let inside = format!(r#"{{"amount":{}"#, "[".repeat(100_000));
    for body in [
        "",
        " ",
        "{",
        "}",
        "nonsense",
        r#"{"amount":"1"}}"#,
        r#"{"amount":"1",}"#,
        r#"{'amount':1}"#,
        r#"{"amount":01}"#,
        r#"{"amount":.5}"#,
        r#"{"amount":1.}"#,
        r#"{"amount":+1}"#,
        r#"{"amount":0x1}"#,
        r#"{"amount":NaN}"#,
        r#"{"amount":"1}"#,
        "\u{feff}{}",
        "{\"reference\":\"a\nb\",\"amount\":1}",
        "amount=1",
        "<amount>1</amount>",
        &brackets,
        &inside,
    ] {
        for path in ["/accounts/{A}/charges", "/accounts/{A}/top-ups", "/accounts/{A}/holds"] {
            stage.refuses("POST", path, &[("content-type", "application/json")], body, MALFORMED).await;
        }
    }
    stage.refuses("POST", TOP_UP, &[], &deep, INVALID).await;
    for body in ["[]", "1", "null", "true", r#""amount""#, r#"[{"amount":1}]"#] {
        for path in ["/accounts/{A}/charges", "/accounts/{A}/top-ups", "/accounts"] {
            stage.refuses("POST", path, &[], body, (422, "invalid-field", None)).await;
        }
    }
}
