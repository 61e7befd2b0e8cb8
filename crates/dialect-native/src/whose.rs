//! Whose a request is, before any book has seen it.

use axum::body::Bytes;
use axum::http::Method;
use axum::http::request::Parts;
use dialect::Whose;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::pages::{CALLBACK, organization_of_page};
use crate::router::PREFIX;
use crate::signed::session_cookies;

/// None: the body says it.
pub fn whose(parts: &Parts, body: Option<&Bytes>) -> Option<Whose> {
    // Sent back by a company's sign-in: whatever session there was before, it is about this organization.
    if let Some(name) = parts.uri.path().strip_prefix(CALLBACK) {
        return Some(Whose::Organization(decoded(name)));
    }
    if let Some(whose) = Whose::of_credentials(&parts.headers) {
        return Some(whose);
    }
    let by_cookie = || session_cookies(&parts.headers).next().map(|token| Whose::Token(token.to_owned()));
    if parts.method.is_safe() {
        let page = organization_of_page(&parts.uri).map(Whose::Organization);
        return Some(page.or_else(by_cookie).unwrap_or(Whose::Nobodys));
    }
    // Who signs in may have been signed in elsewhere: what the body says comes first.
    let said: Said = serde_json::from_slice(body?).unwrap_or_default();
    Some(match (said.link, said.organization) {
        (Some(link), _) => Whose::Link(bare(&link).to_owned()),
        (None, Some(name)) => Whose::Organization(name),
        (None, None) => by_cookie().unwrap_or(Whose::Nobodys),
    })
}

/// What those say who prove nothing yet: they sign in, or follow a link.
#[derive(Default, Deserialize)]
struct Said {
    organization: Option<String>,
    link: Option<String>,
}

/// What stands behind the `#` of a link, or all of it.
pub(crate) fn bare(link: &str) -> &str {
    link.rsplit('#').next().unwrap_or_default()
}

/// The organization that an operation of the operator's is about, wherever it is. None, if no organization is
/// named; `Err` if the body names it.
pub fn operated(method: &Method, path: &str, body: Option<&Bytes>) -> Result<Option<String>, BodySaysIt> {
    let rest = path.strip_prefix(PREFIX).and_then(|path| path.strip_prefix("/organizations"));
    let Some(rest) = rest else { return Ok(None) };
    match rest.strip_prefix('/') {
        Some(rest) => Ok(rest.split('/').next().filter(|name| !name.is_empty()).map(decoded)),
        None if rest.is_empty() && *method == Method::POST => {
            let founded: Founded = serde_json::from_slice(body.ok_or(BodySaysIt)?).unwrap_or_default();
            Ok(founded.name)
        }
        None => Ok(None),
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The body has to be read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodySaysIt;

#[derive(Default, Deserialize)]
struct Founded {
    name: Option<String>,
}

#[cfg(test)]
mod tests;
