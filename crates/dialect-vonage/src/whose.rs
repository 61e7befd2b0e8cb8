//! Whose a request is, before any book has seen it.

use axum::body::Bytes;
use axum::http::request::Parts;
use dialect::{Body, Whose};

use crate::parameters::Parameters;

/// None: the body says it.
pub fn whose(parts: &Parts, body: Option<&Bytes>) -> Option<Whose> {
    if let Some(whose) = Whose::of_credentials(&parts.headers) {
        return Some(whose);
    }
    let of = |parameters: &Parameters| parameters.get("api_key").map(|key| Whose::Account(key.to_owned()));
    if let Some(whose) = of(&Parameters::of_query(&parts.uri)) {
        return Some(whose);
    }
    // An old form of the path ends in key and secret.
    let in_path = parts.uri.path().strip_prefix("/account/get-balance/");
    if let Some(key) = in_path.and_then(|rest| rest.split('/').next()) {
        return Some(Whose::Account(key.to_owned()));
    }
    if parts.method.is_safe() {
        return Some(Whose::Nobodys);
    }
    let body = Body { bytes: body?.clone(), media_type: String::new() };
    let parameters = Parameters::of_request(&parts.uri, Ok(body)).ok();
    Some(parameters.as_ref().and_then(of).unwrap_or(Whose::Nobodys))
}

#[cfg(test)]
mod tests;
