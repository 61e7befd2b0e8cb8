//! The server as a client sees it: spawned in process, on a free port.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod client;
mod drain;
mod limits;
mod requests;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use dialect::Body;
use server::{Config, Health, Metrics, Readiness, Server};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// A running server and what tests do to it.
struct Running {
    address: SocketAddr,
    url: String,
    health: Health,
    metrics: Metrics,
    /// A request to `/wait` tells that it came, and waits to be let go.
    came: Arc<Notify>,
    go: Arc<Notify>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

fn config() -> Config {
    Config { listen: "127.0.0.1:0".to_owned(), ..Config::default() }
}

async fn start(config: Config) -> Running {
    let server = Server::new(config);
    let (health, metrics) = (server.health().clone(), server.metrics().clone());
    health.set(Readiness::Ready);
    let (came, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let listening = server.bind(router(Arc::clone(&came), Arc::clone(&go))).await.unwrap();
    let (address, url) = (listening.address(), listening.url().to_owned());
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(listening.serve(async { stopped.await.unwrap_or(()) }));
    Running { address, url, health, metrics, came, go, stop, ended }
}

fn router(came: Arc<Notify>, go: Arc<Notify>) -> Router {
    let wait = async move || {
        came.notify_one();
        go.notified().await;
        "waited"
    };
    Router::new()
        .route("/echo", post(async |body: Body| body.bytes))
        .route("/names/{name}", get(async |path: axum::extract::Path<String>| path.0))
        .route("/bug", get(async || -> &str { panic!("a bug that a test looks for") }))
        .route("/deaf", post(async || "not read"))
        .route("/wait", get(wait))
}
