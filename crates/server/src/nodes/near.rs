//! Reads that may be a little old: answered from this node's own follower, with their age.
//!
//! A follower was current at one instant. Its answer holds everything that was acknowledged before, and nothing
//! that could still be lost; the age that is stated is counted from there until the answer leaves. Whatever would
//! be older than was asked for is asked of the leader instead.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use dialect::Operator;
use engine::BookNumber;
use tokio::time::timeout;

use super::Role;
use super::envelope::number;
use super::forward::{Front, Place, call};
use crate::wiring::is_of_an_api;

/// How old an answer may be, in milliseconds, up to [`AGE_MAX`]; without it an answer is current.
const MAX_AGE: HeaderName = HeaderName::from_static("bursar-max-age-ms");
/// How old an answer is, in milliseconds; one that does not say so is current.
const AGE: HeaderName = HeaderName::from_static("bursar-age-ms");
/// Whoever reads is known by the same state: a credential that was revoked is refused by then.
const AGE_MAX: Duration = Duration::from_millis(100);
/// A longer answer is the leader's.
const BYTES_MAX: usize = 1 << 20;

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
        let (mut head, body) = call(shown.router.clone(), request).await.into_parts();
        // What is read piece by piece is of several moments: here it is one, or none.
        let left = age_max.saturating_sub(since.elapsed());
        let body = timeout(left, to_bytes(body, BYTES_MAX)).await.ok()?.ok()?;
        // It may have folded what is not certain meanwhile, or have been taken away; who is not known here may be
        // known to the leader, and that a credential was used for the first time today is written down there.
        let (age, status) = (since.elapsed(), head.status);
        let is_certain = shown.since().is_some();
        let is_refused = status.is_server_error() || status == StatusCode::UNAUTHORIZED;
        if !is_certain || age > age_max || is_refused || shown.app.access.last_use().take_news() {
            return None;
        }
        head.headers.insert(AGE, HeaderValue::from(millis_up(age)));
        standing.answered_near.fetch_add(1, Ordering::Relaxed);
        Some(Response::from_parts(head, Body::from(body)))
    }
}

/// How old the answer may be, if it may be old at all. What cannot be read is as if it were not there.
fn age_max(parts: &Parts) -> Option<Duration> {
    // Pages are for browsers: some of theirs do something.
    let is_read = parts.method == Method::GET || parts.method == Method::HEAD;
    if !is_read || !is_of_an_api(parts.uri.path()) {
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
