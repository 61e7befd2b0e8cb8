//! From the node a request came to, to the one that decides.
//!
//! A request is sent again only where that cannot do it twice: it changes nothing, it carries an
//! idempotency key (its own, or one made here), or the leader certainly never saw it. Where a dialect has no
//! word for such a key, the node gives the request a name that only nodes can give.
//!
//! The operator acts in books that do not know it: the first book recognizes it, and the others take the word
//! of the node that asked there. Nothing that a client sends says so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use access::Placement;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use dialect::{Arrival, Once, Operator, Problem, REQUEST_ID, RequestId};
use dialect_native::{BodySaysIt, IDEMPOTENCY_KEY, is_done_once, operated};
use engine::{BookNumber, Unavailable};
use tokio::sync::watch::Receiver;
use tokio::time::timeout;
use tower::Service;

use super::feeding::Interest;
use super::follow::Near;
use super::peers::{Lost, Peers};
use super::{Led, Role, Standing};
use crate::listen::Surrounding;
use crate::wiring::{unavailable, whose};

/// What is left of the caller's time, on the node port.
const TIMEOUT: HeaderName = HeaderName::from_static("bursar-timeout-ms");
/// Where the leader is, from one that does not lead.
const LEADER: HeaderName = HeaderName::from_static("bursar-leader");
/// Which book a request on the node port is for.
const BOOK: HeaderName = HeaderName::from_static("bursar-book");
/// On the node port: the operator's, whom the first book has recognized.
const OPERATOR: HeaderName = HeaderName::from_static("bursar-operator");
/// On the node port: what makes a request that is sent again the same one.
const ONCE: HeaderName = HeaderName::from_static("bursar-once");
/// On the node port: where the caller's own connection came from.
const ADDRESS: HeaderName = HeaderName::from_static("bursar-address");
/// On the node port: whether the headers are the operator's.
const RECOGNIZE: &str = "/recognize-operator";
/// How long a request waits for somebody to lead.
const LEADERLESS_MAX: Duration = Duration::from_secs(10);
/// Before the same leader is tried again.
const AGAIN: Duration = Duration::from_millis(50);
/// So much sooner than the caller's own limit, so that an answer can still be given.
const MARGIN: Duration = Duration::from_millis(250);

/// Where all requests come in.
pub(super) struct Front {
    pub(super) placement: Placement,
    /// By the number of the book.
    pub(super) places: Vec<Place>,
    pub(super) peers: Peers,
    pub(super) timeout: Duration,
    pub(super) interest: Arc<Interest>,
}

/// A book, as requests find it here.
pub(super) struct Place {
    pub(super) role: Receiver<Role>,
    pub(super) standing: Arc<Standing>,
    pub(super) near: Arc<Near>,
}

/// What answers on the public port.
pub(super) fn public_router(front: Arc<Front>, around: &Surrounding) -> Router {
    let asking = Arc::clone(&front);
    let elsewhere = around.around_all(Router::new().fallback(move |request: Request| {
        let front = Arc::clone(&asking);
        async move { front.answer(request).await }
    }));
    Router::new().fallback(move |request: Request| {
        let (parts, body) = request.into_parts();
        let router = front.led(&parts).unwrap_or_else(|| elsewhere.clone());
        call(router, Request::from_parts(parts, body))
    })
}

/// What answers on the node port.
pub(super) fn node_router(front: Arc<Front>) -> Router {
    Router::new().fallback(move |request: Request| {
        let front = Arc::clone(&front);
        async move { front.answer_node(request).await }
    })
}

pub(super) async fn call(mut router: Router, request: Request) -> Response {
    router.call(request).await.unwrap_or_else(|never| match never {})
}

