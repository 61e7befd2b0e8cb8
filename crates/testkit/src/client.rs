//! HTTP/1.1 by hand: one request per connection, one answer.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends requests to one address.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new() }
    }

    /// The same client with one more header on every request.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same client, signing in with a user and a password.
    #[must_use]
    pub fn with_basic(&self, user: &str, password: &str) -> Self {
        self.with("authorization", &basic(user, password))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, body).await
    }

    pub async fn patch(&self, path: &str, body: &str) -> Answer {
        self.send("PATCH", path, body).await
    }

    /// One request; a body is JSON, and as long as it is, unless a header says otherwise.
    pub async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let has = |name: &str| self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !body.is_empty() && !has("content-type") {
            text.push_str("content-type: application/json\r\n");
        }
        if !has("content-length") {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        text.push_str(&format!("\r\n{body}"));
        let mut stream = TcpStream::connect(self.address).await.expect("the server listens");
        stream.write_all(text.as_bytes()).await.expect("the server takes the request");
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.expect("the server answers");
        Answer::read(&String::from_utf8(received).expect("answers are UTF-8"))
    }
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let headers = lines.filter_map(|line| line.split_once(": "));
        let mut answer = Self {
            status: status.parse().expect("a status is a number"),
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: body.to_owned(),
        };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = joined(body);
        }
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// The chunks of a body that was sent while it was made.
fn joined(mut rest: &str) -> String {
    let mut body = String::new();
    loop {
        let (length, more) = rest.split_once("\r\n").expect("a chunk begins with its length");
        let length = usize::from_str_radix(length, 16).expect("a length is hexadecimal");
        if length == 0 {
            return body;
        }
        body.push_str(&more[..length]);
        rest = more[length..].strip_prefix("\r\n").expect("a chunk ends");
    }
}

/// The value of an `Authorization` header.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
