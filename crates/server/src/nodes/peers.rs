//! Connections to other nodes: HTTP/2, one for each node, made when needed and made again when lost.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use http_body_util::Full;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::certificate::Certificate;
use crate::TlsError;

/// Beyond it another node is not there.
const CONNECT_MAX: Duration = Duration::from_millis(700);
/// A connection is asked so often whether it lives, and is lost without an answer for twice as long.
const ALIVE_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Peers {
    tls: TlsConnector,
    kept: Mutex<HashMap<String, SendRequest<Full<Bytes>>>>,
}

/// Why a node gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the node is not reached")]
    NotSent,
    #[error("the connection was lost before the answer")]
    Unknown,
}

impl Peers {
    pub(super) fn new(certificate: &Certificate) -> Result<Self, TlsError> {
        Ok(Self { tls: TlsConnector::from(certificate.client()?), kept: Mutex::default() })
    }

    pub(super) async fn send(&self, address: &str, request: Request<Bytes>) -> Result<Response<Body>, Lost> {
        let mut sender = match self.kept(address) {
            Some(sender) => sender,
            None => self.connect(address).await?,
        };
        if sender.ready().await.is_err() {
            sender = self.connect(address).await?;
        }
        let answer = sender.send_request(request.map(Full::new)).await;
        answer.map(|response| response.map(Body::new)).map_err(|error| {
            tracing::debug!(address, %error, "a forwarded request was lost");
            if error.is_canceled() { Lost::NotSent } else { Lost::Unknown }
        })
    }

    fn kept(&self, address: &str) -> Option<SendRequest<Full<Bytes>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(address).filter(|sender| !sender.is_closed()).cloned()
    }

    async fn connect(&self, address: &str) -> Result<SendRequest<Full<Bytes>>, Lost> {
        let connected = tokio::time::timeout(CONNECT_MAX, self.handshake(address)).await;
        let sender = connected.map_err(|_| Lost::NotSent)?.map_err(|error| {
            tracing::debug!(address, %error, "a node is not reached");
            Lost::NotSent
        })?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, sender| !sender.is_closed());
        kept.insert(address.to_owned(), sender.clone());
        Ok(sender)
    }

    async fn handshake(&self, address: &str) -> std::io::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = self.tls.connect(Certificate::name(), stream).await?;
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(ALIVE_EVERY)
            .keep_alive_timeout(2 * ALIVE_EVERY)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(std::io::Error::other)?;
        // How it ends shows in the requests that are on it.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}
