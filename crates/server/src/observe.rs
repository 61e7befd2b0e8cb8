//! The one layer around every request.
//!
//! | it gives | so that |
//! |---|---|
//! | an id, also in the answer | caller, log and support speak of the same request |
//! | a time limit | nothing waits for ever |
//! | a wall for panics | a bug fails one request |
//! | counters, a duration, a line of log | an operator sees what happens |

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use dialect::{Arrival, Once, Problem, REQUEST_ID, RequestId};
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;
use tokio::time::Sleep;
use tower::{Layer, Service};

use crate::metrics::{RouteMetrics, method_index};
use crate::{Config, Metrics};

/// Added by [`crate::Server`] to every route it is given.
#[derive(Clone)]
pub struct Observe(Arc<Shared>);

struct Shared {
    metrics: Metrics,
    unmatched: Arc<RouteMetrics>,
    body_bytes_max: usize,
    request_timeout: Duration,
    body_time_max: Duration,
    slow: Duration,
}

impl Observe {
    pub fn new(config: &Config, metrics: &Metrics) -> Self {
        let slow = if config.log_slow_ms == 0 { u64::MAX } else { config.log_slow_ms };
        Self(Arc::new(Shared {
            metrics: metrics.clone(),
            unmatched: metrics.route("unmatched"),
            body_bytes_max: config.body_bytes_max,
            request_timeout: config.request_timeout(),
            body_time_max: config.body_time_max(),
            slow: Duration::from_millis(slow),
        }))
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, shared: Arc::clone(&self.0) }
    }
}

/// Marks a request whose answer is polled now and then by its connection, whatever happens. It needs
/// no timer of its own, which would cost more than all else in this layer.
#[derive(Clone, Copy)]
pub(crate) struct LookedAt;

#[derive(Clone)]
pub struct Observed<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S: Service<Request, Response = Response>> Service<Request> for Observed<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Observation<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Observation<S::Future> {
        let started = Instant::now();
        let request_id = RequestId::of(request.headers());
        let route = match request.extensions().get::<MatchedPath>() {
            Some(path) => self.shared.metrics.route(path.as_str()),
            None => Arc::clone(&self.shared.unmatched),
        };
        let arrival = Arrival {
            request_id: request_id.clone(),
            address: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip()),
            body_bytes_max: self.shared.body_bytes_max,
            body_time_max: self.shared.body_time_max,
            once: request.extensions().get::<Once>().cloned(),
        };
        let looked_at = request.extensions().get::<LookedAt>().is_some();
        Observation {
            method: request.method().clone(),
            deadline: (!looked_at).then(|| tokio::time::sleep(self.shared.request_timeout)),
            handler: arrival.around(self.inner.call(request)),
            record: Record { started, request_id, route, shared: Arc::clone(&self.shared) },
        }
    }
}

pin_project! {
    /// The answer to one request, on its way.
    pub struct Observation<F> {
        #[pin]
        handler: TaskLocalFuture<Arrival, F>,
        #[pin]
        deadline: Option<Sleep>,
        method: Method,
        record: Record,
    }
}

struct Record {
    started: Instant,
    request_id: RequestId,
    route: Arc<RouteMetrics>,
    shared: Arc<Shared>,
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Observation<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let handler = this.handler;
        let response = match catch_unwind(AssertUnwindSafe(|| handler.poll(context))) {
            Ok(Poll::Ready(result)) => result?,
            Ok(Poll::Pending) => {
                match this.deadline.as_pin_mut() {
                    Some(deadline) => ready!(deadline.poll(context)),
                    None if this.record.is_late() => {}
                    None => return Poll::Pending,
                }
                this.record
                    .problem(StatusCode::SERVICE_UNAVAILABLE, "not answered in time; the outcome is unknown")
            }
            Err(_) => this.record.problem(StatusCode::INTERNAL_SERVER_ERROR, "a bug in the server"),
        };
        Poll::Ready(Ok(this.record.close(this.method, response)))
    }
}

impl Record {
    fn is_late(&self) -> bool {
        self.started.elapsed() >= self.shared.request_timeout
    }

    fn problem(&self, status: StatusCode, detail: &str) -> Response {
        let problem = Problem::of(status).with_detail(detail);
        Problem { request_id: Some(self.request_id.clone()), ..problem }.into_response()
    }

    fn close(&self, method: &Method, mut response: Response) -> Response {
        let took = self.started.elapsed();
        let status = response.status();
        response.headers_mut().insert(REQUEST_ID, self.request_id.header_value());
        self.shared.metrics.observe(&self.route, method_index(method), status, took);
        let (route, status, took_us) = (self.route.name(), status.as_u16(), took.as_micros() as u64);
        if status >= 500 || took > self.shared.slow {
            tracing::warn!(request_id = %self.request_id, %method, route, status, took_us, "request");
        } else {
            tracing::debug!(request_id = %self.request_id, %method, route, status, took_us, "request");
        }
        response
    }
}
