//! Request bodies: bounded in size and time, kept raw, read on demand.
//!
//! [`Body`] is for handlers that need the bytes themselves or borrow from them (a batch); [`Json`]
//! is the short form for a body that becomes one owned value. `E` is the dialect's own error.

use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::json::{JsonError, read_json};
use crate::{Arrival, Problem};

/// A whole request body.
#[derive(Clone, Debug)]
pub struct Body {
    pub bytes: Bytes,
    /// The media type in lower case, without parameters; empty when none was sent.
    pub media_type: String,
}

/// A body read as JSON, whatever media type it claims; failures become the dialect's `E`.
#[derive(Debug)]
pub struct Json<T, E> {
    pub value: T,
    pub bytes: Bytes,
    error: PhantomData<fn() -> E>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("body is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("body did not arrive in time")]
    TooSlow,
    #[error("body ended early")]
    Incomplete,
    #[error(transparent)]
    Json(#[from] JsonError),
}

impl Body {
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, JsonError> {
        read_json(&self.bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = BodyError;

    async fn from_request(request: Request, _: &S) -> Result<Self, BodyError> {
        let media_type = media_type(request.headers());
        Ok(Self { bytes: read(request).await?, media_type })
    }
}

impl<S, T, E> FromRequest<S> for Json<T, E>
where
    S: Send + Sync,
    T: DeserializeOwned,
    E: From<BodyError> + IntoResponse,
{
    type Rejection = E;

    async fn from_request(request: Request, _: &S) -> Result<Self, E> {
        let bytes = read(request).await?;
        let value = read_json(&bytes).map_err(BodyError::from)?;
        Ok(Self { value, bytes, error: PhantomData })
    }
}

/// For an optional member whose `null` means something other than its absence:
/// `#[serde(default, deserialize_with = "dialect::present")] name: Option<Option<String>>`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

async fn read(request: Request) -> Result<Bytes, BodyError> {
    let limits = Arrival::current();
    let too_large = BodyError::TooLarge { bytes_max: limits.body_bytes_max };
    let announced = announced(request.headers());
    if announced.is_some_and(|length| length > limits.body_bytes_max as u64) {
        return Err(too_large);
    }
    let body = request.into_body();
    tokio::time::timeout(limits.body_time_max, collect(body, limits.body_bytes_max, announced))
        .await
        .map_err(|_| BodyError::TooSlow)?
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A small body is one frame and is handed over as it came, without a copy.
async fn collect(
    mut body: axum::body::Body,
    bytes_max: usize,
    announced: Option<u64>,
) -> Result<Bytes, BodyError> {
    // What is announced is not believed beyond this: memory is taken as bytes arrive.
    const RESERVED_MAX: u64 = 64 * 1024;
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Incomplete)?.into_data() else { continue };
        if first.len() + all.len() + data.len() > bytes_max {
            return Err(BodyError::TooLarge { bytes_max });
        }
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.reserve(announced.unwrap_or_default().min(RESERVED_MAX) as usize);
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

impl BodyError {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Incomplete | Self::Json(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// For routes that belong to no dialect; a dialect has its own words.
impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        Problem::of(self.status()).with_detail(self.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests;
