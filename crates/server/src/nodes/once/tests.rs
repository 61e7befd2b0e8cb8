use axum::http::Request;

use super::*;

#[test]
fn what_may_be_sent_again_has_a_name() {
    let (none, name, own) = ("nothing", "a name", "its own key");
    // What is asked; what it then has, if it is sent to another node, and if it is answered here.
    let table = [
        ("GET", "/api/v1/accounts/a", "", Some(none), Some(none)),
        ("GET", "/join/a", "", Some(none), Some(none)),
        ("POST", "/api/v1/accounts/a/charges", "k", Some(own), Some(own)),
        ("POST", "/api/v1/accounts/a/charges", "", Some(name), None),
        ("POST", "/api/v1/charges", "", Some(name), Some(none)),
        ("POST", "/api/v1/charges", "k", Some(name), Some(none)),
        ("POST", "/accounts/a/balance-transfers", "k", Some(name), Some(name)),
        ("POST", "/accounts/a/balance-transfers", "", Some(name), Some(name)),
        ("POST", "/accounts/a/secrets", "", None, None),
        ("POST", "/join/a", "k", None, None),
    ];
    for (method, path, given, elsewhere, here) in table {
        for (ask, expected) in
            [(is_repeatable as fn(&mut Parts) -> bool, elsewhere), (is_repeatable_here, here)]
        {
            let request = Request::builder().method(method).uri(path);
            let request = if given.is_empty() { request } else { request.header(IDEMPOTENCY_KEY, given) };
            let mut parts = request.body(()).unwrap().into_parts().0;
            let is_repeatable = ask(&mut parts);
            let has = match parts.extensions.get::<Once>() {
                Some(_) => name,
                None if given.is_empty() || is_batch(&parts.method, path) => none,
                None => own,
            };
            assert_eq!(is_repeatable.then_some(has), expected, "{method} {path}, {given}");
        }
    }
}

#[test]
fn a_name_stays_however_often_a_request_is_sent() {
    let request = Request::builder().method("POST").uri("/api/v1/charges");
    let mut parts = request.body(()).unwrap().into_parts().0;
    let mut name = || is_repeatable(&mut parts).then(|| parts.extensions.get::<Once>().cloned());
    assert_eq!(name(), name());
}
