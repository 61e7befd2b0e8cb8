use serde::Deserialize;

use super::{JsonErrorKind, read_json, read_json_lines};
use crate::TextAmount;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading is looked at")]
struct Charge {
    account: String,
    amount: TextAmount,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only reading is looked at")]
struct Lenient {
    account: String,
    charges: Vec<Charge>,
}

fn check<T: for<'a> Deserialize<'a>>(
    json: &str,
    kind: JsonErrorKind,
    path: &str,
    message: &str,
    at: (usize, usize),
) {
    let Err(error) = read_json::<T>(json.as_bytes()) else { panic!("{json} was read") };
    assert_eq!(
        (error.kind, error.path.to_string().as_str(), error.message.as_str(), (error.line, error.column)),
        (kind, path, message, at),
        "{json}"
    );
}

#[test]
fn errors_name_field_line_and_column() {
    use JsonErrorKind::{Duplicate, Invalid, Missing, Syntax, Unknown};
    check::<Charge>(r#"{"account":"a"}"#, Missing, "amount", "missing field `amount`", (1, 15));
    check::<Charge>(
        r#"{"account":"a","amount":"1","colour":2}"#,
        Unknown,
        "colour",
        "unknown field `colour`, expected `account` or `amount`",
        (1, 36),
    );
    check::<Charge>(
        r#"{"account":"a","account":"b"}"#,
        Duplicate,
        "account",
        "duplicate field `account`",
        (1, 24),
    );
    check::<Charge>(
        "{\"account\":\"a\",\n\"amount\":\"x\"}",
        Invalid,
        "amount",
        "not a decimal number",
        (2, 13),
    );
    check::<Charge>(
        r#"{"account":7}"#,
        Invalid,
        "account",
        "invalid type: integer `7`, expected a string",
        (1, 12),
    );
    check::<Charge>(r#"{"account":"a""#, Syntax, "body", "EOF while parsing an object", (1, 14));
    check::<Charge>(r#"{"account":"a","amount":1} x"#, Syntax, "body", "trailing characters", (1, 28));
    check::<Charge>("", Syntax, "body", "EOF while parsing a value", (1, 0));
    check::<Vec<Charge>>(
        r#"[{"account":"a","amount":"1"},{"account":"a","amount":"0.0000000001"}]"#,
        Invalid,
        "[1].amount",
        "more than nine decimals",
        (1, 69),
    );
    check::<Lenient>(
        r#"{"account":"a","other":1,"charges":[{"account":"a"}]}"#,
        Missing,
        "charges[0].amount",
        "missing field `amount`",
        (1, 51),
    );
}

#[test]
fn pointer_is_rfc_6901() {
    let error = read_json::<Lenient>(br#"{"account":"a","charges":[{"account":"a","a/b~":1}]}"#).unwrap_err();
    assert_eq!(error.path.pointer(), "/charges/0/a~1b~0");
    assert_eq!(error.path.field(), Some("a/b~"));
}

#[test]
fn bytes_that_are_no_text_are_placed() {
    let error = read_json::<Charge>(b"{\n  \"account\": \"\xff\"}").unwrap_err();
    assert_eq!((error.kind, error.line, error.column), (JsonErrorKind::Syntax, 2, 15));
}

#[test]
fn lines_are_read_one_by_one_and_counted() {
    let text = b"{\"account\":\"a\",\"amount\":1}\n\r\n{\"account\":\"b\"}\n";
    let read: Vec<_> = read_json_lines::<Charge>(text).collect();
    assert_eq!(read.len(), 2);
    assert!(read[0].is_ok());
    assert_eq!(read[1].as_ref().unwrap_err().line, 3);
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let deep = "[".repeat(100_000);
    let error = read_json::<serde::de::IgnoredAny>(deep.as_bytes());
    assert!(error.is_err());
}
