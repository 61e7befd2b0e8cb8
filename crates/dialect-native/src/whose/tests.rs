use axum::http::Request;

use super::*;

type Header = (&'static str, &'static str);

fn parts(method: &str, path: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

#[test]
fn a_request_says_whose_it_is_by_its_credentials_or_else_by_its_body() {
    let token = |text: &str| Whose::Token(text.to_owned());
    let of = |name: &str| Whose::Organization(name.to_owned());
    let cookie = ("cookie", "a=b; bursar=bss2_x");
    let acme = r#"{"organization": "acme", "email": "e"}"#;
    let link = r#"{"link": "https://here/reset#bsr_1", "password": "p"}"#;
    let bearer = ("authorization", "Bearer bst3_x");
    let cases: [(&str, &str, Option<Header>, &str, Whose); 15] = [
        ("GET", "/api/v1/me", Some(bearer), "", token("bst3_x")),
        ("POST", "/api/v1/sessions", Some(bearer), acme, token("bst3_x")),
        ("POST", "/api/v1/me", Some(("authorization", "Basic YTpi")), link, Whose::Account("a".to_owned())),
        ("POST", "/api/v1/me", Some(("authorization", "Digest x")), link, Whose::Nobodys),
        ("GET", "/api/v1/me", Some(cookie), "", token("bss2_x")),
        ("GET", "/api/v1/me", Some(("cookie", "__Host-bursar=bss2_x")), "", token("bss2_x")),
        ("GET", "/api/v1/me", Some(("cookie", "other=bss2_x")), "", Whose::Nobodys),
        ("POST", "/api/v1/sessions/current/switch", Some(cookie), r#"{"membership": "m"}"#, token("bss2_x")),
        ("POST", "/api/v1/sessions", Some(cookie), acme, of("acme")),
        ("POST", "/api/v1/sessions", None, link, Whose::Link("bsr_1".to_owned())),
        ("POST", "/api/v1/sessions", None, r#"{"email": "e"}"#, Whose::Nobodys),
        ("POST", "/api/v1/sessions", None, "nothing of ours", Whose::Nobodys),
        ("GET", "/sign-in?organization=ac%6De&new=1", Some(cookie), "", of("acme")),
        ("GET", "/sign-in", Some(cookie), "", token("bss2_x")),
        ("GET", "/sign-in/callback/acme?code=1", Some(cookie), "", of("acme")),
    ];
    for (method, path, header, body, expected) in cases {
        let parts = parts(method, path, header.as_slice());
        let found = whose(&parts, Some(&Bytes::from_static(body.as_bytes()))).unwrap();
        assert!(found == expected, "{method} {path} {header:?}");
        let needs_body = method == "POST" && header.is_none_or(|(name, _)| name == "cookie");
        assert_eq!(whose(&parts, None).is_none(), needs_body, "{method} {path} {header:?}");
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
