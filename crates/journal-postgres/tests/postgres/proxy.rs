//! Stands between journal and database, and fails at a statement that carries a group.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The connection ends; the statement never arrives.
    CutBefore,
    /// It arrives, and the connection ends before the reply does.
    CutAfter,
    /// Nothing passes any more; the connection stays open. The statement never arrives.
    FreezeBefore,
    /// It arrives, and nothing passes any more.
    FreezeAfter,
    /// It arrives, and is answered with a warning before the reply.
    Warn,
    /// It never arrives, and is answered with this error.
    Refuse(&'static str),
    /// It arrives, and is answered with this error.
    Deny(&'static str),
}

pub struct Proxy {
    pub port: u16,
    armed: Arc<Mutex<Armed>>,
}

#[derive(Default)]
struct Armed {
    fault: Option<(Fault, u32)>,
    struck: u32,
}

/// A group begins with it.
const MARKER: &[u8] = b"BGRP";

impl Proxy {
    pub fn new(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed: Arc<Mutex<Armed>> = Arc::default();
        let shared = armed.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                join(&client, &server, &shared);
            }
        });
        Self { port, armed }
    }

    /// Fails so at the next `times` groups.
    pub fn arm(&self, fault: Fault, times: u32) {
        *self.armed.lock().unwrap() = Armed { fault: Some((fault, times)), struck: 0 };
    }

    /// How often it has failed since it was armed.
    pub fn struck(&self) -> u32 {
        self.armed.lock().unwrap().struck
    }
}

impl Armed {
    fn strike(&mut self) -> Option<Fault> {
        let (fault, times) = self.fault.take()?;
        self.struck += 1;
        self.fault = (times > 1).then_some((fault, times - 1));
        Some(fault)
    }
}

fn join(client: &TcpStream, server: &TcpStream, armed: &Arc<Mutex<Armed>>) {
    let struck: Arc<Mutex<Option<Fault>>> = Arc::default();
    let (mut up, mut down) = (Way::new(client, server), Way::new(server, client));
    let (armed, noted) = (armed.clone(), struck.clone());
    std::thread::spawn(move || {
        while let Some(bytes) = up.read() {
            let has_group = bytes.windows(MARKER.len()).any(|window| window == MARKER);
            let fault = if has_group { armed.lock().unwrap().strike() } else { None };
            *noted.lock().unwrap() = fault;
            match fault {
                Some(Fault::CutBefore) => return up.cut(),
                Some(Fault::FreezeBefore) => {}
                Some(Fault::Refuse(code)) => up.answer(&error(code)),
                _ => up.write(&bytes),
            }
            if let Some(Fault::FreezeBefore | Fault::FreezeAfter) = fault {
                return up.swallow();
            }
        }
        up.cut();
    });
    std::thread::spawn(move || {
        while let Some(bytes) = down.read() {
            match struck.lock().unwrap().take() {
                Some(Fault::CutAfter) => return down.cut(),
                Some(Fault::FreezeAfter | Fault::FreezeBefore) => return down.swallow(),
                Some(Fault::Warn) => {
                    down.write(&notice());
                    down.write(&bytes);
                }
                Some(Fault::Deny(code)) => down.write(&error(code)),
                _ => down.write(&bytes),
            }
        }
        down.cut();
    });
}

/// One direction.
struct Way {
    from: TcpStream,
    to: TcpStream,
}

impl Way {
    fn new(from: &TcpStream, to: &TcpStream) -> Self {
        from.set_nodelay(true).unwrap();
        Self { from: from.try_clone().unwrap(), to: to.try_clone().unwrap() }
    }

    fn read(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 1 << 20];
        let count = self.from.read(&mut bytes).ok().filter(|count| *count > 0)?;
        bytes.truncate(count);
        Some(bytes)
    }

    fn write(&mut self, bytes: &[u8]) {
        drop(self.to.write_all(bytes));
    }

    fn answer(&mut self, bytes: &[u8]) {
        drop(self.from.write_all(bytes));
    }

    fn cut(&self) {
        drop(self.from.shutdown(Shutdown::Both));
        drop(self.to.shutdown(Shutdown::Both));
    }

    /// Lets nothing through until its sender goes away, and does not tell the other side then.
    fn swallow(&mut self) {
        while self.read().is_some() {}
    }
}

fn message(kind: u8, fields: &[(u8, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, text) in fields {
        body.push(*field);
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut message = vec![kind];
    message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    message.extend_from_slice(&body);
    message
}

fn error(code: &str) -> Vec<u8> {
    let fields = [(b'S', "ERROR"), (b'V', "ERROR"), (b'C', code), (b'M', "as the test wants it")];
    let mut bytes = message(b'E', &fields);
    bytes.extend_from_slice(&[b'Z', 0, 0, 0, 5, b'I']);
    bytes
}

fn notice() -> Vec<u8> {
    let text = "canceling wait for synchronous replication due to user request";
    message(b'N', &[(b'S', "WARNING"), (b'V', "WARNING"), (b'C', "01000"), (b'M', text)])
}
