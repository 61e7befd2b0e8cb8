//! What goes with a request from node to node, and with its answer back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version, header};
use axum::response::{IntoResponse, Response};
use dialect::{Arrival, Once, Operator, REQUEST_ID, Undecided};
use dialect_native::operated;
use engine::BookNumber;

use super::attempts::Tried;

/// What is left of the caller's time.
const TIMEOUT: HeaderName = HeaderName::from_static("bursar-timeout-ms");
/// Where the leader is, from one that does not lead.
const LEADER: HeaderName = HeaderName::from_static("bursar-leader");
/// Of an answer: the book did not decide, or does not know whether it did.
const UNDECIDED: HeaderName = HeaderName::from_static("bursar-undecided");
/// Which book a request is for.
const BOOK: HeaderName = HeaderName::from_static("bursar-book");
/// The operator's, whom the first book has recognized.
const OPERATOR: HeaderName = HeaderName::from_static("bursar-operator");
/// What makes a request that is sent again the same one.
const ONCE: HeaderName = HeaderName::from_static("bursar-once");
/// Where the caller's own connection came from.
const ADDRESS: HeaderName = HeaderName::from_static("bursar-address");

/// Leaves out what concerned the caller's connection only, and what only nodes say.
pub(super) fn prepare(parts: &mut Parts, arrival: &Arrival) {
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

fn named_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect()
}

/// A request of `book`, as it goes to another node.
pub(super) fn sealed(
    book: BookNumber,
    parts: &Parts,
    body: &Bytes,
    until: Instant,
) -> Option<axum::http::Request<Bytes>> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder().scheme("https").authority("node").path_and_query(path).build().ok()?;
    let mut request = axum::http::Request::new(body.clone());
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = parts.headers.clone();
    let headers = request.headers_mut();
    headers.insert(BOOK, HeaderValue::from(u16::from(book.get())));
    let left = until.saturating_duration_since(Instant::now()).as_millis();
    headers.insert(TIMEOUT, HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX)));
    if let Some(once) = parts.extensions.get::<Once>().and_then(|once| HeaderValue::from_str(&once.0).ok()) {
        headers.insert(ONCE, once);
    }
    if parts.extensions.get::<Operator>().is_some() {
        headers.insert(OPERATOR, HeaderValue::from_static("recognized"));
    }
    Some(request)
}

/// Which book a request from another node is for, and what is left of the caller's time.
pub(super) fn addressed(headers: &HeaderMap) -> (Option<BookNumber>, Option<Duration>) {
    let book = number(headers, &BOOK).and_then(|book| BookNumber::new(book.try_into().ok()?));
    (book, number(headers, &TIMEOUT).map(Duration::from_millis))
}

/// The request as it came in where the caller asked.
pub(super) fn opened(mut request: Request) -> Request {
    let headers = request.headers_mut();
    headers.remove(BOOK);
    let is_operator = headers.remove(OPERATOR).is_some();
    let once = headers.remove(ONCE).and_then(|once| Some(Once(once.to_str().ok()?.to_owned())));
    let address = headers.remove(ADDRESS).and_then(|address| address.to_str().ok()?.parse().ok());
    if let Some(once) = once {
        request.extensions_mut().insert(once);
    }
    if let Some(address) = address {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 0)));
    }
    if is_operator && operated(request.method(), request.uri().path(), None) != Ok(None) {
        request.extensions_mut().insert(Operator);
    }
    request
}

/// The answer of a node that does not lead.
pub(super) fn misdirected(leader: Option<&str>) -> Response {
    let mut response = StatusCode::MISDIRECTED_REQUEST.into_response();
    if let Some(leader) = leader.and_then(|leader| HeaderValue::from_str(leader).ok()) {
        response.headers_mut().insert(LEADER, leader);
    }
    response
}

/// The answer of a book that is led here, as it goes to another node.
pub(super) fn returned(mut response: Response) -> Response {
    if response.extensions().get::<Undecided>().is_some() {
        response.headers_mut().insert(UNDECIDED, HeaderValue::from_static("true"));
    }
    response
}

/// What the answer of another node says.
pub(super) fn received(mut response: Response) -> Tried<Response> {
    let headers = response.headers_mut();
    let leader = headers.remove(LEADER).and_then(|leader| leader.to_str().ok().map(str::to_owned));
    match headers.remove(UNDECIDED) {
        _ if response.status() == StatusCode::MISDIRECTED_REQUEST => Tried::Misdirected(leader),
        Some(_) => Tried::Undecided(response),
        None => Tried::Answered(response),
    }
}

pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
