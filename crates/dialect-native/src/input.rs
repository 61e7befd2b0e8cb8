//! Bodies, queries and paths, as far as every operation reads them the same way.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use dialect::{App, Body, BodyError};
use serde::Deserialize;

use crate::problem::{Kind, Problem};

/// A request's body, not looked into before it is clear that the caller may ask at all.
pub(crate) struct Input(Result<Body, BodyError>);

impl<S: Send + Sync> FromRequest<S> for Input {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        Ok(Self(Body::from_request(request, state).await))
    }
}

impl Input {
    /// One JSON value.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        let body = self.body()?;
        if !(body.media_type.is_empty() || is_json(&body.media_type)) {
            return Err(unsupported(&body.media_type, "application/json"));
        }
        Ok(body.json()?)
    }

    /// The same, where a body of nothing means nothing in particular.
    pub(crate) fn read_or_default<'a, T: Deserialize<'a> + Default>(&'a self) -> Result<T, Problem> {
        if self.body()?.is_empty() { Ok(T::default()) } else { self.read() }
    }

    pub(crate) fn body(&self) -> Result<&Body, Problem> {
        self.0.as_ref().map_err(|error| error.clone().into())
    }
}

pub(crate) fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

pub(crate) fn unsupported(media_type: &str, supported: &str) -> Problem {
    Problem::new(Kind::UnsupportedMediaType)
        .with_detail(format!("the body is {media_type}; this operation reads {supported}"))
}

/// The segment of the path that names what an operation is about. Routes have one at most.
pub(crate) struct Named(pub(crate) String);

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| Problem::new(Kind::NotFound))?;
        let last = params.iter().last().map(|(_, value)| value.to_owned());
        last.map(Self).ok_or_else(|| Problem::new(Kind::NotFound))
    }
}

/// Two segments: of what, and which.
pub(crate) struct NamedWithin(pub(crate) String, pub(crate) String);

impl FromRequestParts<Arc<App>> for NamedWithin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| Problem::new(Kind::NotFound))?;
        let mut values = params.iter().map(|(_, value)| value.to_owned());
        match (values.next(), values.next()) {
            (Some(outer), Some(inner)) => Ok(Self(outer, inner)),
            _ => Err(Problem::new(Kind::NotFound)),
        }
    }
}

/// The parameters of a query; unknown and doubled ones are refused.
pub(crate) fn query<T>(
    query: Result<axum::extract::Query<T>, axum::extract::rejection::QueryRejection>,
) -> Result<T, Problem> {
    match query {
        Ok(axum::extract::Query(value)) => Ok(value),
        Err(rejection) => {
            let text = rejection.body_text();
            let detail = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let problem = Problem::new(Kind::InvalidParameter).with_detail(detail);
            Err(match parameter(detail) {
                Some(name) => problem.with_parameter(name),
                None => problem,
            })
        }
    }
}

/// Which parameter a message is about: `x: not a number`, or ``unknown field `x` ``.
fn parameter(message: &str) -> Option<&str> {
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    let before = message.split_once(": ").map(|(name, _)| name).filter(is_name);
    before.filter(|name| !name.contains('`')).or_else(|| message.split('`').nth(1))
}

/// How much of a list, and from where.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// At most so many, 1 to 1,000; 50 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}
