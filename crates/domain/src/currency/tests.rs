use super::*;

#[test]
fn codes_are_case_insensitive_and_bounded() {
    assert_eq!(Currency::parse("eur"), Ok(Currency::EUR));
    assert_eq!(Currency::parse("points").unwrap().to_string(), "POINTS");
    for bad in ["", "EU", "1UR", "EURO-CENT", "ABCDEFGHI", "E R", "€UR"] {
        assert_eq!(Currency::parse(bad), Err(CurrencyError::Malformed), "{bad}");
    }
}

#[test]
fn stored_bytes_come_back_or_are_refused() {
    let points = Currency::parse("POINTS").unwrap();
    assert_eq!(Currency::from_bytes(points.to_bytes()), Ok(points));
    assert!(Currency::from_bytes(*b"eur\0\0\0\0\0").is_err(), "never stored in lower case");
    assert!(Currency::from_bytes(*b"EUR\0X\0\0\0").is_err(), "nothing hides behind the end");
}

/// Every code we know agrees with an independent table, and no code with a minor unit is missing but retired ones.
#[test]
fn exponents_agree_with_an_independent_table() {
    use iso_currency::IntoEnumIterator;
    let retired_or_foreign = ["ANG", "BGN", "CUC", "HRK", "SLL", "ZWL", "VEF", "MRO", "STD", "XAD", "XCG"];
    for theirs in iso_currency::Currency::iter() {
        let code = theirs.code();
        let ours = iso_exponent(Currency::parse(code).unwrap());
        match ours {
            Some(exponent) => assert_eq!(theirs.exponent(), Some(u16::from(exponent)), "{code}"),
            None => assert!(
                theirs.exponent().is_none() || retired_or_foreign.contains(&code) || code.starts_with('X'),
                "{code} has exponent {:?} there and is unknown here",
                theirs.exponent()
            ),
        }
    }
}
