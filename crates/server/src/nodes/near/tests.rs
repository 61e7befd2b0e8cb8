use axum::http::Request;

use super::*;

#[test]
fn only_reads_that_say_so_may_be_old_and_at_most_a_tenth_of_a_second() {
    let cases: [(&str, &[(&str, &str)], Option<u64>); 7] = [
        ("GET", &[], None),
        ("GET", &[("bursar-max-age-ms", "500")], Some(100)),
        ("HEAD", &[("bursar-max-age-ms", "0")], Some(0)),
        ("GET", &[("bursar-max-age-ms", "40")], Some(40)),
        ("POST", &[("bursar-max-age-ms", "500")], None),
        ("GET", &[("bursar-max-age-ms", "-1")], None),
        ("GET", &[("bursar-max-age-ms", "soon")], None),
    ];
    for (method, headers, expected) in cases {
        let request = headers
            .iter()
            .fold(Request::builder().method(method), |it, (name, value)| it.header(*name, *value));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(age_max(&parts), expected.map(Duration::from_millis), "{method} {headers:?}");
    }
}

#[test]
fn an_age_is_rounded_up() {
    let cases = [(0, 0), (1, 1), (1_000, 1), (1_001, 2)];
    for (micros, millis) in cases {
        assert_eq!(millis_up(Duration::from_micros(micros)), millis);
    }
}
