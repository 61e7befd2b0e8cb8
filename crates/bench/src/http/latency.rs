//! P6 and P7: how long one caller waits, and how long callers wait at half of what the server can take.

use std::io::{Seek, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::server::Server;
use super::single::Client;

#[derive(clap::Args)]
pub struct Arguments {
    /// Requests of the one caller.
    #[arg(long, default_value_t = 20_000)]
    requests: usize,
    /// Charges a second of the open loop: half of what `single` measures.
    #[arg(long, default_value_t = 15_000)]
    rate: u64,
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    #[arg(long, default_value_t = 64)]
    connections: u64,
}

pub fn run(arguments: &Arguments) {
    let server = Server::start();
    let accounts = server.open_accounts(1_000);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread starts");
    let syncs = sync_latencies(server.place.path(), arguments.requests.min(5_000));
    let alone = runtime.block_on(alone(server.address, &accounts, arguments.requests, 1));
    let (sync, alone) = (quantile(syncs, 0.5), quantile(alone, 0.5));
    println!(
        "latency: one connection p50 {} µs, 4 KiB fdatasync p50 {} µs: {:.2} × (budget 2.2, moonshot 1.6)",
        alone.as_micros(),
        sync.as_micros(),
        alone.as_secs_f64() / sync.as_secs_f64()
    );
    let Arguments { rate, seconds, connections, .. } = *arguments;
    let load = Load { rate, seconds, connections, seed: 1_000 };
    let open = runtime.block_on(open_loop(&server, &accounts, &load));
    println!(
        "latency: open loop of {} charges/s over {} connections: p50 {} µs, p99 {} µs, p99.9 {} µs (p99 budget 5 ms, moonshot 2 ms)",
        arguments.rate,
        arguments.connections,
        quantile(open.clone(), 0.5).as_micros(),
        quantile(open.clone(), 0.99).as_micros(),
        quantile(open, 0.999).as_micros()
    );
}

/// How long each of one caller's requests takes. Every call has a seed of its own, or its keys are known.
pub(super) async fn alone(
    address: SocketAddr,
    accounts: &[String],
    requests: usize,
    seed: u64,
) -> Vec<Duration> {
    let mut client = Client::open(address, seed).await;
    let mut latencies = Vec::with_capacity(requests);
    for _ in 0..requests {
        let started = Instant::now();
        assert_eq!(client.charge(accounts).await, 201);
        latencies.push(started.elapsed());
    }
    latencies
}

/// So many charges a second, whatever the server does.
pub(super) struct Load {
    pub(super) rate: u64,
    pub(super) seconds: u64,
    pub(super) connections: u64,
    /// Another for every load of one server, or its keys are known.
    pub(super) seed: u64,
}

/// Each connection has its own schedule. A request that its connection could not send in time counts from
/// when it was due, so a stall is not hidden; a timer's own lateness is not the server's.
pub(super) async fn open_loop(server: &Server, accounts: &[String], load: &Load) -> Vec<Duration> {
    let step = Duration::from_nanos(1_000_000_000 * load.connections / load.rate);
    let begin = Instant::now() + Duration::from_millis(100);
    let until = begin + Duration::from_secs(load.seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..load.connections {
        let mut client = Client::open(server.address, load.seed + connection).await;
        let accounts = accounts.to_vec();
        let mut due = begin + step * connection as u32 / load.connections as u32;
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while due < until {
                let late = Instant::now() > due;
                if !late {
                    tokio::time::sleep_until(due.into()).await;
                }
                let started = if late { due } else { Instant::now() };
                assert_eq!(client.charge(&accounts).await, 201);
                latencies.push(started.elapsed());
                due += step;
            }
            latencies
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// What the disk alone takes, in the server's own directory.
fn sync_latencies(place: &Path, count: usize) -> Vec<Duration> {
    let mut file = std::fs::File::create(place.join("baseline")).expect("the directory is writable");
    file.write_all(&vec![0; 1 << 22]).and_then(|()| file.sync_all()).expect("the disk takes it");
    let block = [7; 4096];
    let mut latencies = Vec::with_capacity(count);
    for number in 0..count {
        let at = (number as u64 % 1024) * 4096;
        let started = Instant::now();
        file.seek(std::io::SeekFrom::Start(at))
            .and_then(|_| file.write_all(&block))
            .expect("the disk takes it");
        file.sync_data().expect("the disk takes it");
        latencies.push(started.elapsed());
    }
    latencies
}

pub(super) fn quantile(mut latencies: Vec<Duration>, quantile: f64) -> Duration {
    latencies.sort();
    latencies[((latencies.len() - 1) as f64 * quantile) as usize]
}
