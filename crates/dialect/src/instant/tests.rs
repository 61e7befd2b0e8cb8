use domain::Timestamp;

use super::{Fraction, Instant, InstantError, print_instant, read_instant};

#[test]
fn reads_z_offsets_and_fractions() {
    let second = Timestamp::from_secs(1_724_854_292);
    let cases = [
        ("2024-08-28T14:11:32Z", second),
        ("2024-08-28t14:11:32z", second),
        ("2024-08-28T16:11:32+02:00", second),
        ("2024-08-28T08:41:32-05:30", second),
        ("2024-08-28T14:11:32.000Z", second),
        ("2024-08-28T14:11:32.239Z", Timestamp::from_micros(1_724_854_292_239_000)),
        ("2024-08-28T14:11:32.123456789Z", Timestamp::from_micros(1_724_854_292_123_456)),
        ("1970-01-01T00:00:00Z", Timestamp::EPOCH),
        ("1969-12-31T23:59:59.9999999Z", Timestamp::from_micros(-1)),
        ("2024-02-29T23:59:60Z", Timestamp::from_secs(1_709_251_199)),
    ];
    for (text, expected) in cases {
        assert_eq!(read_instant(text), Ok(expected), "{text}");
    }
}

#[test]
fn refuses_what_is_not_rfc_3339() {
    use InstantError::{Malformed, OutOfRange};
    let cases = [
        ("", Malformed),
        ("2024-08-28", Malformed),
        ("2024-08-28T14:11:32", Malformed),
        ("2024-08-28 14:11:32Z", Malformed),
        ("2024-08-28T14:11Z", Malformed),
        ("2024-08-28T14:11:32.Z", Malformed),
        ("2024-08-28T14:11:32.1234567890Z", Malformed),
        ("2024-08-28T14:11:32+02", Malformed),
        ("2024-08-28T14:11:32+0200", Malformed),
        ("2024-08-28T14:11:32Z[Europe/Paris]", Malformed),
        ("+002024-08-28T14:11:32Z", Malformed),
        ("2024-08-28T14:11:32Z ", Malformed),
        ("2024-08-28T14:11:3\u{664}Z", Malformed),
        ("2024-02-30T00:00:00Z", OutOfRange),
        ("2024-13-01T00:00:00Z", OutOfRange),
        ("2024-01-01T24:00:00Z", OutOfRange),
        ("2024-01-01T00:00:00+99:00", OutOfRange),
    ];
    for (text, expected) in cases {
        assert_eq!(read_instant(text), Err(expected), "{text}");
    }
}

#[test]
fn prints_utc_and_cuts() {
    let instant = Timestamp::from_micros(1_724_854_292_239_999);
    assert_eq!(print_instant(instant, Fraction::None).unwrap(), "2024-08-28T14:11:32Z");
    assert_eq!(print_instant(instant, Fraction::Millis).unwrap(), "2024-08-28T14:11:32.239Z");
    assert_eq!(print_instant(instant, Fraction::Micros).unwrap(), "2024-08-28T14:11:32.239999Z");
    assert_eq!(
        print_instant(Timestamp::from_micros(-1), Fraction::Millis).unwrap(),
        "1969-12-31T23:59:59.999Z"
    );
    assert_eq!(
        print_instant(Timestamp::from_secs(51), Fraction::Millis).unwrap(),
        "1970-01-01T00:00:51.000Z"
    );
}

#[test]
fn never_is_not_a_date() {
    assert_eq!(print_instant(Timestamp::NEVER, Fraction::None), Err(InstantError::OutOfRange));
    assert_eq!(
        print_instant(Timestamp::from_micros(i64::MIN), Fraction::None),
        Err(InstantError::OutOfRange)
    );
    let year_minus_one = Timestamp::from_secs(-62_167_219_201);
    assert_eq!(print_instant(year_minus_one, Fraction::None), Err(InstantError::OutOfRange));
}

#[test]
fn wire_type_keeps_its_digits() {
    let instant: Instant<3> = serde_json::from_str("\"2024-08-28T16:11:32+02:00\"").unwrap();
    assert_eq!(serde_json::to_string(&instant).unwrap(), "\"2024-08-28T14:11:32.000Z\"");
    assert!(serde_json::from_str::<Instant<3>>("1724854292").is_err());
    assert!(serde_json::to_string(&Instant::<0>(Timestamp::NEVER)).is_err());
}
