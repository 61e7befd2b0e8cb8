//! Refusals, in the form of RFC 9457: one type for each reason a program may want to tell apart.

mod kind;
mod rejection;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialect::{
    BodyError, Fraction, JsonError, JsonErrorKind, PagingError, RequestId, Undecided, print_instant,
};
use domain::{Nanos, Timestamp};
use engine::{HistoryError, Refusal, Unavailable};
use serde::Serialize;

pub(crate) use kind::Kind;

use crate::values::Amount;

/// Small enough to travel in every `Result`.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: Kind,
    retry_after_secs: u64,
    /// Another node may be asked.
    undecided: bool,
    members: Members,
}

/// What a problem may say beyond its kind.
#[derive(Clone, Debug, Default, Serialize)]
struct Members {
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The member of the body, the parameter or the header that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// RFC 6901: where in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// Of a batch: counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    need: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    have: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Amount>,
}

#[derive(Serialize)]
struct Wire<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(flatten)]
    members: &'a Members,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<RequestId>,
}

/// How long to wait before asking again, where waiting helps.
const RETRY_AFTER_SECS: u64 = 1;

impl Problem {
    pub(crate) fn new(kind: Kind) -> Self {
        let members = Members::default();
        Self(Box::new(Inner { kind, retry_after_secs: RETRY_AFTER_SECS, undecided: false, members }))
    }

    /// Nobody can tell any more what is asked for.
    pub(crate) fn removed(until: Timestamp) -> Self {
        let until = print_instant(until, Fraction::Micros).unwrap_or_default();
        Self::new(Kind::HistoryRemoved).with_detail(format!("what happened up to {until} was removed"))
    }

    /// A field that is there but cannot be what was meant.
    pub(crate) fn field(name: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(Kind::InvalidField).with_field(name).with_detail(format!("{name}: {detail}"))
    }

    pub(crate) fn bug(detail: &str) -> Self {
        tracing::error!(detail, "a bug");
        Self::new(Kind::Internal)
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.members.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_field(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.0.members.pointer.get_or_insert_with(|| format!("/{name}"));
        self.0.members.field = Some(name);
        self
    }

    pub(crate) fn at_line(mut self, line: usize) -> Self {
        self.0.members.line = Some(line);
        self
    }

    pub(crate) fn with_account(mut self, account: String) -> Self {
        self.0.members.account = Some(account);
        self
    }

    /// Of one element of an array: where in the whole body it is.
    pub(crate) fn within(mut self, index: usize) -> Self {
        if let Some(pointer) = &mut self.0.members.pointer {
            pointer.insert_str(0, &format!("/{index}"));
        }
        self
    }

    fn with_amounts(mut self, need: Option<Nanos>, have: Option<Nanos>, limit: Option<Nanos>) -> Self {
        let members = &mut self.0.members;
        (members.need, members.have, members.limit) =
            (need.map(Into::into), have.map(Into::into), limit.map(Into::into));
        self
    }

    pub(crate) fn retry_after(mut self, secs: u64) -> Self {
        self.0.retry_after_secs = secs;
        self
    }

    /// Asked again, it would be done again.
    pub(crate) fn not_to_be_repeated(mut self) -> Self {
        self.0.undecided = false;
        self
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    /// As one member of a batch's answer: the request's id is in the header already.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        self.write(None, out);
    }

    fn write(&self, instance: Option<RequestId>, out: &mut Vec<u8>) {
        let Inner { kind, members, .. } = &*self.0;
        let status = kind.status().as_u16();
        let wire = Wire { r#type: kind.uri(), title: kind.title(), status, members, instance };
        serde_json::to_writer(out, &wire).expect("a problem is texts and numbers, and memory takes them");
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(256);
        self.write(RequestId::current(), &mut body);
        let media_type = HeaderValue::from_static("application/problem+json");
        let mut response = (self.kind().status(), [(header::CONTENT_TYPE, media_type)], body).into_response();
        let headers = response.headers_mut();
        if self.kind() == Kind::Unauthenticated {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bursar\""));
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"bursar\""));
        }
        if matches!(self.kind().status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(header::RETRY_AFTER, self.0.retry_after_secs.into());
        }
        if self.0.undecided {
            response.extensions_mut().insert(Undecided);
        }
        response
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        let kind = match error.kind {
            JsonErrorKind::Syntax => {
                let detail = format!("{} (line {}, column {})", error.message, error.line, error.column);
                return Self::new(Kind::MalformedJson).with_detail(detail);
            }
            JsonErrorKind::Missing => Kind::MissingField,
            JsonErrorKind::Unknown => Kind::UnknownField,
            JsonErrorKind::Duplicate => Kind::DuplicateField,
            JsonErrorKind::Invalid => Kind::InvalidField,
        };
        let mut problem = Self::new(kind).with_detail(format!("{}: {}", error.path, error.message));
        problem.0.members.pointer = Some(error.path.pointer());
        problem.0.members.field = error.path.field().map(str::to_owned);
        problem
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let kind = match error {
            BodyError::Json(error) => return error.into(),
            BodyError::TooLarge { .. } => Kind::BodyTooLarge,
            BodyError::TooSlow => Kind::BodyTooSlow,
            BodyError::Incomplete => Kind::MalformedJson,
        };
        Self::new(kind).with_detail(error.to_string())
    }
}

