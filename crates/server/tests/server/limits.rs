use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::Config;
use tokio::io::AsyncWriteExt;

use crate::client::{ask, closed, connect, exchange, receive, send};
use crate::{config, start};

#[tokio::test]
async fn oversize_bodies_are_refused() {
    let server = start(Config { body_bytes_max: 10, ..config() }).await;
    assert_eq!(ask(server.address, "POST /echo", "1234567890").await.body, "1234567890");
    let answer = ask(server.address, "POST /echo", "12345678901").await;
    assert_eq!((answer.status, answer.header("content-type")), (413, Some("application/problem+json")));

    // The same when nothing announces the size.
    let mut stream = connect(server.address).await;
    let request =
        b"POST /echo HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert_eq!(receive(&mut stream).await.status, 413);
}

#[tokio::test]
async fn a_body_that_drips_is_given_up() {
    let server = start(Config { request_timeout_ms: 60, ..config() }).await;
    let mut stream = connect(server.address).await;
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\n\r\n1").await.unwrap();
    assert_eq!(receive(&mut stream).await.status, 408);
}

#[tokio::test]
async fn a_body_that_nobody_reads_costs_no_connection() {
    let server = start(config()).await;
    let mut stream = connect(server.address).await;
    for form in ["content-length: 9", "transfer-encoding: chunked"] {
        // The answer does not wait for the body, and the next request comes behind it.
        let head = format!("POST /deaf HTTP/1.1\r\nhost: t\r\n{form}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(receive(&mut stream).await.body, "not read", "{form}");
        let body = if form.contains("chunked") { "4\r\nbody\r\n0\r\n\r\n" } else { "nine byte" };
        stream.write_all(body.as_bytes()).await.unwrap();
        assert_eq!(exchange(&mut stream, "GET /names/x", "").await.body, "x", "{form}");
    }
    let half = "x".repeat(60 * 1024);
    assert_eq!(exchange(&mut stream, "POST /deaf", &half).await.body, "not read");
    assert_eq!(exchange(&mut stream, "GET /names/x", "").await.body, "x");
}

#[tokio::test]
async fn an_unread_body_that_is_large_or_late_ends_the_connection() {
    let limits = Config { request_timeout_ms: 60, header_timeout_ms: 60_000, ..config() };
    let server = start(limits).await;
    for head in [
        "content-length: 70000\r\n\r\n",
        "content-length: 9\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n",
        "content-length: 9\r\nexpect: 100-continue\r\n\r\n",
    ] {
        let mut stream = connect(server.address).await;
        let request = format!("POST /deaf HTTP/1.1\r\nhost: t\r\n{head}");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(receive(&mut stream).await.body, "not read", "{head}");
        assert_eq!(closed(&mut stream).await, "", "{head}");
    }
}

#[tokio::test]
async fn a_request_that_is_not_answered_in_time_says_so() {
    let server = start(Config { request_timeout_ms: 30, ..config() }).await;
    let answer = ask(server.address, "GET /wait", "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("not answered in time; the outcome is unknown"), "{}", answer.body);
}

#[tokio::test]
async fn streams_of_http2_have_the_same_limit() {
    let server = start(Config { request_timeout_ms: 30, ..config() }).await;
    let io = TokioIo::new(connect(server.address).await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://test/wait").body(axum::body::Body::empty()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 503);
}

#[tokio::test]
async fn slow_heads_are_cut_off() {
    let server = start(Config { header_timeout_ms: 40, ..config() }).await;
    for begun in ["", "P", "GET /names/x HTTP/1.1\r\nhost: t\r\nx-slow: "] {
        let mut stream = connect(server.address).await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(closed(&mut stream).await, "", "{begun}");
    }
    // Dripping on does not help.
    let mut stream = connect(server.address).await;
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    // Neither does a good request before.
    let mut stream = connect(server.address).await;
    assert_eq!(exchange(&mut stream, "GET /names/x", "").await.status, 200);
    stream.write_all(b"GET /names/x HTTP/1.1\r\n").await.unwrap();
    assert_eq!(closed(&mut stream).await, "");
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let server = start(Config { idle_timeout_ms: 40, ..config() }).await;
    let mut stream = connect(server.address).await;
    assert_eq!(exchange(&mut stream, "GET /names/x", "").await.status, 200);
    assert_eq!(closed(&mut stream).await, "");
}

#[tokio::test]
async fn a_request_in_work_is_not_idle() {
    let limits = Config { idle_timeout_ms: 20, header_timeout_ms: 20, ..config() };
    let server = start(limits).await;
    let mut stream = connect(server.address).await;
    send(&mut stream, "GET /wait", "").await;
    server.came.notified().await;
    tokio::time::sleep(std::time::Duration::from_millis(80)).await;
    server.go.notify_one();
    assert_eq!(receive(&mut stream).await.body, "waited");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let server = start(Config { connections_max: 1, ..config() }).await;
    let mut first = connect(server.address).await;
    assert_eq!(exchange(&mut first, "GET /names/x", "").await.status, 200);
    let mut second = connect(server.address).await;
    send(&mut second, "GET /names/y", "").await;
    let answered = tokio::time::timeout(std::time::Duration::from_millis(30), second.readable()).await;
    assert!(answered.is_err(), "the second connection was let in");
    drop(first);
    assert_eq!(receive(&mut second).await.body, "y");
}

#[tokio::test]
async fn heads_are_bounded() {
    let server = start(config()).await;
    let head = format!("GET /names/x\nx-long: {}", "x".repeat(100_000));
    let mut stream = connect(server.address).await;
    let request = format!("{}\r\n\r\n", head.replace('\n', " HTTP/1.1\r\n"));
    _ = stream.write_all(request.as_bytes()).await;
    assert!(closed(&mut stream).await.starts_with("HTTP/1.1 431"));
}
