use super::{Url, UrlError};

fn parse(text: &str) -> Result<Url, UrlError> {
    Url::parse(text, |_| None)
}

#[test]
fn what_is_printed_holds_hosts_and_no_password() {
    for (text, expected) in [
        ("postgres://me:secret@a/books", "postgres://a:5432/books"),
        ("postgresql://me:secret@a:1,b:2/books?sslmode=require", "postgres://a:1,b:2/books"),
        ("postgres://a,b/books?user=me&password=secret", "postgres://a:5432,b:5432/books"),
        ("postgres://me@a", "postgres://a:5432/me"),
        ("postgres://me@a/b?sslmode=verify-full&sslrootcert=/a%20b.pem", "postgres://a:5432/b"),
    ] {
        let url = parse(text).unwrap();
        assert_eq!(url.to_string(), expected);
        assert!(!format!("{url:?} {:?}", url.hosts).contains("secret"));
    }
}

#[test]
fn mistakes_are_named_without_the_url() {
    for (text, expected) in [
        ("mysql://me@a/b", UrlError::Scheme),
        ("postgres://me:secret@a:port/b", UrlError::Malformed),
        ("postgres://me:secret@a/b?sslmode", UrlError::Malformed),
        ("postgres://me@/b", UrlError::NoHost),
        ("postgres://a/b", UrlError::NoUser),
        ("postgres://me@a/b?sslmode=verify-ca", UrlError::SslMode),
        ("postgres://me@a/b?sslmode=verify-full", UrlError::RootCertificate),
        ("postgres://me@a/b?sslmode=require&sslrootcert=/x", UrlError::RootCertificate),
        ("postgres://me@a/b?target_session_attrs=any", UrlError::Parameter("target_session_attrs".into())),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error, expected, "{text}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[test]
fn passwords_come_from_url_then_environment() {
    let password = |text: &str, variable: Option<&str>| {
        let variable = |name: &str| variable.filter(|_| name == "PGPASSWORD").map(str::to_owned);
        let url = Url::parse(text, variable).unwrap();
        url.hosts[0].1.get_password().map(|password| String::from_utf8(password.to_vec()).unwrap())
    };
    assert_eq!(password("postgres://me:own%3A@a/b", Some("env")).as_deref(), Some("own:"));
    assert_eq!(password("postgres://me@a/b", Some("env")).as_deref(), Some("env"));
    assert_eq!(password("postgres://me@a/b", None), None);
}
