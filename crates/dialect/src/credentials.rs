//! The `Authorization` header: Basic (RFC 7617) and Bearer (RFC 6750), nothing else.
//!
//! Strict, because a header that two readers understand differently is a way in: one header, one
//! scheme, canonical base64, UTF-8 without control characters.

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a caller presents. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials<'a> {
    Basic(Basic),
    Bearer(&'a str),
}

/// A user and a password, decoded into one allocation.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    text: String,
    colon: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    #[error("several Authorization headers")]
    Several,
    #[error("Authorization is longer than {BYTES_MAX} bytes")]
    TooLong,
    #[error("Authorization scheme is neither Basic nor Bearer")]
    Scheme,
    #[error("malformed Basic credentials")]
    Basic,
    #[error("malformed Bearer token")]
    Bearer,
}

/// Far above any key and secret, and below what would be worth hashing for an attacker.
const BYTES_MAX: usize = 4096;

/// Reads the `Authorization` header; `None` when there is none.
pub fn authorization(headers: &HeaderMap) -> Result<Option<Credentials<'_>>, CredentialsError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CredentialsError::Several);
    }
    if value.len() > BYTES_MAX {
        return Err(CredentialsError::TooLong);
    }
    let text = value.to_str().map_err(|_| CredentialsError::Scheme)?;
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim_start_matches(' ');
    if scheme.eq_ignore_ascii_case("basic") {
        basic(rest).map(Credentials::Basic).map(Some).ok_or(CredentialsError::Basic)
    } else if scheme.eq_ignore_ascii_case("bearer") {
        if is_token(rest) { Ok(Some(Credentials::Bearer(rest))) } else { Err(CredentialsError::Bearer) }
    } else {
        Err(CredentialsError::Scheme)
    }
}

fn basic(encoded: &str) -> Option<Basic> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    if text.chars().any(char::is_control) {
        return None;
    }
    let colon = text.find(':')?;
    Some(Basic { text, colon })
}

/// `token68` of RFC 9110: never empty, padding only at its end.
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

impl Basic {
    /// Everything before the first colon; may be empty.
    pub fn user(&self) -> &str {
        &self.text[..self.colon]
    }

    /// Everything behind the first colon, further colons included; may be empty.
    pub fn password(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("user", &self.user()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic(basic) => basic.fmt(f),
            Self::Bearer(_) => f.write_str("Bearer"),
        }
    }
}

#[cfg(test)]
mod tests;
