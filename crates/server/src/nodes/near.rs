//! Reads that may be a little old: answered from this node's own follower, with their age.
//!
//! A follower was current at one instant. Its answer holds everything that was acknowledged before, and nothing
//! that could still be lost; the age that is stated is counted from there until the answer leaves. Whatever would
//! be older than was asked for is asked of the leader instead.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use dialect::Operator;
use engine::BookNumber;

use super::Role;
use super::forward::{Front, Place, call, number};

/// How old an answer may be, in milliseconds, up to [`AGE_MAX`]; without it an answer is current.
const MAX_AGE: HeaderName = HeaderName::from_static("bursar-max-age-ms");
/// How old an answer is, in milliseconds; one that does not say so is current.
const AGE: HeaderName = HeaderName::from_static("bursar-age-ms");
/// Whoever reads is known by the same state: a credential that was revoked is refused by then.
const AGE_MAX: Duration = Duration::from_millis(100);

impl Front {
    /// None: the leader is asked.
    pub(super) async fn answer_near(
        &self,
        book: BookNumber,
        parts: &Parts,
        body: &Bytes,
    ) -> Option<Response> {
        let age_max = age_max(parts)?;
        let Place { role, standing, near } = self.place(book);
        if matches!(*role.borrow(), Role::Leading(_)) || parts.extensions.get::<Operator>().is_some() {
            return None;
        }
        self.interest.show();
        let shown = near.shown()?;
        let since = shown.since().filter(|since| since.elapsed() <= age_max)?;
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let mut answer = call(shown.router.clone(), request).await;
        // It may have folded what is not certain meanwhile, or have been taken away; and who is not known here may
        // be known to the leader.
        let (age, status) = (since.elapsed(), answer.status());
        let is_certain = shown.since().is_some();
        if !is_certain || age > age_max || status.is_server_error() || status == StatusCode::UNAUTHORIZED {
            return None;
        }
        answer.headers_mut().insert(AGE, HeaderValue::from(millis_up(age)));
        standing.answered_near.fetch_add(1, Ordering::Relaxed);
        Some(answer)
    }
}

/// How old the answer may be, if it may be old at all. What cannot be read is as if it were not there.
fn age_max(parts: &Parts) -> Option<Duration> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return None;
    }
    Some(Duration::from_millis(number(&parts.headers, &MAX_AGE)?).min(AGE_MAX))
}

/// Not younger than it is.
fn millis_up(age: Duration) -> u64 {
    u64::try_from(age.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
