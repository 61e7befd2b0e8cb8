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
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_secs(2);
const CHARGE: &str =
    r#"{"account":"e8ab113c","amount":"0.0012","product":"tokens","quantity":"120","key":"b6e5b6a0"}"#;

fn main() {
    let (servers, clients) = (runtime(), runtime());
    let bare = servers.block_on(bare());
    let ours = servers.block_on(ours());
    let (mut ratios, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = clients.block_on(load(&bare));
        let ours = clients.block_on(load(&ours));
        println!("bare {bare:>9.0} requests/s   ours {ours:>9.0} requests/s   {:.3}", ours / bare);
        ratios.push(ours / bare);
        costs.push(1e6 / ours - 1e6 / bare);
    }
    println!("median ratio {:.3}, {:.2} µs per request", median(&mut ratios), median(&mut costs));
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn bare() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let router = Router::new().route("/echo", post(async |body: Bytes| body));
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
    let router = Router::new().route("/echo", post(async |body: Body| body.bytes));
    let listening = Server::new(config).bind(router).await.expect("a free port");
    let address = listening.address().to_string();
    tokio::spawn(listening.serve(std::future::pending()));
    address
}

/// Requests per second.
async fn load(address: &str) -> f64 {
    let start = Instant::now();
    let clients: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(client(address.to_owned()))).collect();
    let mut answered = 0;
    for client in clients {
        answered += client.await.expect("no client fails");
    }
    answered as f64 / start.elapsed().as_secs_f64()
}

async fn client(address: String) -> u64 {
    let request = format!(
        "POST /echo HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
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
