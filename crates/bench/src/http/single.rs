//! P5: one charge a request over many connections, beside a bare echo of the same stack.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{Server, start};
use super::wire::{head, parse_head};
use crate::workload::{Dice, median};

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 64)]
    pub(super) connections: usize,
    #[arg(long, default_value_t = 10_000)]
    pub(super) accounts: usize,
    /// Seconds a side and round.
    #[arg(long, default_value_t = 3)]
    pub(super) seconds: u64,
    #[arg(long, default_value_t = 5)]
    pub(super) rounds: usize,
}

pub fn run(arguments: &Arguments) {
    let server = Server::start();
    let accounts = server.open_accounts(arguments.accounts);
    let here = std::env::current_exe().expect("a running program has a path");
    let (mut echo, echo_address) = start(Command::new(here).arg("echo"));
    let (mut rates, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let echoed = load(&[echo_address], &accounts, arguments, round * 2, 200);
        let rate = load(&[server.address], &accounts, arguments, round * 2 + 1, 201);
        bare.push(echoed);
        rates.push(rate);
        ratios.push(rate / echoed);
    }
    drop(echo.kill());
    drop(echo.wait());
    println!(
        "single: {:.0} charges/s over {} connections, bare echo {:.0}: {:.0} % (budget 60 %, moonshot 80 %)",
        median(rates),
        arguments.connections,
        median(bare),
        100.0 * median(ratios)
    );
}

/// Requests per second, all connections on one thread, one address after the other.
pub(super) fn load(
    addresses: &[SocketAddr],
    accounts: &[String],
    arguments: &Arguments,
    round: usize,
    expected: u16,
) -> f64 {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread starts");
    let started = Instant::now();
    let until = started + Duration::from_secs(arguments.seconds);
    let done: u64 = runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for connection in 0..arguments.connections {
            let address = addresses[connection % addresses.len()];
            let mut client = Client::open(address, (round * 1000 + connection) as u64).await;
            let accounts: Vec<String> =
                accounts.iter().skip(connection).step_by(arguments.connections).cloned().collect();
            tasks.spawn(async move {
                let mut done = 0;
                while Instant::now() < until {
                    let status = client.charge(&accounts).await;
                    assert_eq!(status, expected, "{}", client.text());
                    done += 1;
                }
                done
            });
        }
        tasks.join_all().await.into_iter().sum()
    });
    done as f64 / started.elapsed().as_secs_f64()
}

/// One connection that charges.
pub struct Client {
    stream: TcpStream,
    address: SocketAddr,
    dice: Dice,
    request: Vec<u8>,
    received: Vec<u8>,
}

impl Client {
    pub async fn open(address: SocketAddr, seed: u64) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        stream.set_nodelay(true).expect("loopback knows nodelay");
        Self { stream, address, dice: Dice::new(seed + 11), request: Vec::new(), received: Vec::new() }
    }

    /// One charge with a fresh key; the status of its answer.
    pub async fn charge(&mut self, accounts: &[String]) -> u16 {
        use std::io::Write;
        let account = &accounts[self.dice.below(accounts.len())];
        let (units, quantity, key) =
            (1 + self.dice.below(9_999), 1 + self.dice.below(8_000), self.dice.next());
        let body = format!(r#"{{"amount":"0.{units:04}","product":"tokens","quantity":"{quantity}"}}"#);
        let path = format!("/api/v1/accounts/{account}/charges");
        let head = head(&path, self.address, "a-token-for-measurements-only");
        self.request.clear();
        write!(self.request, "{head}{}\r\nidempotency-key: {key:016x}\r\n\r\n{body}", body.len())
            .expect("memory takes it");
        self.stream.write_all(&self.request).await.expect("the server reads");
        self.received.clear();
        loop {
            let count = self.stream.read_buf(&mut self.received).await.expect("the server answers");
            assert!(count > 0, "the server hung up");
            if let Some((status, start, length)) = parse_head(&self.received)
                && self.received.len() >= start + length
            {
                return status;
            }
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.received).unwrap_or("not text")
    }
}
