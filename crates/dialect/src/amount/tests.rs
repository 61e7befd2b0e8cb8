use domain::{MoneyError, Nanos};
use proptest::prelude::*;

use super::{AmountText, NumberAmount, TextAmount, read_amount};
use crate::read_json;

#[test]
fn number_amount_reads_numbers_only() {
    let cases = [
        ("1000.0000", Ok("1000")),
        ("2005", Ok("2005")),
        ("-0", Ok("0")),
        ("4e-3", Ok("0.004")),
        ("0.1234567891", Err("more than nine decimals")),
        ("\"12\"", Err("expected a number")),
        ("null", Err("expected a number")),
        ("[1]", Err("expected a number")),
        ("1e99", Err("out of range")),
    ];
    for (json, expected) in cases {
        let read = read_json::<NumberAmount>(json.as_bytes());
        match expected {
            Ok(text) => assert_eq!(read.unwrap().0.to_string(), text, "{json}"),
            Err(reason) => assert_eq!(read.unwrap_err().message, reason, "{json}"),
        }
    }
}

#[test]
fn text_amount_reads_strings_and_numbers() {
    let cases = [
        ("\"0.0012\"", Ok("0.0012")),
        ("0.0012", Ok("0.0012")),
        (r#""\u0031.5""#, Ok("1.5")),
        ("\"\"", Err("not a decimal number")),
        ("\" 1\"", Err("not a decimal number")),
        ("\"1,5\"", Err("not a decimal number")),
        ("true", Err("expected a decimal in a string, or a number")),
        ("null", Err("expected a decimal in a string, or a number")),
    ];
    for (json, expected) in cases {
        let read = read_json::<TextAmount>(json.as_bytes());
        match expected {
            Ok(text) => assert_eq!(read.unwrap().0.to_string(), text, "{json}"),
            Err(reason) => assert_eq!(read.unwrap_err().message, reason, "{json}"),
        }
    }
}

#[test]
fn amounts_are_written_as_their_form_says() {
    let amount = Nanos::parse("93.26").unwrap();
    assert_eq!(serde_json::to_string(&NumberAmount::<0>(amount)).unwrap(), "93.26");
    assert_eq!(serde_json::to_string(&NumberAmount::<4>(amount)).unwrap(), "93.2600");
    assert_eq!(serde_json::to_string(&NumberAmount::<4>(Nanos::new(1))).unwrap(), "0.000000001");
    assert_eq!(serde_json::to_string(&TextAmount(amount)).unwrap(), "\"93.26\"");
    assert_eq!(serde_json::to_string(&NumberAmount::<0>(Nanos::from_units(-40))).unwrap(), "-40");
    assert_eq!(serde_json::to_string(&NumberAmount::<0>(Nanos::new(-1))).unwrap(), "-0.000000001");
}

#[test]
fn integers_beyond_a_double_survive() {
    let text = "9007199254740993.5";
    let amount: NumberAmount = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&amount).unwrap(), text);
}

#[test]
fn longest_values_fit_the_buffer() {
    for value in [i128::MAX, i128::MIN, 0, Nanos::MAX.get(), Nanos::MIN.get()] {
        let amount = Nanos::new(value);
        assert_eq!(AmountText::new(amount, 0).as_str(), amount.to_string());
        assert_eq!(AmountText::new(amount, 9).as_str(), amount.at_least(9).to_string());
    }
}

proptest! {
    #[test]
    fn quick_reading_agrees_with_the_domain(text in "-?[0-9]{0,12}(\\.[0-9]{0,11})?([eE][+-]?[0-9]{0,2})?") {
        prop_assert_eq!(read_amount(&text), Nanos::parse(&text));
    }

    #[test]
    fn any_text_is_judged_as_the_domain_does(text in "[-+.0-9eE ]{0,20}") {
        prop_assert_eq!(read_amount(&text), Nanos::parse(&text));
    }

    #[test]
    fn quick_printing_agrees_with_the_domain(value in any::<i128>(), decimals in 0_usize..12) {
        let amount = Nanos::new(value);
        let (quick, domain) = (AmountText::new(amount, decimals), amount.at_least(decimals));
        prop_assert_eq!(quick.as_str(), domain.to_string());
    }

    #[test]
    fn what_is_written_reads_back(units in any::<i64>(), nanos in 0_i32..1_000_000_000) {
        let amount = Nanos::join(units, if units < 0 { -nanos } else { nanos }).unwrap();
        let number: NumberAmount<4> = serde_json::from_str(&serde_json::to_string(&NumberAmount::<4>(amount)).unwrap()).unwrap();
        let text: TextAmount = serde_json::from_str(&serde_json::to_string(&TextAmount(amount)).unwrap()).unwrap();
        prop_assert_eq!((number.0, text.0), (amount, amount));
    }
}

#[test]
fn a_number_that_is_no_json_is_refused() {
    assert_eq!(read_amount("01"), Err(MoneyError::Malformed));
    assert_eq!(read_amount(""), Err(MoneyError::Malformed));
    assert_eq!(read_amount("1."), Err(MoneyError::Malformed));
    assert_eq!(read_amount(".5"), Err(MoneyError::Malformed));
}
