//! HTTP/1.1 by hand, so that tests can misbehave.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case, one per line.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// One request on a connection of its own.
pub(crate) async fn ask(address: SocketAddr, head: &str, body: &str) -> Answer {
    exchange(&mut connect(address).await, head, body).await
}

/// One request; `head` is its first line and headers, without `host` and `content-length`.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    head: &str,
    body: &str,
) -> Answer {
    send(stream, head, body).await;
    receive(stream).await
}

pub(crate) async fn send<S: AsyncWrite + Unpin>(stream: &mut S, head: &str, body: &str) {
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let mut text = format!("{line} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n", body.len());
    headers.lines().for_each(|header| text.push_str(&format!("{header}\r\n")));
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

pub(crate) async fn receive<S: AsyncRead + Unpin>(stream: &mut S) -> Answer {
    let mut received = Vec::new();
    while !received.ends_with(b"\r\n\r\n") {
        received.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(received).unwrap().to_lowercase().replace("\r\n", "\n");
    let mut answer =
        Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body: String::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    answer.body = String::from_utf8(body).unwrap();
    answer
}

/// Waits for the server to close, and gives what it sent before.
pub(crate) async fn closed<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut received = Vec::new();
    // A reset is a way of closing, too.
    _ = stream.read_to_end(&mut received).await;
    String::from_utf8(received).unwrap()
}
