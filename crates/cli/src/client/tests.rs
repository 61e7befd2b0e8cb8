use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use super::{Client, Connection, segment};
use crate::failure::Failure;
use crate::table::Record;

/// Answers one request with `answer`, and gives back what was asked.
fn stub(answer: impl Into<String>) -> (String, JoinHandle<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") && !request.ends_with(b"}") {
            let mut buffer = [0; 1024];
            let read = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, asked)
}

fn token_file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

fn client(url: &str, token: &str) -> Result<Client, Failure> {
    let (_directory, path) = token_file(token);
    Client::open(&Connection { url: Some(url.to_owned()), token_file: Some(path), ca_file: None })
}

#[test]
fn requests_carry_token_and_key() {
    let (url, asked) = stub("HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"balance\":1.50}");
    let body = serde_json::json!({"amount": "1"});
    let record: Record = client(&url, "t0ken\n").unwrap().post("/api/v1/charges", &body, Some("k1")).unwrap();
    assert_eq!(record.get("balance").unwrap().get(), "1.50");
    let asked = asked.join().unwrap().to_lowercase();
    for part in
        ["post /api/v1/charges http/1.1\r\n", "authorization: bearer t0ken\r\n", "idempotency-key: k1\r\n"]
    {
        assert!(asked.contains(part), "{asked}");
    }
}

#[test]
fn answers_become_failures() {
    let cases = [
        (
            "402 Payment Required",
            r#"{"title":"insufficient funds","detail":"1 is short"}"#,
            "refused insufficient funds: 1 is short",
        ),
        ("400 Bad Request", r#"{"title":"where"}"#, "usage where"),
        ("401 Unauthorized", "", "fault the server answered 401: 401 Unauthorized"),
        ("503 Service Unavailable", "{}", "fault the server answered 503: 503 Service Unavailable"),
        (
            "200 OK",
            "[]",
            "fault the answer is not what was expected: invalid type: sequence, expected an object at line 1 column 0",
        ),
    ];
    for (status, body, expected) in cases {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let (url, asked) = stub(answer);
        let failure = client(&url, "t").unwrap().get::<Record>("/x").err().unwrap();
        let kind = match &failure {
            Failure::Fault { .. } => "fault",
            Failure::Usage(_) => "usage",
            Failure::Refused(_) => "refused",
        };
        assert_eq!(format!("{kind} {failure}"), expected);
        asked.join().unwrap();
    }
}

#[test]
fn what_cannot_be_a_token_or_an_address_is_usage() {
    for (url, token) in [("http://x", ""), ("http://x", "two words"), ("x:80", "t"), ("file:///etc", "t")] {
        assert!(matches!(client(url, token), Err(Failure::Usage(_))), "{url} {token}");
    }
}

#[test]
fn segments_cannot_leave_their_place() {
    assert_eq!(segment("ada@example.com"), "ada@example.com");
    assert_eq!(segment("a/../b?c#d e"), "a%2F..%2Fb%3Fc%23d%20e");
    assert_eq!(segment("\u{e9}"), "%C3%A9");
}
