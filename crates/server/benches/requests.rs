//! What our layer and listener cost: `cargo bench -p server`.
//!
//! One request of the size of a charge per round trip over 64 connections, echoed by a bare server of
//! the same stack and by ours, in turns; the figure is the median of the ratios per round.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use dialect::Body;
use server::{Config, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 40;
const ROUND: Duration = Duration::from_millis(300);
const CHARGE: &str =
    r#"{"account":"e8ab113c","amount":"0.0012","product":"tokens","quantity":"120","key":"b6e5b6a0"}"#;

fn main() {
    let (servers, clients) = (runtime(), runtime());
    let (bare, ours) = (servers.block_on(bare()), servers.block_on(ours()));
    compare("answered at once", &clients, &bare, &ours, "/echo");
    compare("waiting once, as for the journal", &clients, &bare, &ours, "/wait");
}

fn compare(what: &str, clients: &Runtime, bare: &str, ours: &str, path: &'static str) {
    let round = |_| (clients.block_on(load(bare, path)), clients.block_on(load(ours, path)));
    let (bare, ours): (Vec<Load>, Vec<Load>) = (0..ROUNDS).map(round).unzip();
    let ratio = median(bare.iter().zip(&ours).map(|(bare, ours)| ours.per_second / bare.per_second));
    let (bare_speed, ours_speed) = (best_speed(&bare), best_speed(&ours));
    let cost = least_time(&ours) - least_time(&bare);
    println!("{what}: bare {bare_speed:.0}/s, ours {ours_speed:.0}/s at best; median ratio {ratio:.3}");
    println!("    {cost:.2} µs of processor more per request, {:.2} µs at best", least_time(&ours));
}

fn best_speed(loads: &[Load]) -> f64 {
    loads.iter().map(|load| load.per_second).fold(0.0, f64::max)
}

fn least_time(loads: &[Load]) -> f64 {
    loads.iter().map(|load| load.processor_us).fold(f64::INFINITY, f64::min)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What one server did in one round. The time is that of both sides, so only differences mean something.
struct Load {
    per_second: f64,
    processor_us: f64,
}

/// Nanoseconds that the threads of this process have run so far.
fn processor_ns() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux keeps it").flatten();
    let run = |thread: std::fs::DirEntry| {
        let line = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        line.split(' ').next()?.parse::<f64>().ok()
    };
    threads.filter_map(run).sum()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

async fn bare() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let wait = async |body: Bytes| {
        tokio::task::yield_now().await;
        body
    };
    let router = Router::new().route("/echo", post(async |body: Bytes| body)).route("/wait", post(wait));
    tokio::spawn(async move {
        _ = axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| _ = stream.set_nodelay(true)),
            router,
        )
        .await;
    });
    address
}

async fn ours() -> String {
    let config = Config { listen: "127.0.0.1:0".to_owned(), ..Config::default() };
    let wait = async |body: Body| {
        tokio::task::yield_now().await;
        body.bytes
    };
    let router = Router::new().route("/echo", post(async |body: Body| body.bytes)).route("/wait", post(wait));
    let listening = Server::new(config).bind(router).await.expect("a free port");
    let address = listening.address().to_string();
    tokio::spawn(listening.serve(std::future::pending()));
    address
}

async fn load(address: &str, path: &'static str) -> Load {
    let (start, before) = (Instant::now(), processor_ns());
    let clients: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(client(address.to_owned(), path))).collect();
    let mut answered = 0;
    for client in clients {
        answered += client.await.expect("no client fails");
    }
    let answered = answered as f64;
    Load {
        per_second: answered / start.elapsed().as_secs_f64(),
        processor_us: (processor_ns() - before) / 1000.0 / answered,
    }
}

async fn client(address: String, path: &'static str) -> u64 {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         authorization: Bearer 0123456789abcdef\r\ncontent-length: {}\r\n\r\n{CHARGE}",
        CHARGE.len()
    );
    let mut stream = TcpStream::connect(&address).await.expect("it listens");
    stream.set_nodelay(true).expect("a socket");
    let (start, mut answered, mut buffer) = (Instant::now(), 0, [0; 2048]);
    while start.elapsed() < ROUND {
        stream.write_all(request.as_bytes()).await.expect("it is open");
        let mut filled = 0;
        while !buffer[..filled].ends_with(CHARGE.as_bytes()) {
            let read = stream.read(&mut buffer[filled..]).await.expect("it is open");
            assert!(read > 0, "the server closed a connection");
            filled += read;
        }
        answered += 1;
    }
    answered
}
