//! What a usage report costs those who charge: the same steady load alone, and beside a report of everything
//! that is asked for again and again.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::batch;
use super::latency::{Load, open_loop, quantile};
use super::server::{BEARER, Server};
use crate::workload::median;

#[derive(clap::Args)]
pub struct Arguments {
    /// Charges that the report is of, before anything is measured.
    #[arg(long, default_value_t = 2_000_000)]
    charges: usize,
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Charges a second of the steady load.
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    #[arg(long, default_value_t = 64)]
    connections: u64,
    /// Seconds a side and round.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[arg(long, default_value_t = 5)]
    rounds: u64,
}

pub fn run(arguments: &Arguments) {
    let server = Server::start();
    let accounts = server.open_accounts(arguments.accounts);
    let (charges, accounts_count) = (arguments.charges, arguments.accounts);
    let batch = charges.clamp(1, 1_000);
    let filling = batch::Arguments {
        accounts: accounts_count,
        charges,
        batch,
        connections: 4,
        rounds: 1,
        hot_children: 0,
    };
    batch::load(&[server.address], &accounts, &filling, charges, 0);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread starts");
    let mut figures: [[Vec<f64>; 2]; 2] = Default::default();
    let mut reported = Reported::default();
    for round in 0..arguments.rounds {
        // Which side is first changes, as a journal grows.
        for side in [round % 2, 1 - round % 2] {
            let seed = 1_000_000 * (1 + 2 * round + side);
            let Arguments { rate, seconds, connections, .. } = *arguments;
            let load = Load { rate, seconds, connections, seed };
            let is_over = AtomicBool::new(side == 0);
            let latencies = std::thread::scope(|scope| {
                let reports = scope.spawn(|| report_until(server.address, &is_over));
                let latencies = runtime.block_on(open_loop(&server, &accounts, &load));
                is_over.store(true, Ordering::Release);
                reported.add(&reports.join().expect("reports are whole"));
                latencies
            });
            for (figures, of) in figures[side as usize].iter_mut().zip([0.5, 0.99]) {
                figures.push(quantile(latencies.clone(), of).as_secs_f64() * 1e6);
            }
        }
    }
    let [alone, beside] = figures;
    for (name, (alone, beside)) in ["p50", "p99"].into_iter().zip(alone.into_iter().zip(beside)) {
        let ratios = alone.iter().zip(&beside).map(|(alone, beside)| beside / alone).collect();
        println!(
            "reports: {name} of {} charges/s: {:.0} µs alone, {:.0} µs beside reports: {:.2} ×",
            arguments.rate,
            median(alone),
            median(beside),
            median(ratios)
        );
    }
    println!(
        "reports: {} whole reports of {} charges and more, {:.1} s each, {} KiB in all",
        reported.count,
        charges,
        reported.time.as_secs_f64() / reported.count.max(1) as f64,
        reported.bytes / 1024
    );
}

#[derive(Default)]
struct Reported {
    count: u64,
    bytes: u64,
    time: Duration,
}

impl Reported {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.bytes += other.bytes;
        self.time += other.time;
    }
}

/// One report after the other; the last one is read to its end.
fn report_until(address: SocketAddr, is_over: &AtomicBool) -> Reported {
    let mut reported = Reported::default();
    while !is_over.load(Ordering::Acquire) {
        let started = Instant::now();
        reported.bytes += report(address);
        reported.count += 1;
        reported.time += started.elapsed();
    }
    reported
}

/// Everything told apart; how long the answer was.
fn report(address: SocketAddr) -> u64 {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    let path = "/api/v1/usage?by=day,account,product,credential&format=csv";
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {BEARER}\r\nconnection: close\r\n\r\n"
    )
    .expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server answers");
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer[..answer.len().min(200)])
    );
    assert!(answer.ends_with(b"0\r\n\r\n"), "a report breaks off");
    answer.len() as u64
}
