//! From a router to a running server, and to its end.

use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use dialect::Problem;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::connection::Protocol;
use crate::tls::{self, TlsError};
use crate::{Config, Health, Metrics, Observe, Readiness};

/// A server that is configured and not yet listening.
pub struct Server {
    config: Config,
    health: Health,
    metrics: Metrics,
}

/// A server with its socket.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    url: String,
    health: Health,
    drain_pause: Duration,
    drain_timeout: Duration,
    door: Arc<Door>,
}

/// What a connection needs to be let in.
struct Door {
    routers: watch::Receiver<Router>,
    protocol: Protocol,
    tls: Option<TlsAcceptor>,
    tls_timeout: Duration,
    metrics: Metrics,
    connections_max: u32,
    places: Arc<Semaphore>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen on {address}")]
    Bind { address: String, source: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("signals cannot be handled")]
    Signals(#[source] io::Error),
}

impl Server {
    pub fn new(config: Config) -> Self {
        Self { config, health: Health::starting(), metrics: Metrics::new() }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Set to [`Readiness::Ready`] by whoever knows that work can be done.
    pub fn health(&self) -> &Health {
        &self.health
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Listens, says so on standard output, and serves until `stop` completes and the rest is answered.
    pub async fn run(self, router: Router, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let listening = self.bind(router).await?;
        listening.announce();
        listening.serve(stop).await;
        Ok(())
    }

    /// Takes the socket and the certificate. Nothing is accepted before [`Listening::serve`].
    pub async fn bind(self, router: Router) -> Result<Listening, ServeError> {
        let router = self.surrounding().around(router);
        self.bind_changing(watch::channel(router).1).await
    }

    /// The same, where the router is another one from time to time. They come surrounded.
    pub(crate) async fn bind_changing(
        self,
        routers: watch::Receiver<Router>,
    ) -> Result<Listening, ServeError> {
        let tls = tls::server_config(&self.config)?.map(TlsAcceptor::from);
        self.bind_at(&self.config.listen, tls, routers).await
    }

    pub(crate) async fn bind_at(
        &self,
        address: &str,
        tls: Option<TlsAcceptor>,
        routers: watch::Receiver<Router>,
    ) -> Result<Listening, ServeError> {
        let bind_error = |source| ServeError::Bind { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let door = Door {
            routers,
            protocol: Protocol::new(&self.config),
            tls,
            tls_timeout: Duration::from_millis(self.config.header_timeout_ms),
            metrics: self.metrics.clone(),
            connections_max: self.config.connections_max,
            places: Arc::new(Semaphore::new(self.config.connections_max as usize)),
        };
        Ok(Listening {
            listener,
            address,
            url: format!("{scheme}://{address}"),
            health: self.health.clone(),
            drain_pause: Duration::from_millis(self.config.drain_pause_ms),
            drain_timeout: Duration::from_millis(self.config.drain_timeout_ms),
            door: Arc::new(door),
        })
    }

    pub(crate) fn surrounding(&self) -> Surrounding {
        let Self { config, health, metrics } = self;
        Surrounding { config: config.clone(), health: health.clone(), metrics: metrics.clone() }
    }
}

/// What is there besides the dialects, and the layer around all of it.
pub(crate) struct Surrounding {
    config: Config,
    health: Health,
    metrics: Metrics,
}

impl Surrounding {
    /// Around a router that leaves some paths to nobody.
    pub(crate) fn around(&self, router: Router) -> Router {
        let router = router
            .fallback(async || {
                Problem::of(StatusCode::NOT_FOUND).with_detail("nothing is served at this path")
            })
            .method_not_allowed_fallback(async || Problem::of(StatusCode::METHOD_NOT_ALLOWED));
        self.around_all(router)
    }

    /// Around a router that answers at every path.
    pub(crate) fn around_all(&self, router: Router) -> Router {
        let mut router = router.merge(self.health.routes());
        if self.config.metrics {
            router = router.merge(self.metrics.routes());
        }
        router.layer(Observe::new(&self.config, &self.metrics))
    }
}

impl Listening {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:8080`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The line that scripts wait for. That nobody reads it is no reason to stop.
    pub(crate) fn announce(&self) {
        let mut out = io::stdout().lock();
        _ = writeln!(out, "listening on {}", self.url).and_then(|()| out.flush());
    }

    /// Serves until `stop` completes and the pause is over, then answers what was accepted, within the
    /// drain timeout.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let (drain, draining) = watch::channel(false);
        let door = &self.door;
        let stop = async {
            stop.await;
            self.health.set(Readiness::Draining);
            if !self.drain_pause.is_zero() {
                tokio::time::sleep(self.drain_pause).await;
            }
        };
        tokio::select! {
            biased;
            () = stop => {}
            () = accept(&self.listener, door, &draining) => {}
        }
        // From here on new connections are refused.
        accept_last(self.listener, door, &draining);
        drain.send_replace(true);
        let all_places = door.places.acquire_many(door.connections_max);
        if timeout(self.drain_timeout, all_places).await.is_err() {
            tracing::warn!("requests were still unanswered at the end of the drain timeout");
        }
    }
}

/// Lets connections in, for as long as there are places. Never ends by itself.
async fn accept(listener: &TcpListener, door: &Arc<Door>, draining: &watch::Receiver<bool>) {
    /// Out of file descriptors, most likely: others have to leave first.
    const PAUSE: Duration = Duration::from_millis(50);
    loop {
        let place = Arc::clone(&door.places).acquire_owned().await.expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(Arc::clone(door).admit(stream, peer, draining.clone(), place));
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Closes the socket. Who connected before it closes, and was not let in yet, still gets an answer.
fn accept_last(listener: TcpListener, door: &Arc<Door>, draining: &watch::Receiver<bool>) {
    let Ok(listener) = listener.into_std() else { return };
    while let Ok(place) = Arc::clone(&door.places).try_acquire_owned() {
        let Ok((stream, peer)) = listener.accept() else { return };
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        if let Ok(stream) = stream {
            tokio::spawn(Arc::clone(door).admit(stream, peer, draining.clone(), place));
        }
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl Door {
    async fn admit(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        draining: watch::Receiver<bool>,
        _place: OwnedSemaphorePermit,
    ) {
        let _open = Open::new(&self.metrics);
        // Answers are small and whole: waiting to fill a packet would only delay them.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let routers = self.routers.clone();
        let Some(tls) = &self.tls else {
            return self.protocol.serve(stream, peer, routers, draining).await;
        };
        match timeout(self.tls_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.protocol.serve(stream, peer, routers, draining).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS handshake"),
            Err(_) => tracing::debug!(%peer, "no TLS handshake in time"),
        }
    }
}

/// Counts a connection while it is open.
struct Open<'a>(&'a Metrics);

impl<'a> Open<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        metrics.connections().inc();
        Self(metrics)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections().dec();
    }
}

/// Completes when the process is told to stop: SIGTERM, or SIGINT from a terminal.
///
/// The handlers are in place when this returns, so nothing is missed between here and waiting.
pub fn stop_signal() -> Result<impl Future<Output = ()>, ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
