use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};

use super::{Credentials, CredentialsError, authorization};

fn headers(values: &[&str]) -> HeaderMap {
    let header = |value: &&str| (AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    values.iter().map(header).collect()
}

fn check_basic(value: &str, user: &str, password: &str) {
    let headers = headers(&[value]);
    let Ok(Some(Credentials::Basic(basic))) = authorization(&headers) else { panic!("{value} was refused") };
    assert_eq!((basic.user(), basic.password()), (user, password), "{value}");
}

#[test]
fn basic_splits_at_the_first_colon() {
    check_basic("Basic ZThhYjExM2M6c2VjcmV0", "e8ab113c", "secret");
    check_basic("bAsIc ZThhYjExM2M6c2VjcmV0", "e8ab113c", "secret");
    check_basic("Basic  ZThhYjExM2M6c2VjcmV0", "e8ab113c", "secret");
    check_basic("Basic YTpiOmM=", "a", "b:c");
    check_basic("Basic Og==", "", "");
}

#[test]
fn bearer_is_handed_over_as_it_is() {
    let headers = headers(&["Bearer abc-._~+/12=="]);
    assert_eq!(authorization(&headers), Ok(Some(Credentials::Bearer("abc-._~+/12=="))));
}

#[test]
fn nothing_presented_is_not_an_error() {
    assert_eq!(authorization(&HeaderMap::new()), Ok(None));
}

#[test]
fn malformed_credentials_are_refused() {
    use CredentialsError::{Basic, Bearer, Scheme, Several, TooLong};
    let long = format!("Bearer {}", "a".repeat(5000));
    let cases: [(&[&str], CredentialsError); 15] = [
        (&["Basic"], Basic),
        (&["Basic "], Basic),
        (&["Basic ZThhYjExM2M"], Basic),
        (&["Basic ZThhYjExM2M="], Basic),
        (&["Basic ZThhYjExM2M6c2VjcmV0="], Basic),
        (&["Basic ZThhYjEx M2M6c2VjcmV0"], Basic),
        (&["Basic YTr/"], Basic),
        (&["Basic YToK"], Basic),
        (&["Bearer"], Bearer),
        (&["Bearer ="], Bearer),
        (&["Bearer a b"], Bearer),
        (&["Bearer a=b"], Bearer),
        (&["Digest username=x"], Scheme),
        (&["Bearer a", "Bearer a"], Several),
        (&[&long], TooLong),
    ];
    for (values, expected) in cases {
        assert_eq!(authorization(&headers(values)), Err(expected), "{values:?}");
    }
    assert_eq!(authorization(&headers(&["Basic \u{e9}"])), Err(Scheme));
}

#[test]
fn debug_shows_no_secret() {
    let basic = headers(&["Basic ZThhYjExM2M6c2VjcmV0"]);
    let bearer = headers(&["Bearer topsecret"]);
    let shown = format!("{:?} {:?}", authorization(&basic), authorization(&bearer));
    assert!(shown.contains("e8ab113c"));
    assert!(!shown.contains("secret"), "{shown}");
}
