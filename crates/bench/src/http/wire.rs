//! As little of an HTTP client as measures the server and not itself.

use std::io::{IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Free at least before reading.
const ROOM_BYTES: usize = 64 * 1024;

pub struct Connection {
    stream: TcpStream,
    head: String,
    request: Vec<u8>,
    received: Vec<u8>,
}

pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Answer<'_> {
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.body).unwrap_or("not text")
    }

    /// The text of a member, found without a parser.
    pub fn field(&self, name: &str) -> &str {
        let text = self.text();
        let at = text.find(&format!("\"{name}\":\"")).expect("the answer has the member") + name.len() + 4;
        let end = text[at..].find('"').expect("a string ends") + at;
        &text[at..end]
    }
}

/// The head of a request but for its length.
pub fn head(path: &str, address: SocketAddr, authorization: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {authorization}\r\ncontent-type: application/json\r\ncontent-length: "
    )
}

/// Status, where the body begins and how long it is, once the head is whole.
pub fn parse_head(received: &[u8]) -> Option<(u16, usize, usize)> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&received[..end]).expect("a head is text");
    let status = head.get(9..12).and_then(|status| status.parse().ok()).expect("a status");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    Some((status, end, length.parse().expect("a length")))
}

impl Connection {
    /// Signed by the value of an `Authorization` header.
    pub fn open_as(address: SocketAddr, authorization: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_nodelay(true).expect("loopback knows nodelay");
        let head = head("PATH", address, authorization);
        Self { stream, head, request: Vec::new(), received: Vec::new() }
    }

    pub fn post(&mut self, path: &str, body: &[u8]) -> Answer<'_> {
        self.request.clear();
        self.request.extend_from_slice(self.head.replacen("PATH", path, 1).as_bytes());
        write!(self.request, "{}\r\n\r\n", body.len()).expect("memory takes it");
        let mut pieces = [IoSlice::new(&self.request), IoSlice::new(body)];
        let sent = self.stream.write_vectored(&pieces).expect("the server reads");
        let mut left = &mut pieces[..];
        IoSlice::advance_slices(&mut left, sent);
        for piece in left {
            self.stream.write_all(piece).expect("the server reads");
        }
        let mut filled = 0;
        loop {
            if self.received.len() < filled + ROOM_BYTES {
                self.received.resize(filled + ROOM_BYTES, 0);
            }
            let count = self.stream.read(&mut self.received[filled..]).expect("the server answers");
            assert!(count > 0, "the server hung up");
            filled += count;
            if let Some((status, start, length)) = parse_head(&self.received[..filled])
                && filled >= start + length
            {
                return Answer { status, body: &self.received[start..start + length] };
            }
        }
    }
}
