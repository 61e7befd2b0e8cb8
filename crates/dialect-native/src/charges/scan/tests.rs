use dialect::read_json;

use super::*;
use crate::charges::asked::BatchCharge;

/// What this reader accepts, the reader of the wire type accepts as the same; the rest it leaves to it.
fn check(text: &str, is_ordinary: bool) {
    let mut scanner = Scanner::new(text, true);
    let scanned = scanner.charge();
    assert_eq!(scanned.is_some(), is_ordinary, "{text}");
    if let Some(scanned) = scanned {
        assert_eq!(scanner.at(), text.len(), "{text}");
        let read: BatchCharge<'_> = read_json(text.as_bytes()).unwrap();
        assert_eq!(scanned, read.into(), "{text}");
    }
}

#[test]
fn ordinary_charges_are_read_at_once() {
    for text in [
        r#"{"account":"e8ab0001","amount":"0.0012"}"#,
        r#"{"account":"e8ab0001","amount":0.0012}"#,
        r#"{"account":"e8ab0001","amount":1e-3,"quantity":-0}"#,
        r#"{ "account" : "é@example.com" , "amount" : "1" }"#,
        "{\n\t\"account\":\"a\",\r\n\"amount\":1}",
        r#"{"amount":"1","account":"a","currency":"usd","kind":"fee","admission":"served","product":"tokens, long",
            "used_by":"ann","quantity":"12","reference":"0123456789abcdef","key":"b6e5b6a0-5b0e-4b60-9e47-000000000000"}"#,
    ] {
        check(text, true);
    }
}

#[test]
fn whatever_is_not_ordinary_is_left_to_the_other_reader() {
    for text in [
        "",
        "{}",
        "[]",
        r#"{"account":"a"}"#,
        r#"{"account":"a","amount":"1""#,
        r#"{"account":"a","amount":"1",}"#,
        r#"{"account":"a","amount":"1","amount":"1"}"#,
        r#"{"account":"a","amount":"1","extra":1}"#,
        r#"{"account":"a","amount":null}"#,
        r#"{"account":"a","amount":"1","product":null}"#,
        r#"{"account":"a","amount":01}"#,
        r#"{"account":"a","amount":+1}"#,
        r#"{"account":"a","amount":"0.0000000001"}"#,
        r#"{"account":"a\u0062","amount":"1"}"#,
        "{\"account\":\"a\nb\",\"amount\":\"1\"}",
        r#"{"account":"a","amount":"1","currency":"x"}"#,
        r#"{"account":"a","amount":"1","kind":"Metered"}"#,
        r#"{"account":"a" "amount":"1"}"#,
    ] {
        check(text, false);
    }
}

#[test]
fn the_first_special_byte_is_found_wherever_it_stands() {
    for special in [b'"', b'\\', b'\n', 0, 0x1f] {
        for place in 0..40 {
            let mut bytes = vec![b'\x80'; 40];
            bytes[place..].fill(special);
            assert_eq!(plain(&bytes), place, "{special} at {place}");
            bytes[..place].fill(b' ');
            assert_eq!(plain(&bytes), place, "{special} at {place} behind spaces");
        }
    }
    assert_eq!(plain(b"0123456789"), 10);
}
