//! The real server around a router, on a free port.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use server::{Config, Readiness, Server};
use tokio::sync::oneshot;

use crate::Client;

/// Serves until it is dropped.
pub struct TestServer {
    address: SocketAddr,
    url: String,
    _stop: oneshot::Sender<()>,
}

impl TestServer {
    pub async fn start(router: Router) -> Self {
        Self::with(router, Config { listen: "127.0.0.1:0".to_owned(), ..Config::default() }).await
    }

    /// With TLS; `data` gets the development certificate, at `tls/certificate.pem`.
    pub async fn start_tls(router: Router, data: &Path) -> Self {
        let config = Config {
            listen: "127.0.0.1:0".to_owned(),
            data: data.to_owned(),
            tls_self_signed: true,
            ..Config::default()
        };
        Self::with(router, config).await
    }

    async fn with(router: Router, config: Config) -> Self {
        let server = Server::new(config);
        server.health().set(Readiness::Ready);
        let listening = server.bind(router).await.expect("a port is free");
        let (address, url) = (listening.address(), listening.url().to_owned());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(listening.serve(async { stopped.await.unwrap_or(()) }));
        Self { address, url, _stop: stop }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:40123`
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }
}
