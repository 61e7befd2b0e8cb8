//! What is known of a request before anyone reads it: its id, and the limits it is read under.
//!
//! The server sets it around the handler, so that errors and logs reach the id without passing it
//! through every signature. Outside a request the defaults hold.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};
use uuid::Uuid;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How the answer, the log and the caller speak of one request: theirs when it is sane, else a UUID.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

#[derive(Clone, Debug)]
pub struct Arrival {
    pub request_id: RequestId,
    /// Where the connection came from.
    pub address: Option<IpAddr>,
    pub body_bytes_max: usize,
    pub body_time_max: Duration,
    /// A name for this request that a node gave it which may send it more than once.
    pub once: Option<Once>,
}

/// In the extensions of a request to which a node gave a name: it has no key that says the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once(pub String);

/// In the extensions of an answer which says that the book did not decide, or that nobody knows whether it did:
/// whoever knows the book's next leader may ask there, if the request has a name under which it is done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided;

tokio::task_local! {
    static ARRIVAL: Arrival;
}

impl Arrival {
    pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
    pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);

    /// Runs `handler` with this arrival as the current one.
    pub fn around<F: Future>(self, handler: F) -> tokio::task::futures::TaskLocalFuture<Self, F> {
        ARRIVAL.scope(self, handler)
    }

    pub fn current() -> Self {
        ARRIVAL.try_with(Self::clone).unwrap_or_else(|_| Self {
            request_id: RequestId::random(),
            address: None,
            body_bytes_max: Self::BODY_BYTES_MAX,
            body_time_max: Self::BODY_TIME_MAX,
            once: None,
        })
    }
}

impl From<Arrival> for engine::Origin {
    fn from(arrival: Arrival) -> Self {
        Self { address: arrival.address, request_id: arrival.request_id.as_str().to_owned() }
    }
}

impl RequestId {
    /// Longer ids are replaced: they would be paid for in every log line.
    const BYTES_MAX: usize = 64;

    /// The id of the request being answered, if there is one.
    pub fn current() -> Option<Self> {
        ARRIVAL.try_with(|arrival| arrival.request_id.clone()).ok()
    }

    pub fn of(headers: &HeaderMap) -> Self {
        match headers.get(&REQUEST_ID) {
            Some(value) if is_sane(value.as_bytes()) => Self(value.clone()),
            _ => Self::random(),
        }
    }

    pub fn random() -> Self {
        let mut buffer = Uuid::encode_buffer();
        let text = Uuid::new_v4().as_hyphenated().encode_lower(&mut buffer);
        Self(HeaderValue::from_str(text).expect("hex digits and hyphens may stand in a header"))
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("only visible ASCII was accepted")
    }

    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Safe to print anywhere: no quotes, spaces, angle brackets or control characters.
fn is_sane(id: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    (1..=RequestId::BYTES_MAX).contains(&id.len()) && id.iter().all(allowed)
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::current().unwrap_or_else(Self::random))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
