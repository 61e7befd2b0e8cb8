//! P2, P4, P8: batches of a thousand over HTTP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::server::{Server, TOKEN};
use super::wire::Connection;
use crate::workload::{Dice, median};

#[derive(clap::Args)]
pub struct Arguments {
    /// 10,000 for P2, 1,000,000 for P4.
    #[arg(long, default_value_t = 10_000)]
    pub(super) accounts: usize,
    #[arg(long, default_value_t = 5_000_000)]
    pub(super) charges: usize,
    #[arg(long, default_value_t = 1000)]
    pub(super) batch: usize,
    #[arg(long, default_value_t = 4)]
    pub(super) connections: usize,
    #[arg(long, default_value_t = 5)]
    pub(super) rounds: usize,
    /// Also one shared balance with this many children, beside the spread load (P8).
    #[arg(long, default_value_t = 0)]
    pub(super) hot_children: usize,
}

/// Measured on the reference machine with batches of 8,189: it cannot be installed from a registry.
const TIGERBEETLE: [(usize, f64); 2] = [(10_000, 369_000.0), (1_000_000, 128_000.0)];

pub fn run(arguments: &Arguments) {
    let server = Server::start();
    let spread = server.open_accounts(arguments.accounts);
    let hot = (arguments.hot_children > 0).then(|| server.open_shared(arguments.hot_children, &spread[0]));
    let charges = arguments.charges / arguments.rounds;
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let rate = load(&[server.address], &spread, arguments, charges, round * 2);
        rates.push(rate);
        if let Some(hot) = &hot {
            ratios.push(load(&[server.address], hot, arguments, charges, round * 2 + 1) / rate);
        }
    }
    let rate = median(rates);
    println!(
        "batch: {:.0} charges/s in batches of {} over {} connections, {} accounts",
        rate, arguments.batch, arguments.connections, arguments.accounts
    );
    if let Some((_, baseline)) = TIGERBEETLE.iter().find(|(accounts, _)| *accounts == arguments.accounts) {
        let budget = if arguments.accounts > 10_000 { "8, moonshot 15" } else { "3, moonshot 6" };
        println!(
            "batch: {:.2} × TigerBeetle's {baseline:.0} on the reference machine (budget {budget})",
            rate / baseline
        );
    }
    if hot.is_some() {
        println!(
            "batch: one shared balance with {} children: {:.2} × the spread load (budget 0.9)",
            arguments.hot_children,
            median(ratios)
        );
    }
}

/// Charges per second over all connections.
pub(super) fn load(
    addresses: &[SocketAddr],
    accounts: &[String],
    arguments: &Arguments,
    charges: usize,
    round: usize,
) -> f64 {
    let next = AtomicUsize::new(0);
    let batches = charges / arguments.batch;
    let started = Instant::now();
    std::thread::scope(|scope| {
        for connection in 0..arguments.connections {
            let next = &next;
            scope.spawn(move || {
                let mut dice = Dice::new((round * 1000 + connection) as u64 + 7);
                let mut connection = Connection::open(addresses[connection % addresses.len()], TOKEN);
                let mut body = Vec::new();
                while next.fetch_add(1, Ordering::Relaxed) < batches {
                    fill(&mut body, &mut dice, accounts, arguments.batch);
                    let answer = connection.post("/api/v1/charges", &body);
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    let done = memchr::memmem::find_iter(answer.body, b"{\"status\":201").count();
                    assert_eq!(done, arguments.batch, "{}", answer.text());
                }
            });
        }
    });
    (batches * arguments.batch) as f64 / started.elapsed().as_secs_f64()
}

/// A charge as most clients would write it, with gaps: writing it anew each time would cost the client
/// as much as the server.
const LINE: &[u8] = br#"{"account":"________","amount":"0.____","product":"tokens","quantity":"____","key":"________________"},"#;
const ACCOUNT: usize = 12;
const AMOUNT: usize = 34;
const QUANTITY: usize = 71;
const KEY: usize = 84;

fn fill(body: &mut Vec<u8>, dice: &mut Dice, accounts: &[String], batch: usize) {
    body.clear();
    body.push(b'[');
    for _ in 0..batch {
        let account = &accounts[dice.below(accounts.len())];
        let (units, quantity, key) = (1 + dice.below(9_999), 1_000 + dice.below(8_000), dice.next());
        let start = body.len();
        body.extend_from_slice(LINE);
        let line = &mut body[start..];
        line[ACCOUNT..ACCOUNT + 8].copy_from_slice(account.as_bytes());
        digits::<10>(&mut line[AMOUNT..AMOUNT + 4], units as u64);
        digits::<10>(&mut line[QUANTITY..QUANTITY + 4], quantity as u64);
        digits::<16>(&mut line[KEY..KEY + 16], key);
    }
    body.pop();
    body.push(b']');
}

fn digits<const BASE: u64>(into: &mut [u8], mut number: u64) {
    for digit in into.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number % BASE) as usize];
        number /= BASE;
    }
}
