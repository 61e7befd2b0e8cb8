use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{TlsError, server_config};
use crate::Config;

fn config(data: &Path, names: &[&str]) -> Config {
    let tls_names = names.iter().map(|name| (*name).to_owned()).collect();
    Config { data: data.to_owned(), tls_self_signed: true, tls_names, ..Config::default() }
}

#[test]
fn development_certificate_is_kept_until_a_name_is_missing() {
    let data = tempfile::tempdir().unwrap();
    let certificate = data.path().join("tls/certificate.pem");
    assert!(server_config(&config(data.path(), &[])).unwrap().is_some());
    let first = fs::read(&certificate).unwrap();
    server_config(&config(data.path(), &[])).unwrap();
    assert_eq!(fs::read(&certificate).unwrap(), first);
    server_config(&config(data.path(), &["bursar.test", "10.1.2.3"])).unwrap();
    let second = fs::read(&certificate).unwrap();
    assert_ne!(second, first);
    server_config(&config(data.path(), &["bursar.test"])).unwrap();
    assert_eq!(fs::read(&certificate).unwrap(), second);
}

#[test]
fn only_the_owner_reads_the_key() {
    let data = tempfile::tempdir().unwrap();
    server_config(&config(data.path(), &[])).unwrap();
    let mode = fs::metadata(data.path().join("tls/key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn files_that_are_no_certificate_are_named() {
    let data = tempfile::tempdir().unwrap();
    let missing = data.path().join("missing.pem");
    let config = Config {
        tls_certificate: Some(missing.clone()),
        tls_key: Some(missing.clone()),
        tls_self_signed: false,
        ..config(data.path(), &[])
    };
    let error = server_config(&config).unwrap_err();
    assert!(matches!(&error, TlsError::Unreadable { path, .. } if *path == missing), "{error}");
    assert!(server_config(&self::config(data.path(), &["not a name"])).is_err());
    assert!(server_config(&Config::default()).unwrap().is_none());
}