fn misdirected(leader: Option<&str>) -> Response {
    let mut response = StatusCode::MISDIRECTED_REQUEST.into_response();
    if let Some(leader) = leader.and_then(|leader| HeaderValue::from_str(leader).ok()) {
        response.headers_mut().insert(LEADER, leader);
    }
    response
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

impl Front {
    pub(super) fn role(&self, book: BookNumber) -> Receiver<Role> {
        self.place(book).role.clone()
    }

    pub(super) fn place(&self, book: BookNumber) -> &Place {
        // What names a book that is not there is the first one's.
        self.places.get(usize::from(book.get())).unwrap_or(&self.places[0])
    }

    /// The dialects over the book of a request, if its head says which one that is and it is led here.
    fn led(&self, parts: &Parts) -> Option<Router> {
        let book = whose(parts, None)?.book(&self.placement);
        if parts.uri.path() == RECOGNIZE || self.operated(parts, None) != Ok(None) {
            return None;
        }
        match &*self.place(book).role.borrow() {
            Role::Leading(led) => Some(led.public.clone()),
            Role::Following(_) | Role::Leaderless => None,
        }
    }

    /// The book of the organization that a request names, if it is not the operator's own and so nobody but the
    /// operator could mean it there.
    fn operated(&self, parts: &Parts, body: Option<&Bytes>) -> Result<Option<BookNumber>, BodySaysIt> {
        let home = operated(&parts.method, parts.uri.path(), body)?
            .map(|name| self.placement.of_organization(&name));
        Ok(home.filter(|home| *home != BookNumber::FIRST))
    }

    /// On the public port, where the book is another node's or the body has to be read to find it.
    async fn answer(&self, request: Request) -> Response {
        let until = Instant::now() + self.timeout.saturating_sub(MARGIN);
        let arrival = Arrival::current();
        let (mut parts, body) = request.into_parts();
        if parts.uri.path() == RECOGNIZE {
            return Problem::of(StatusCode::NOT_FOUND).into_response();
        }
        let body = match timeout(arrival.body_time_max, to_bytes(body, arrival.body_bytes_max)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return Problem::of(StatusCode::PAYLOAD_TOO_LARGE).into_response(),
            Err(_) => return Problem::of(StatusCode::REQUEST_TIMEOUT).into_response(),
        };
        prepare(&mut parts, &arrival);
        let mut book = whose(&parts, Some(&body)).map_or(BookNumber::FIRST, |it| it.book(&self.placement));
        if book == BookNumber::FIRST
            && let Ok(Some(home)) = self.operated(&parts, Some(&body))
        {
            match self.recognize(&parts, until).await {
                Ok(true) => {
                    parts.extensions.insert(Operator);
                    book = home;
                }
                // The first book says what it says of organizations that are not there.
                Ok(false) => {}
                Err(unavailable) => return *unavailable,
            }
        }
        if let Some(answer) = self.answer_near(book, &parts, &body).await {
            return answer;
        }
        self.ask(book, parts, body, until).await
    }

    /// Whether these are the operator's credentials; the first book knows.
    async fn recognize(&self, parts: &Parts, until: Instant) -> Result<bool, Box<Response>> {
        let mut asked = parts.clone();
        asked.uri = Uri::from_static(RECOGNIZE);
        asked.headers.remove(header::CONTENT_LENGTH);
        let answer = self.ask(BookNumber::FIRST, asked, Bytes::new(), until).await;
        if answer.status().is_server_error() {
            return Err(Box::new(answer));
        }
        Ok(answer.status() == StatusCode::NO_CONTENT)
    }

    /// On the node port: this node leads the book, or says who does.
    async fn answer_node(&self, mut request: Request) -> Response {
        let book = number(request.headers(), &BOOK).and_then(|book| BookNumber::new(book.try_into().ok()?));
        let left = number(request.headers(), &TIMEOUT).map(Duration::from_millis);
        let role = self.place(book.unwrap_or_default()).role.borrow().clone();
        let led = match role {
            Role::Leading(led) => led,
            Role::Following(leader) => return misdirected(Some(&leader)),
            Role::Leaderless => return misdirected(None),
        };
        let uri = request.uri().clone();
        let headers = request.headers_mut();
        let is_operator = headers.remove(OPERATOR).is_some();
        headers.remove(BOOK);
        let once = headers.remove(ONCE).and_then(|once| Some(Once(once.to_str().ok()?.to_owned())));
        let address = headers.remove(ADDRESS).and_then(|address| address.to_str().ok()?.parse().ok());
        if let Some(once) = once {
            request.extensions_mut().insert(once);
        }
        if let Some(address) = address {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 0)));
        }
        if is_operator && operated(request.method(), uri.path(), None) != Ok(None) {
            request.extensions_mut().insert(Operator);
        }
        let answer = answer_here(led.public.clone(), &led, request);
        match left {
            None => answer.await,
            Some(left) => timeout(left, answer).await.unwrap_or_else(|_| unknown(&uri)),
        }
    }

    async fn ask(&self, book: BookNumber, mut parts: Parts, body: Bytes, until: Instant) -> Response {
        let Place { role, standing, .. } = self.place(book);
        let mut role = role.clone();
        standing.forwarded.fetch_add(1, Ordering::Relaxed);
        let repeatable = is_repeatable(&mut parts);
        parts.headers.insert(BOOK, HeaderValue::from(u16::from(book.get())));
        let mut in_doubt = false;
        let mut leaderless_until = Instant::now() + LEADERLESS_MAX;
        while Instant::now() < until {
            let now = role.borrow_and_update().clone();
            let sent = match now {
                Role::Leading(led) => {
                    let once = parts.extensions.get::<Once>().cloned();
                    let request = Request::from_parts(parts, Body::from(body));
                    let arrival = Arrival { once, ..Arrival::current() };
                    return arrival.around(answer_here(led.bare.clone(), &led, request)).await;
                }
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
    if dialect_vonage::is_done_once(&parts.method, parts.uri.path()) {
        parts.extensions.insert(Once(RequestId::random().as_str().to_owned()));
        return true;
    }
    if parts.method.is_safe() || parts.uri.path() == RECOGNIZE {
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
fn prepare(parts: &mut Parts, arrival: &Arrival) {
    let named: Vec<HeaderName> = named_in_connection(&parts.headers);
    let of_the_connection =
        [header::CONNECTION, header::TE, header::TRAILER, header::TRANSFER_ENCODING, header::UPGRADE];
    let more = ["keep-alive", "proxy-connection"].map(HeaderName::from_static);
    for name in of_the_connection.into_iter().chain(more).chain(named) {
        parts.headers.remove(name);
    }
    for name in [TIMEOUT, LEADER, BOOK, OPERATOR, ONCE, ADDRESS] {
        parts.headers.remove(name);
    }
    // The body was read, and the caller told to send it.
    parts.headers.remove(header::EXPECT);
    parts.headers.insert(REQUEST_ID, arrival.request_id.header_value());
    if let Some(address) = arrival.address.and_then(|it| HeaderValue::from_str(&it.to_string()).ok()) {
        parts.headers.insert(ADDRESS, address);
    }
}

pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
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
    if let Some(once) = parts.extensions.get::<Once>().and_then(|once| HeaderValue::from_str(&once.0).ok()) {
        request.headers_mut().insert(ONCE, once);
    }
    if parts.extensions.get::<Operator>().is_some() {
        request.headers_mut().insert(OPERATOR, HeaderValue::from_static("recognized"));
    }
    Some(request)
}

/// By the dialects over a book that is led here, or by the book itself where it is asked who the operator is.
async fn answer_here(router: Router, led: &Led, request: Request) -> Response {
    if request.uri().path() != RECOGNIZE {
        return call(router, request).await;
    }
    let (mut parts, _) = request.into_parts();
    match dialect_native::recognize_operator(&led.app, &mut parts).await {
        true => StatusCode::NO_CONTENT.into_response(),
        false => StatusCode::FORBIDDEN.into_response(),
    }
}
