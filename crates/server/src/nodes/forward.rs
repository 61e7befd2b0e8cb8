//! From the node a request came to, to the one that decides.
//!
//! A request is sent again only where that cannot do it twice: it changes nothing, it carries an
//! idempotency key (its own, or one made here), or the leader certainly never saw it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use dialect::{Arrival, Problem, REQUEST_ID, RequestId};
use dialect_native::{IDEMPOTENCY_KEY, is_done_once};
use engine::Unavailable;
use tokio::sync::watch::Receiver;
use tokio::time::timeout;
use tower::Service;

use super::peers::{Lost, Peers};
use super::{Role, Standing};
use crate::listen::Surrounding;
use crate::wiring::unavailable;

/// What is left of the caller's time, on the node port.
const TIMEOUT: HeaderName = HeaderName::from_static("bursar-timeout-ms");
/// Where the leader is, from one that does not lead.
const LEADER: HeaderName = HeaderName::from_static("bursar-leader");
/// How long a request waits for somebody to lead.
const LEADERLESS_MAX: Duration = Duration::from_secs(10);
/// Before the same leader is tried again.
const AGAIN: Duration = Duration::from_millis(50);
/// So much sooner than the caller's own limit, so that an answer can still be given.
const MARGIN: Duration = Duration::from_millis(250);

pub(super) struct Forwarder {
    pub(super) role: Receiver<Role>,
    pub(super) peers: Peers,
    pub(super) standing: Arc<Standing>,
    pub(super) timeout: Duration,
}

/// What answers on the public port while this node does not lead.
pub(super) fn router(forwarder: Arc<Forwarder>) -> Router {
    Router::new().fallback(move |request: Request| {
        let forwarder = Arc::clone(&forwarder);
        async move { forwarder.answer(request).await }
    })
}

/// What answers on the node port.
pub(super) fn node_router(role: &Role, around: &Surrounding) -> Router {
    match role {
        Role::Leading(router) => around.around(router.clone().layer(axum::middleware::from_fn(within_time))),
        Role::Following(leader) => around.around_all(misdirected(HeaderValue::from_str(leader).ok())),
        Role::Leaderless => around.around_all(misdirected(None)),
    }
}

async fn within_time(request: Request, next: axum::middleware::Next) -> Response {
    let left = request.headers().get(TIMEOUT).and_then(|value| value.to_str().ok()?.parse().ok());
    let uri = request.uri().clone();
    let answer = next.run(request);
    match left {
        None => answer.await,
        Some(millis) => {
            timeout(Duration::from_millis(millis), answer).await.unwrap_or_else(|_| unknown(&uri))
        }
    }
}

fn misdirected(leader: Option<HeaderValue>) -> Router {
    Router::new().fallback(move || {
        let mut response = StatusCode::MISDIRECTED_REQUEST.into_response();
        if let Some(leader) = leader.clone() {
            response.headers_mut().insert(LEADER, leader);
        }
        async move { response }
    })
}

fn unknown(uri: &Uri) -> Response {
    unavailable(uri.path(), Unavailable::Unknown)
}

fn leaderless(uri: &Uri) -> Response {
    unavailable(uri.path(), Unavailable::Stopped("no node leads right now".into()))
}

/// What came of sending a request to one node.
enum Sent {
    Answered(Response),
    /// That node does not lead; it may know who does.
    Misdirected(Option<String>),
    NotDone,
    /// It may have been done.
    InDoubt,
}

