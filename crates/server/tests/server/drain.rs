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
async fn drain_is_bounded() {
    let server = start(Config { drain_timeout_ms: 20, ..config() }).await;
    let mut working = connect(server.address).await;
    send(&mut working, "GET /wait", "").await;
    server.came.notified().await;
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
}
