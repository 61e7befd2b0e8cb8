use std::str::FromStr;

use bigdecimal::{BigDecimal, RoundingMode, num_bigint::BigInt};
use proptest::prelude::*;

use super::*;

fn oracle(nanos: Nanos) -> BigDecimal {
    BigDecimal::new(BigInt::from(nanos.get()), 9)
}

#[test]
fn texts_are_read_exactly_or_refused() {
    use MoneyError::*;
    let cases: &[(&str, Result<i128, MoneyError>)] = &[
        ("0", Ok(0)),
        ("-0", Ok(0)),
        ("-0.000", Ok(0)),
        ("1000.0000", Ok(1_000_000_000_000)),
        ("76.6052", Ok(76_605_200_000)),
        ("0.000000001", Ok(1)),
        ("0.0000000010", Ok(1)),
        ("0.0000000001", Err(TooPrecise)),
        ("4e-3", Ok(4_000_000)),
        ("4E+3", Ok(4_000_000_000_000)),
        ("1e-9", Ok(1)),
        ("1e-10", Err(TooPrecise)),
        ("10e-10", Ok(1)),
        ("0e64", Ok(0)),
        ("1e64", Err(OutOfRange)),
        ("1e65", Err(OutOfRange)),
        ("1e-65", Err(OutOfRange)),
        ("9223372036854775807.999999999", Ok(Nanos::MAX.get())),
        ("9223372036854775808", Err(OutOfRange)),
        ("-9223372036854775808.999999999", Ok(Nanos::MIN.get())),
        ("170141183460469231731687303715884105728", Err(OutOfRange)),
    ];
    for (text, expected) in cases {
        assert_eq!(Nanos::parse(text).map(Nanos::get), *expected, "{text}");
    }
    for text in
        ["", "-", "+1", "01", "00", ".5", "1.", "1.e3", "1e", "1e+", "0x10", " 1", "1 ", "1,0", "NaN", "١"]
    {
        assert_eq!(Nanos::parse(text), Err(Malformed), "{text:?}");
    }
    assert_eq!(Nanos::parse(&"1".repeat(65)), Err(Malformed), "longer than any amount is written");
}

#[test]
fn printed_without_exponent_and_with_one_zero() {
    let cases = [("2005", "2005", "2005.0000"), ("2.1572", "2.1572", "2.1572"), ("-0.5", "-0.5", "-0.5000")];
    for (text, shortest, four) in cases {
        let value = Nanos::parse(text).unwrap();
        assert_eq!(value.shortest().to_string(), shortest);
        assert_eq!(value.at_least(4).to_string(), four);
    }
    assert_eq!(Nanos::new(1).at_least(4).to_string(), "0.000000001", "more digits where the value has them");
    assert_eq!(Nanos::ZERO.at_least(12).to_string(), "0.000000000");
}

#[test]
fn rounding_modes_differ_only_on_ties() {
    use Rounding::*;
    for (text, even, up, cut) in [
        ("0.125", "0.12", "0.13", "0.12"),
        ("0.135", "0.14", "0.14", "0.13"),
        ("-0.125", "-0.12", "-0.13", "-0.12"),
        ("0.1251", "0.13", "0.13", "0.12"),
    ] {
        let value = Nanos::parse(text).unwrap();
        for (mode, expected) in [(HalfEven, even), (HalfUp, up), (Truncate, cut)] {
            assert_eq!(value.rounded(2, mode).to_string(), expected, "{text} {mode:?}");
        }
    }
}

#[test]
fn splits_and_joins_at_both_ends() {
    for (units, nanos) in
        [(i64::MIN, -999_999_999), (i64::MAX, 999_999_999), (0, -1), (0, 1), (-1, -750_000_000)]
    {
        assert_eq!(Nanos::join(units, nanos).unwrap().split(), Ok((units, nanos)));
    }
    assert_eq!(Nanos::join(1, -1), Err(MoneyError::SignMismatch));
    assert_eq!(Nanos::join(-1, 1), Err(MoneyError::SignMismatch));
    assert_eq!(Nanos::join(0, 1_000_000_000), Err(MoneyError::OutOfRange));
    assert_eq!(Nanos::new(i128::MAX).split(), Err(MoneyError::OutOfRange));
}

proptest! {
    #[test]
    fn reads_what_it_prints(nanos in Nanos::MIN.get()..=Nanos::MAX.get(), digits in 0_usize..=9) {
        let value = Nanos::new(nanos);
        prop_assert_eq!(Nanos::parse(&value.shortest().to_string()), Ok(value));
        prop_assert_eq!(Nanos::parse(&value.at_least(digits).to_string()), Ok(value));
        prop_assert_eq!(BigDecimal::from_str(&value.to_string()).unwrap(), oracle(value));
    }

    #[test]
    fn reads_as_the_oracle_reads(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?") {
        let exact = BigDecimal::from_str(&text).unwrap();
        match Nanos::parse(&text) {
            Ok(value) => prop_assert_eq!(oracle(value), exact),
            Err(MoneyError::TooPrecise) => prop_assert_ne!(exact.with_scale(9), exact),
            Err(MoneyError::OutOfRange) => {
                let exponent_too_large = text.split(['e', 'E']).nth(1)
                    .is_some_and(|e| e.parse::<i32>().unwrap().abs() > 64);
                prop_assert!(exponent_too_large || exact.abs() > oracle(Nanos::MAX));
            }
            Err(other) => prop_assert!(false, "{} for {}", other, text),
        }
    }

    #[test]
    fn never_panics_on_any_text(text in ".{0,80}") {
        let _ = Nanos::parse(&text);
    }

    #[test]
    fn multiplies_and_rounds_as_the_oracle_does(a in -10_i128.pow(18)..10_i128.pow(18), b in -10_i128.pow(18)..10_i128.pow(18)) {
        let (price, quantity) = (Nanos::new(a), Nanos::new(b));
        let exact = oracle(price) * oracle(quantity);
        for (mode, theirs) in [
            (Rounding::HalfEven, RoundingMode::HalfEven),
            (Rounding::HalfUp, RoundingMode::HalfUp),
            (Rounding::Truncate, RoundingMode::Down),
        ] {
            let ours = price.checked_mul(quantity, mode).unwrap();
            prop_assert_eq!(oracle(ours), exact.with_scale_round(9, theirs));
            prop_assert_eq!(oracle(price.rounded(2, mode)), oracle(price).with_scale_round(2, theirs));
        }
    }

    #[test]
    fn splits_and_joins(units: i64, nanos in -999_999_999_i32..=999_999_999) {
        match Nanos::join(units, nanos) {
            Ok(value) => prop_assert_eq!(value.split(), Ok((units, nanos))),
            Err(error) => {
                prop_assert_eq!(error, MoneyError::SignMismatch);
                prop_assert!((units > 0) != (nanos > 0));
            }
        }
    }
}
