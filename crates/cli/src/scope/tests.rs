use super::*;

#[test]
fn limits_are_read_as_they_are_said() {
    let limit = |counts: &[&str], amount: &str, currency: Option<&str>, period: &str| Limit {
        counts: counts.iter().map(|it| (*it).to_owned()).collect(),
        amount: amount.to_owned(),
        currency: currency.map(str::to_owned),
        period: period.to_owned(),
    };
    for (text, expected) in [
        ("allocate 500 EUR total", Some(limit(&["allocate"], "500", Some("EUR"), "total"))),
        (" charge,transfer  0.50 day ", Some(limit(&["charge", "transfer"], "0.5", None, "day"))),
        ("allocate 500", None),
        ("allocate EUR 500 total", None),
        ("allocate 500 EUR in total", None),
        ("", None),
    ] {
        assert_eq!(Limit::parse(text).ok(), expected, "{text}");
    }
}
