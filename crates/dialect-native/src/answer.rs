//! Successes: JSON with a status, and whether it was all done before.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialect::Arrival;
use serde::Serialize;

use crate::problem::Problem;

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub(crate) struct Answer<T> {
    status: StatusCode,
    value: T,
    replayed: bool,
}

impl<T> Answer<T> {
    pub(crate) fn ok(value: T) -> Self {
        Self { status: StatusCode::OK, value, replayed: false }
    }

    pub(crate) fn created(value: T) -> Self {
        Self { status: StatusCode::CREATED, value, replayed: false }
    }

    /// It was done before, under the same key.
    pub(crate) fn replayed(mut self, replayed: bool) -> Self {
        self.replayed = replayed;
        self
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let Ok(body) = serde_json::to_vec(&self.value) else {
            return Problem::bug("an answer cannot be printed").into_response();
        };
        let mut response = json(self.status, body);
        // Who gave no key is not told that a node sent the request twice.
        if self.replayed && Arrival::current().once.is_none() {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    /// Pass it as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}