impl Forwarder {
    async fn answer(&self, request: Request) -> Response {
        let until = Instant::now() + self.timeout.saturating_sub(MARGIN);
        let arrival = Arrival::current();
        let (mut parts, body) = request.into_parts();
        let body = match timeout(arrival.body_time_max, to_bytes(body, arrival.body_bytes_max)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return Problem::of(StatusCode::PAYLOAD_TOO_LARGE).into_response(),
            Err(_) => return Problem::of(StatusCode::REQUEST_TIMEOUT).into_response(),
        };
        let repeatable = is_repeatable(&mut parts);
        prepare(&mut parts, &arrival.request_id);
        self.standing.forwarded.fetch_add(1, Ordering::Relaxed);
        let mut role = self.role.clone();
        let mut in_doubt = false;
        let mut leaderless_until = Instant::now() + LEADERLESS_MAX;
        while Instant::now() < until {
            let now = role.borrow_and_update().clone();
            let sent = match now {
                Role::Leading(router) => return here(router, &parts, body).await,
                Role::Following(leader) => {
                    let sent = self.send(&leader, &parts, &body, until, &mut role).await;
                    match sent {
                        // Once: whoever is named there is asked, and nobody after that.
                        Sent::Misdirected(Some(leader)) => {
                            self.send(&leader, &parts, &body, until, &mut role).await
                        }
                        sent => sent,
                    }
                }
                Role::Leaderless => Sent::NotDone,
            };
            match sent {
                Sent::Answered(response) => return response,
                Sent::InDoubt if !repeatable => return unknown(&parts.uri),
                Sent::InDoubt => {
                    in_doubt = true;
                    leaderless_until = Instant::now() + LEADERLESS_MAX;
                }
                Sent::NotDone | Sent::Misdirected(_) if Instant::now() >= leaderless_until => break,
                Sent::NotDone | Sent::Misdirected(_) => {}
            }
            // A new leader is tried at once, the same one a little later.
            _ = timeout(AGAIN, role.changed()).await;
        }
        if in_doubt { unknown(&parts.uri) } else { leaderless(&parts.uri) }
    }

    /// Given up when another node is known to lead: the one that was asked may be frozen for long.
    async fn send(
        &self,
        leader: &str,
        parts: &Parts,
        body: &Bytes,
        until: Instant,
        role: &mut Receiver<Role>,
    ) -> Sent {
        let Some(request) = outgoing(parts, body, until) else { return Sent::NotDone };
        let replaced = role.wait_for(|role| match role {
            Role::Following(now) => now != leader,
            Role::Leading(_) => true,
            Role::Leaderless => false,
        });
        let answer = tokio::select! {
            answer = self.peers.send(leader, request) => answer,
            _ = replaced => return Sent::InDoubt,
            () = tokio::time::sleep_until(until.into()) => return Sent::InDoubt,
        };
        match answer {
            Ok(response) if response.status() == StatusCode::MISDIRECTED_REQUEST => {
                let leader = response.headers().get(LEADER).and_then(|value| value.to_str().ok());
                Sent::Misdirected(leader.map(str::to_owned))
            }
            Ok(response) => Sent::Answered(response),
            Err(Lost::NotSent) => Sent::NotDone,
            Err(Lost::Unknown) => Sent::InDoubt,
        }
    }
}

/// Whether the request may be done again; it gets a key, where it can have one and has none.
fn is_repeatable(parts: &mut Parts) -> bool {
    if parts.method.is_safe() {
        return true;
    }
    if !is_done_once(&parts.method, parts.uri.path()) {
        return false;
    }
    if !parts.headers.contains_key(IDEMPOTENCY_KEY) {
        parts.headers.insert(IDEMPOTENCY_KEY, RequestId::random().header_value());
    }
    true
}

/// Leaves out what concerned the caller's connection only.
fn prepare(parts: &mut Parts, request_id: &RequestId) {
    let named: Vec<HeaderName> = named_in_connection(&parts.headers);
    let of_the_connection =
        [header::CONNECTION, header::TE, header::TRAILER, header::TRANSFER_ENCODING, header::UPGRADE];
    let more = ["keep-alive", "proxy-connection"].map(HeaderName::from_static);
    for name in of_the_connection.into_iter().chain(more).chain(named) {
        parts.headers.remove(name);
    }
    // The body was read, and the caller told to send it.
    parts.headers.remove(header::EXPECT);
    parts.headers.insert(REQUEST_ID, request_id.header_value());
}

fn named_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect()
}

fn outgoing(parts: &Parts, body: &Bytes, until: Instant) -> Option<axum::http::Request<Bytes>> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder().scheme("https").authority("node").path_and_query(path).build().ok()?;
    let mut request = axum::http::Request::new(body.clone());
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = uri;
    *request.version_mut() = axum::http::Version::HTTP_2;
    *request.headers_mut() = parts.headers.clone();
    let left = until.saturating_duration_since(Instant::now()).as_millis();
    request.headers_mut().insert(TIMEOUT, HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX)));
    Some(request)
}

/// This node leads by now.
async fn here(mut router: Router, parts: &Parts, body: Bytes) -> Response {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.version_mut() = parts.version;
    *request.headers_mut() = parts.headers.clone();
    *request.extensions_mut() = parts.extensions.clone();
    router.call(request).await.unwrap_or_else(|never| match never {})
}
