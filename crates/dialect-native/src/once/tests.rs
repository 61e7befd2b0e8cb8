use super::*;

#[test]
fn what_takes_a_key_may_be_repeated_with_one() {
    for (method, path, expected) in [
        (Method::POST, "/api/v1/accounts/acc_1/charges", true),
        (Method::PATCH, "/api/v1/accounts/acc_1", true),
        (Method::POST, "/api/v1/charges", false),
        (Method::GET, "/api/v1/accounts/acc_1", false),
        (Method::POST, "/accounts/abcd/subaccounts", false),
        (Method::POST, "/api/v11", false),
    ] {
        assert_eq!(is_done_once(&method, path), expected, "{method} {path}");
    }
}

#[test]
fn a_batch_is_told_by_its_path() {
    for (method, path, expected) in [
        (Method::POST, "/api/v1/charges", true),
        (Method::GET, "/api/v1/charges", false),
        (Method::POST, "/api/v1/accounts/acc_1/charges", false),
        (Method::POST, "/charges", false),
    ] {
        assert_eq!(is_batch(&method, path), expected, "{method} {path}");
    }
}
