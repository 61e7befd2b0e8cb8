use domain::Nanos;

use super::{Price, Trace, exact_product};

fn read(text: &str, prices: &[&str]) -> Result<Trace, String> {
    let prices = prices.iter().map(|price| Price::parse(price).unwrap()).collect();
    Trace::read("calls.csv", text.as_bytes(), "at", prices).map_err(|failure| failure.to_string())
}

#[test]
fn calls_are_priced_exactly_and_put_in_order() {
    let text = "at,tokens,images\n2024-01-01 00:00:01.5,10,0.5\n2024-01-01T00:00:00Z,3,0\n2024-01-01T00:00:09Z,0,0\n";
    let trace = read(text, &["tokens=0.000003", "images=0.04"]).unwrap();
    let calls: Vec<_> = trace.calls.iter().map(|call| (call.offset.as_millis(), call.cost)).collect();
    let nanos = |text| Nanos::parse(text).unwrap();
    assert_eq!(calls, [(0, nanos("0.000009")), (1500, nanos("0.02003"))]);
    assert_eq!(trace.quantities(&trace.calls[1]), [nanos("10"), nanos("0.5")]);
    assert_eq!(trace.idle, 1);
    assert_eq!(trace.duration().as_millis(), 1500);
}

#[test]
fn what_is_wrong_is_named_with_line_and_column() {
    let cases = [
        ("at,n\n1,2\n", "m=1", "line 1: there is no column m; its columns are: at, n"),
        ("t,n\n1,2\n", "n=1", "line 1: there is no column at; its columns are: t, n"),
        ("at,n\n1,2\n2,x\n", "n=1", "line 3, column n: \"x\" is no quantity: not a decimal number"),
        ("at,n\n1,-2\n", "n=1", "line 2, column n: \"-2\" is a negative quantity"),
        ("at,n\nnoon,2\n", "n=1", "line 2, column at: \"noon\" is neither a date and time nor seconds"),
        (
            "at,n\n1,0.5\n",
            "n=0.000000001",
            "line 2, column n: \"0.5\" times 0.000000001 is not an amount with nine decimals",
        ),
        ("at,n\n", "n=1", "there is no call in it"),
        (
            "at,n\n1,2\n3\n",
            "n=1",
            "CSV error: record 2 (line: 3, byte: 9): found record with 1 fields, but the previous record has 2 fields",
        ),
    ];
    for (text, price, expected) in cases {
        assert_eq!(read(text, &[price]).unwrap_err(), format!("calls.csv: {expected}"));
    }
}

#[test]
fn prices_name_a_column() {
    for (text, expected) in [
        ("tokens", "expected COLUMN=PRICE"),
        ("=1", "no column is named"),
        ("n=-1", "a price is not negative"),
        ("n=cheap", "not a decimal number"),
    ] {
        assert_eq!(Price::parse(text).unwrap_err(), expected);
    }
    assert_eq!(Price::parse("a=b=2").unwrap().column, "a=b");
}

#[test]
fn products_are_exact_or_nothing() {
    let nanos = |text| Nanos::parse(text).unwrap();
    assert_eq!(exact_product(nanos("4808"), nanos("0.000003")), Some(nanos("0.014424")));
    assert_eq!(exact_product(nanos("0.1"), nanos("0.000000001")), None);
    assert_eq!(exact_product(Nanos::MAX, Nanos::MAX), None);
}
