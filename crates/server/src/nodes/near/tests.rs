use axum::http::Request;

use super::*;

#[test]
fn only_reads_that_say_so_may_be_old_and_at_most_a_tenth_of_a_second() {
    let balance = "/api/v1/accounts/a/balance";
    type Headers = &'static [(&'static str, &'static str)];
    let cases: [(&str, &str, Headers, Option<u64>); 9] = [
        ("GET", "/accounts/a/subaccounts", &[("bursar-max-age-ms", "10")], Some(10)),
        ("GET", "/sign-in/callback/a", &[("bursar-max-age-ms", "10")], None),
        ("GET", balance, &[], None),
        ("GET", balance, &[("bursar-max-age-ms", "500")], Some(100)),
        ("HEAD", balance, &[("bursar-max-age-ms", "0")], Some(0)),
        ("GET", balance, &[("bursar-max-age-ms", "40")], Some(40)),
        ("POST", balance, &[("bursar-max-age-ms", "500")], None),
        ("GET", balance, &[("bursar-max-age-ms", "-1")], None),
        ("GET", balance, &[("bursar-max-age-ms", "soon")], None),
    ];
    for (method, path, headers, expected) in cases {
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri(path), |it, (name, value)| it.header(*name, *value));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(age_max(&parts), expected.map(Duration::from_millis), "{method} {path} {headers:?}");
    }
}

#[test]
fn an_age_is_rounded_up() {
    let cases = [(0, 0), (1, 1), (1_000, 1), (1_001, 2)];
    for (micros, millis) in cases {
        assert_eq!(millis_up(Duration::from_micros(micros)), millis);
    }
}
