use std::io::{Read, Write};
use std::net::TcpStream;

use crate::{output, serve};

fn get(url: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn serve_says_where_and_ends_well_on_sigterm() {
    let data = tempfile::tempdir().unwrap();
    let mut served = serve(data.path(), &[]);
    assert!(served.url.starts_with("http://127.0.0.1:"));
    assert!(get(&served.url, "/readyz").starts_with("HTTP/1.1 200"));
    served.terminate();
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    served.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn serve_takes_tls_and_configuration() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("bursar.toml");
    std::fs::write(&file, "tls_self_signed = true\n").unwrap();
    let mut served = serve(data.path(), &["--config", file.to_str().unwrap()]);
    assert!(served.url.starts_with("https://127.0.0.1:"));
    assert!(data.path().join("tls/certificate.pem").exists());
    served.terminate();
    assert!(served.child.wait().unwrap().success());

    let mut served = serve(data.path(), &["--config", file.to_str().unwrap(), "--tls-self-signed=false"]);
    assert!(served.url.starts_with("http://"));
    served.terminate();
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn usage_is_exit_code_2() {
    for arguments in [
        &["serve", "--batch-max", "many"][..],
        &["serve", "--colour", "red"],
        &["serve", "--log-level", "loud"],
        &["serve", "--config", "/nonexistent"],
        &["serve", "--outgoing-tls-roots", "/nonexistent"],
        &["unknown"],
        &[],
    ] {
        let output = output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn a_port_that_is_taken_is_a_fault() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let address = served.url.strip_prefix("http://").unwrap();
    let other = tempfile::tempdir().unwrap();
    let output = output(&["serve", "--listen", address, "--data", other.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let reason = String::from_utf8(output.stderr).unwrap();
    assert!(reason.contains(&format!("bursar: cannot serve: cannot listen on {address}: ")), "{reason}");
}

#[test]
fn config_prints_a_file_that_serve_takes() {
    let printed = output(&["config"]);
    assert!(printed.status.success());
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("bursar.toml");
    std::fs::write(&file, printed.stdout).unwrap();
    let mut served = serve(data.path(), &["--config", file.to_str().unwrap()]);
    served.terminate();
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn version_and_completions_are_printed() {
    let version = String::from_utf8(output(&["--version"]).stdout).unwrap();
    assert_eq!(version, format!("bursar {}\n", env!("CARGO_PKG_VERSION")));
    let completions = String::from_utf8(output(&["completions", "bash"]).stdout).unwrap();
    assert!(completions.contains("--tls-self-signed"));
}