impl From<PagingError> for Problem {
    fn from(error: PagingError) -> Self {
        let field = match error {
            PagingError::Limit { .. } => "limit",
            PagingError::Cursor => "cursor",
        };
        Self::new(Kind::InvalidParameter).with_parameter(field).with_detail(error.to_string())
    }
}

impl Problem {
    /// A parameter of the query that cannot be what was meant.
    pub(crate) fn parameter(name: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(Kind::InvalidParameter).with_parameter(name).with_detail(format!("{name}: {detail}"))
    }

    /// Like a field, but nowhere in the body.
    pub(crate) fn with_parameter(mut self, name: &str) -> Self {
        self.0.members.field = Some(name.to_owned());
        self
    }
}

impl From<access::AccessError> for Problem {
    fn from(error: access::AccessError) -> Self {
        match error {
            access::AccessError::Unauthenticated => Self::new(Kind::Unauthenticated),
            access::AccessError::Forbidden { operation } => Self::new(Kind::Forbidden)
                .with_detail(format!("this credential may not {}", operation.text())),
            access::AccessError::OutOfScope { operation } => Self::new(Kind::OutOfScope)
                .with_detail(format!("the scope of this credential does not let it {}", operation.text())),
            access::AccessError::Busy => Self::new(Kind::TooManySignIns),
        }
    }
}

impl From<access::SignInError> for Problem {
    fn from(error: access::SignInError) -> Self {
        use access::SignInError as E;
        match error {
            E::Wrong => Self::new(Kind::SignInFailed),
            E::CodeNeeded => Self::new(Kind::SecondFactorNeeded).with_field("code"),
            E::CodeWrong => Self::new(Kind::SecondFactorWrong).with_field("code"),
            E::NoMembership => Self::new(Kind::NoMembership),
            E::Elsewhere => Self::new(Kind::SignInElsewhere),
            E::NotVouched => Self::new(Kind::NotVouched),
            E::Delayed { secs } => Self::new(Kind::TooManySignIns)
                .with_detail(format!("too many wrong attempts from there: wait {secs} seconds"))
                .retry_after(secs),
            E::Busy => Self::new(Kind::TooManySignIns),
            E::Refused(_) => Self::bug("a session was refused"),
            E::Unavailable(error) => error.into(),
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        let mut problem = Self::new(match error {
            Unavailable::Overloaded => Kind::Overloaded,
            Unavailable::Closing | Unavailable::Following | Unavailable::Stopped(_) => Kind::Unavailable,
            Unavailable::Unknown => Kind::OutcomeUnknown,
        });
        problem.0.undecided = error != Unavailable::Overloaded;
        problem
    }
}

/// The answer to a request that did not reach the book.
pub fn unavailable(error: Unavailable) -> Response {
    Problem::from(error).into_response()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoRoom => Self::new(Kind::NoRoom),
            Refusal::Clock(fault) => Self::new(Kind::ClockInDoubt).with_detail(fault.to_string()),
            Refusal::KeyConflict => Self::new(Kind::KeyConflict).with_parameter("Idempotency-Key"),
            Refusal::KeyTooOld => Self::new(Kind::KeyTooOld).with_parameter("Idempotency-Key"),
            Refusal::KeyFromFuture => Self::new(Kind::KeyFromFuture).with_parameter("Idempotency-Key"),
            Refusal::Unreadable => Self::from(Unavailable::Unknown),
        }
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        if let HistoryError::Removed { until } = error {
            return Self::removed(until);
        }
        tracing::error!(error = %error, "history cannot be read");
        Self::new(Kind::Unavailable).with_detail("history cannot be read right now")
    }
}

#[cfg(test)]
mod tests;
