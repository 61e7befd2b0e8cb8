//! Several nodes on one database: what more of them bring, and what forwarding costs. All of it shares the
//! processors of one machine, so this says what the nodes add to the work, not what machines would add.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use postgres_server::{Durability, Server as Postgres};

use super::latency::{alone, quantile};
use super::server::Server;
use super::{batch, single};
use crate::workload::median;

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Charges a side and round, in batches of a thousand.
    #[arg(long, default_value_t = 200_000)]
    charges: usize,
    /// Connections that send batches.
    #[arg(long, default_value_t = 6)]
    connections: usize,
    /// Connections that send single charges.
    #[arg(long, default_value_t = 60)]
    single_connections: usize,
    /// Seconds a side and round, of single charges.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Requests of the one caller, a side and round.
    #[arg(long, default_value_t = 2_000)]
    requests: usize,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

const NODES: usize = 3;
/// What is measured has seeds of its own, and so keys of its own.
const SINGLES: usize = 1_000;
const ALONE: usize = 10_000_000;
/// Until every book is where it stays.
const SPREAD: Duration = Duration::from_secs(15);

pub fn run(arguments: &Arguments) {
    let postgres = Postgres::start(Durability::Synced, &["max_wal_size=4GB"]);
    let url = postgres.database().url();
    let options = ["--journal", &url, "--node-listen", "127.0.0.1:0"];
    let nodes: Vec<_> = (0..NODES).map(|_| Server::start_with(&options)).collect();
    let accounts = nodes[0].open_accounts(arguments.accounts);
    // The books are handed to those that came later. Then the one that leads the first book comes first here; the
    // others forward.
    let until = Instant::now() + SPREAD;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(left);
    }
    let mut addresses: Vec<_> = nodes.iter().map(|node| node.address).collect();
    addresses.sort_by_key(|address| !leads_first(*address));
    let load = Load { arguments, accounts };

    let sets = [&addresses[..1], &addresses[..2], &addresses[..3], &addresses[1..2]];
    let (mut batches, mut singles, mut waits) = (Rounds::default(), Rounds::default(), Rounds::default());
    for round in 0..arguments.rounds {
        let round = round * sets.len();
        batches.0.push(each(sets, |number, set| load.batches(set, round + number)));
        singles.0.push(each(sets, |number, set| load.singles(set, SINGLES + round + number)));
        waits.0.push(each([&addresses[..1], &addresses[1..2]], |number, set| {
            load.alone(set[0], (ALONE + round + number) as u64)
        }));
    }
    for (what, rounds) in [("batches of 1000", &batches), ("single charges", &singles)] {
        println!(
            "nodes: {what}: asked of the leader {:.0}/s; of two nodes {:.2} ×, of three {:.2} ×, all of a \
             follower {:.2} ×",
            rounds.median(0),
            rounds.ratio(1, 0),
            rounds.ratio(2, 0),
            rounds.ratio(3, 0)
        );
    }
    println!(
        "nodes: one caller: p50 {:.0} µs at the leader, {:.0} µs through a follower: {:.2} ×",
        waits.median(0),
        waits.median(1),
        waits.ratio(1, 0)
    );
}

fn each<const N: usize>(
    sets: [&[SocketAddr]; N],
    mut measure: impl FnMut(usize, &[SocketAddr]) -> f64,
) -> Vec<f64> {
    sets.iter().enumerate().map(|(number, set)| measure(number, set)).collect()
}

/// Figures of each round, side by side.
#[derive(Default)]
struct Rounds(Vec<Vec<f64>>);

impl Rounds {
    fn median(&self, side: usize) -> f64 {
        median(self.0.iter().map(|round| round[side]).collect())
    }

    fn ratio(&self, side: usize, to: usize) -> f64 {
        median(self.0.iter().map(|round| round[side] / round[to]).collect())
    }
}

struct Load<'a> {
    arguments: &'a Arguments,
    accounts: Vec<String>,
}

impl Load<'_> {
    fn batches(&self, addresses: &[SocketAddr], round: usize) -> f64 {
        let load = batch::Arguments {
            accounts: self.arguments.accounts,
            charges: self.arguments.charges,
            batch: 1000,
            connections: self.arguments.connections,
            rounds: 1,
            hot_children: 0,
        };
        batch::load(addresses, &self.accounts, &load, self.arguments.charges, round)
    }

    fn singles(&self, addresses: &[SocketAddr], round: usize) -> f64 {
        let load = single::Arguments {
            connections: self.arguments.single_connections,
            accounts: self.arguments.accounts,
            seconds: self.arguments.seconds,
            rounds: 1,
        };
        single::load(addresses, &self.accounts, &load, round, 201)
    }

    /// The median wait of one caller, in microseconds.
    fn alone(&self, address: SocketAddr, seed: u64) -> f64 {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread starts");
        let waits = runtime.block_on(alone(address, &self.accounts, self.arguments.requests, seed));
        quantile(waits, 0.5).as_secs_f64() * 1e6
    }
}

/// Whether a node says that it leads the book of the first organization.
fn leads_first(address: SocketAddr) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.lines().any(|line| line.starts_with("leading 0")))
}
