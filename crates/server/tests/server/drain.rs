use server::{Config, Readiness};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{closed, connect, exchange, receive, send};
use crate::{config, start};

#[tokio::test]
async fn drain_finishes_what_was_accepted_and_refuses_what_is_new() {
    let server = start(config()).await;
    let mut working = connect(server.address).await;
    send(&mut working, "GET /wait", "").await;
    server.came.notified().await;
    let mut idle = connect(server.address).await;
    assert_eq!(exchange(&mut idle, "GET /names/x", "").await.status, 200);
    let mut silent = connect(server.address).await;
    silent.write_all(b"GET /na").await.unwrap();

    server.stop.send(()).unwrap();
    assert_eq!(closed(&mut idle).await, "");
    assert_eq!(closed(&mut silent).await, "");
    assert_eq!(server.health.readiness(), Readiness::Draining);
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.ended.is_finished());

    server.go.notify_one();
    let answer = receive(&mut working).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "waited"));
    assert_eq!(answer.header("connection"), Some("close"));
    server.ended.await.unwrap();
}

#[tokio::test]
async fn during_the_pause_probes_are_told_and_everybody_is_served() {
    let server = start(Config { drain_pause_ms: 600_000, ..config() }).await;
    let mut before = connect(server.address).await;
    assert_eq!(exchange(&mut before, "GET /readyz", "").await.status, 200);
    server.stop.send(()).unwrap();
    let mut told = 200;
    while told == 200 {
        told = exchange(&mut before, "GET /readyz", "").await.status;
    }
    assert_eq!(told, 503);
    let mut after = connect(server.address).await;
    for stream in [&mut before, &mut after] {
        let answer = exchange(stream, "GET /names/x", "").await;
        assert_eq!((answer.status, answer.header("connection")), (200, None));
    }
    assert!(!server.ended.is_finished());
}

#[tokio::test]
async fn what_came_during_the_pause_is_answered_behind_it() {
    let server = start(Config { drain_pause_ms: 50, ..config() }).await;
    server.stop.send(()).unwrap();
    let mut working = connect(server.address).await;
    send(&mut working, "GET /wait", "").await;
    server.came.notified().await;
    let mut idle = connect(server.address).await;
    assert_eq!(closed(&mut idle).await, "", "the pause is over");
    assert!(TcpStream::connect(server.address).await.is_err());
    server.go.notify_one();
    assert_eq!(receive(&mut working).await.body, "waited");
    server.ended.await.unwrap();
}

/// The test's one thread: nothing is accepted between the connections and the stop.
#[tokio::test]
async fn who_connected_before_the_socket_closed_is_answered() {
    let server = start(config()).await;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        std::io::Write::write_all(&mut stream, b"GET /names/x HTTP/1.1\r\nhost: t\r\n\r\n").unwrap();
        waiting.push(stream);
    }
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
    for mut stream in waiting {
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
}

#[tokio::test]
async fn drain_is_bounded() {
    let server = start(Config { drain_timeout_ms: 20, ..config() }).await;
    let mut working = connect(server.address).await;
    send(&mut working, "GET /wait", "").await;
    server.came.notified().await;
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
}
