//! One connection: hyper on a socket, watched so that it cannot be held open for nothing.
//!
//! | a connection that | is closed after |
//! |---|---|
//! | has not sent its first request head, or has begun one and not finished it | the header timeout |
//! | waits between requests | the idle timeout |
//! | does not take its answer | the idle timeout |
//! | has sent nothing to answer when the server drains | 20 ms, in which a request is read that is there |
//!
//! The watch costs a request a few counters and no timer: each connection looks at its counters, and
//! at the age of the request in work, now and then, so a limit is kept to within a quarter of it.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tower::Service;

use crate::Config;
use crate::observe::LookedAt;
use crate::unread::ReadToEnd;

/// How all connections are served.
pub(crate) struct Protocol {
    builder: auto::Builder<TokioExecutor>,
    header_timeout: Duration,
    idle_timeout: Duration,
    body_time_max: Duration,
    /// Between two looks at a connection, which also poll the handler of an HTTP/1.1 request.
    period: Duration,
}

impl Protocol {
    pub(crate) fn new(config: &Config) -> Self {
        const HEAD_BYTES_MAX: u32 = 64 * 1024;
        const STREAMS_MAX: u32 = 256;
        const STREAM_WINDOW: u32 = 1024 * 1024;
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().max_buf_size(HEAD_BYTES_MAX as usize).header_read_timeout(None);
        builder
            .http2()
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEAD_BYTES_MAX)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(4 * STREAM_WINDOW);
        let shortest = config.header_timeout_ms.min(config.idle_timeout_ms).min(config.request_timeout_ms);
        Self {
            builder,
            header_timeout: Duration::from_millis(config.header_timeout_ms),
            idle_timeout: Duration::from_millis(config.idle_timeout_ms),
            body_time_max: config.body_time_max(),
            period: Duration::from_millis(shortest) / 4,
        }
    }

    /// Serves until the client leaves, a limit is reached, or the server drains and nothing is owed.
    pub(crate) async fn serve<I>(
        &self,
        io: I,
        peer: SocketAddr,
        routers: watch::Receiver<Router>,
        mut drain: watch::Receiver<bool>,
    ) where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let traffic = Arc::new(Traffic::default());
        let io = TokioIo::new(Counted { io, traffic: Arc::clone(&traffic) });
        let body_time_max = self.body_time_max;
        let handler = Handler { routers, peer, body_time_max, traffic: Arc::clone(&traffic) };
        let mut connection = pin!(self.builder.serve_connection(io, handler));
        let mut told = pin!(told_to_leave(&mut drain, Arc::clone(&traffic)));
        let mut watch = self.watch(traffic);
        let mut look = pin!(tokio::time::sleep(self.period));
        let mut draining = false;
        loop {
            tokio::select! {
                biased;
                // How a connection ended is the client's affair: resets and half requests are daily bread.
                _ = connection.as_mut() => return,
                () = look.as_mut() => {
                    let now = Instant::now();
                    if watch.is_over(now) {
                        return;
                    }
                    look.as_mut().reset((now + self.period).into());
                }
                () = told.as_mut(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                    if watch.traffic.requests.load(Relaxed) == 0 {
                        return;
                    }
                }
            }
        }
    }

    fn watch(&self, traffic: Arc<Traffic>) -> Watch {
        Watch {
            traffic,
            header_timeout: self.header_timeout,
            idle_timeout: self.idle_timeout,
            since: Instant::now(),
            answers: 0,
            bytes_written: 0,
        }
    }
}

/// Completes when the server drains and what this connection had sent by then has been read.
async fn told_to_leave(drain: &mut watch::Receiver<bool>, traffic: Arc<Traffic>) {
    /// The operating system tells of what has arrived well within this.
    const FIRST_READ: Duration = Duration::from_millis(20);
    // A server that is gone drains, too.
    _ = drain.wait_for(|&drain| drain).await;
    if traffic.requests.load(Relaxed) == 0 {
        tokio::time::sleep(FIRST_READ).await;
    }
}

/// What happened on a connection so far.
#[derive(Default)]
struct Traffic {
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    requests: AtomicU64,
    answers: AtomicU64,
    /// What had been read when the last answer was given: more than that begins the next head.
    bytes_read_at_answer: AtomicU64,
    http2: AtomicBool,
}

/// What a connection looked like when something last happened that keeps it alive.
struct Watch {
    traffic: Arc<Traffic>,
    header_timeout: Duration,
    idle_timeout: Duration,
    since: Instant,
    answers: u64,
    bytes_written: u64,
}

impl Watch {
    /// Whether the connection has used up one of its limits.
    fn is_over(&mut self, now: Instant) -> bool {
        let traffic = &self.traffic;
        let (answers, bytes_written) = (traffic.answers.load(Relaxed), traffic.bytes_written.load(Relaxed));
        let busy = traffic.requests.load(Relaxed) != answers;
        if busy || (answers, bytes_written) != (self.answers, self.bytes_written) {
            (self.since, self.answers, self.bytes_written) = (now, answers, bytes_written);
            return false;
        }
        let more = traffic.bytes_read.load(Relaxed) != traffic.bytes_read_at_answer.load(Relaxed);
        let head_is_due = answers == 0 || (more && !traffic.http2.load(Relaxed));
        let limit = if head_is_due { self.header_timeout } else { self.idle_timeout };
        now.duration_since(self.since) >= limit
    }
}

#[derive(Clone)]
struct Handler {
    /// A request keeps the one it came to.
    routers: watch::Receiver<Router>,
    peer: SocketAddr,
    body_time_max: Duration,
    traffic: Arc<Traffic>,
}

impl hyper::service::Service<Request<Incoming>> for Handler {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        self.traffic.requests.fetch_add(1, Relaxed);
        let mut request = if request.version() == Version::HTTP_2 {
            // Its streams are tasks of their own, which the connection's look does not reach.
            self.traffic.http2.store(true, Relaxed);
            request.map(Body::new)
        } else {
            let mut request = ReadToEnd::wrap(request, Instant::now() + self.body_time_max);
            request.extensions_mut().insert(LookedAt);
            request
        };
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let owed = Owed(Arc::clone(&self.traffic));
        let mut router = self.routers.borrow().clone();
        Answering { future: router.call(request), _owed: owed }
    }
}

pin_project! {
    struct Answering {
        #[pin]
        future: axum::routing::future::RouteFuture<Infallible>,
        _owed: Owed,
    }
}

/// An answer that is owed, until it is given or its request is given up.
struct Owed(Arc<Traffic>);

impl Drop for Owed {
    fn drop(&mut self) {
        self.0.bytes_read_at_answer.store(self.0.bytes_read.load(Relaxed), Relaxed);
        self.0.answers.fetch_add(1, Relaxed);
    }
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(context)
    }
}

/// A socket that counts.
struct Counted<I> {
    io: I,
    traffic: Arc<Traffic>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Counted<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(context, buffer);
        let read = buffer.filled().len() - before;
        self.traffic.bytes_read.fetch_add(read as u64, Relaxed);
        polled
    }
}

impl<I: AsyncWrite + Unpin> Counted<I> {
    fn count(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(written)) = polled {
            self.traffic.bytes_written.fetch_add(written as u64, Relaxed);
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Counted<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(context, bytes);
        self.count(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.count(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
