//! A server process of our own, on a fresh directory and a free port.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::wire::Connection;

pub const TOKEN: &str = "a-token-for-measurements-only";
/// Connections that open accounts.
const OPENING: usize = 16;

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Removed with the server.
    pub place: tempfile::TempDir,
}

/// The program beside this one: both are built by one command.
pub fn sibling(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("a running program has a path");
    let path = here.with_file_name(name);
    assert!(path.exists(), "{} is not built: cargo build --release -p cli -p bench", path.display());
    path
}

/// Starts a program and waits for the address it prints.
pub fn start(command: &mut Command) -> (Child, SocketAddr) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
    let output = child.stdout.take().expect("it was piped");
    for line in BufReader::new(output).lines() {
        let line = line.expect("it prints text");
        if let Some(url) = line.strip_prefix("listening on http://") {
            return (child, url.parse().expect("an address"));
        }
    }
    drop(child.wait());
    panic!("the program ended before it listened");
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further options.
    pub fn start_with(options: &[&str]) -> Self {
        let place = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(sibling("bursar"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(place.path())
            .args(options)
            .env("BURSAR_OPERATOR_TOKEN", TOKEN);
        let (child, address) = start(&mut command);
        Self { child, address, place }
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.address, TOKEN)
    }

    /// Opens accounts with plenty of credit; their api keys.
    pub fn open_accounts(&self, count: usize) -> Vec<String> {
        let body = r#"{"name":"measured","currency":"EUR","credit_limit":"1000000000"}"#;
        self.open(count, body)
    }

    /// Opens children that share `parent`'s balance; their api keys.
    pub fn open_shared(&self, count: usize, parent: &str) -> Vec<String> {
        self.open(count, &format!(r#"{{"name":"measured","parent":"{parent}","shared":true}}"#))
    }

    fn open(&self, count: usize, body: &str) -> Vec<String> {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..OPENING)
                .map(|_| {
                    scope.spawn(|| {
                        let mut connection = self.connect();
                        let mut keys = Vec::new();
                        while next.fetch_add(1, Ordering::Relaxed) < count {
                            let answer = connection.post("/api/v1/accounts", body.as_bytes());
                            assert_eq!(answer.status, 201, "{}", answer.text());
                            keys.push(answer.field("api_key").to_owned());
                        }
                        keys
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("opening does not panic")).collect()
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
