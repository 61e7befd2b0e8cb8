use axum::http::Request;

use super::*;

#[test]
fn a_key_is_found_wherever_clients_put_it() {
    let basic = Some("Basic YWJjZGVmMDE6c2VjcmV0");
    let cases = [
        ("GET", "/accounts/99999999/subaccounts", basic, "", "abcdef01"),
        ("GET", "/account/get-balance?api_key=abcdef01&api_secret=s", None, "", "abcdef01"),
        ("GET", "/account/get-balance?api_key=99999999", basic, "", "abcdef01"),
        ("GET", "/account/get-balance/abcdef01/secret", None, "", "abcdef01"),
        ("POST", "/account/top-up", None, "trx=1&api_key=abcdef01", "abcdef01"),
        ("POST", "/account/settings", None, r#"{"api_key": "abcdef01"}"#, "abcdef01"),
    ];
    for (method, path, authorization, body, key) in cases {
        let request = Request::builder().method(method).uri(path);
        let request =
            authorization.iter().fold(request, |request, text| request.header("authorization", *text));
        let parts = request.body(()).unwrap().into_parts().0;
        let found = whose(&parts, Some(&Bytes::from_static(body.as_bytes()))).unwrap();
        assert!(found == Whose::Account(key.to_owned()), "{method} {path}");
        assert_eq!(whose(&parts, None).is_none(), !body.is_empty(), "{method} {path}");
    }
    let nobody = Request::post("/account/top-up").body(()).unwrap().into_parts().0;
    assert!(whose(&nobody, Some(&Bytes::from_static(b"trx=1"))).unwrap() == Whose::Nobodys);
}
