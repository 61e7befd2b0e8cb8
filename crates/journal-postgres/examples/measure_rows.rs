//! What an append, a slice and a scan take, on a server of this machine that syncs.
#![expect(clippy::unwrap_used, reason = "a measurement stops where it fails")]

use std::time::{Duration, Instant};

use journal::{Journal, conformance};
use journal_postgres::{Database, Options, Url};
use postgres_server::{Durability, Server};

/// Bodies of 1, 64, 512 and 4,096 charges, about.
const BODIES: [usize; 4] = [110, 7_000, 56_000, 450_000];
const EACH: Duration = Duration::from_secs(3);

fn main() {
    let server = Server::start(Durability::Synced, &["max_wal_size=4GB"]);
    for bytes in BODIES {
        let url = Url::parse(&server.database().url(), |_| None).unwrap();
        let database = Database::connect(&url, Options { cache_bytes: 0, ..Options::default() }).unwrap();
        database.init([1; 16], 1).unwrap();
        let mut journal = database.open(0).unwrap();
        let body: Vec<u8> = (0..bytes).map(|at| (at * at / 7) as u8).collect();
        let (started, mut micros) = (Instant::now(), Vec::new());
        while started.elapsed() < EACH {
            let group = conformance::group(&journal.tail(), &body);
            let began = Instant::now();
            journal.append(&group).unwrap();
            micros.push(began.elapsed().as_micros());
        }
        let rate = micros.len() as f64 / started.elapsed().as_secs_f64();
        micros.sort_unstable();
        let (p50, p99) = (micros[micros.len() / 2], micros[micros.len() * 99 / 100]);

        let reader = journal.reader();
        let (began, mut slices, mut into) = (Instant::now(), 0u64, Vec::new());
        while began.elapsed() < EACH / 3 {
            into.clear();
            let position = 1 + slices * 7_919 % journal.tail().position;
            reader.slice(position, bytes / 2, 256, &mut into).unwrap();
            slices += 1;
        }
        let slice = began.elapsed().as_micros() as f64 / slices as f64;
        let began = Instant::now();
        let groups = reader.scan(1).unwrap().map(Result::unwrap).count();
        let scan = groups as f64 * bytes as f64 / began.elapsed().as_secs_f64() / 1e6;
        println!(
            "bodies of {bytes} B: {rate:.0} appends/s, p50 {p50} µs, p99 {p99} µs; slice {slice:.0} µs; \
             scan {scan:.0} MB/s, {:.0} groups/s",
            groups as f64 / began.elapsed().as_secs_f64()
        );
    }
}
