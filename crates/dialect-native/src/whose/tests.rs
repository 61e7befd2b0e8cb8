use axum::http::Request;

use super::*;

fn parts(method: &str, path: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

#[test]
fn a_request_says_whose_it_is_by_its_credentials_or_else_by_its_body() {
    let token = |text: &str| Whose::Token(text.to_owned());
    let cases: &[(&str, &[(&str, &str)], &str, Whose)] = &[
        ("GET", &[("authorization", "Bearer bst3_x")], "", token("bst3_x")),
        ("POST", &[("authorization", "Basic YTpi")], r#"{"link": "bsi_1"}"#, Whose::Account("a".to_owned())),
        ("POST", &[("authorization", "Digest x")], r#"{"link": "bsi_1"}"#, Whose::Nobodys),
        ("GET", &[("cookie", "a=b; bursar=bss2_x")], "", token("bss2_x")),
        ("GET", &[("cookie", "__Host-bursar=bss2_x")], "", token("bss2_x")),
        ("GET", &[("cookie", "other=bss2_x")], "", Whose::Nobodys),
        (
            "POST",
            &[],
            r#"{"link": "https://here/reset#bsr_1", "password": "p"}"#,
            Whose::Link("bsr_1".to_owned()),
        ),
        ("POST", &[], r#"{"organization": "acme", "email": "e"}"#, Whose::Organization("acme".to_owned())),
        ("POST", &[], r#"{"email": "e"}"#, Whose::Nobodys),
        ("POST", &[], "nothing of ours", Whose::Nobodys),
    ];
    for (method, headers, body, expected) in cases {
        let parts = parts(method, "/api/v1/sessions", headers);
        let body = Bytes::from_static(body.as_bytes());
        let found = whose(&parts, Some(&body)).unwrap();
        assert!(found == *expected, "{method} {headers:?}");
        let needs_body = headers.is_empty();
        assert_eq!(whose(&parts, None).is_none(), needs_body, "{method} {headers:?}");
    }
}

#[test]
fn the_organization_that_the_operator_means_is_in_the_path_or_founded_by_the_body() {
    let body = Bytes::from_static(br#"{"name": "acme", "currency": "EUR"}"#);
    let cases = [
        ("POST", "/api/v1/organizations/acme/tokens", Ok(Some("acme"))),
        ("GET", "/api/v1/organizations/ac%6De/audit", Ok(Some("acme"))),
        ("GET", "/api/v1/organizations", Ok(None)),
        ("GET", "/api/v1/organizations/", Ok(None)),
        ("GET", "/api/v1/organizationsx/acme", Ok(None)),
        ("GET", "/api/v1/accounts", Ok(None)),
        ("POST", "/api/v1/organizations", Err(BodySaysIt)),
    ];
    for (method, path, expected) in cases {
        let found = operated(&method.parse().unwrap(), path, None);
        assert_eq!(found, expected.map(|name| name.map(str::to_owned)), "{method} {path}");
    }
    let founded = operated(&Method::POST, "/api/v1/organizations", Some(&body));
    assert_eq!(founded, Ok(Some("acme".to_owned())));
}
