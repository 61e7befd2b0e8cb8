//! Addresses that somebody wants to be called at. They are kept, not called.

use axum::http::Uri;

const CHARACTERS_MAX: usize = 2048;

/// An absolute `http` or `https` URL with a host, without a user in it: secrets have no place there.
pub fn is_web_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    text.len() <= CHARACTERS_MAX
        && matches!(uri.scheme_str(), Some("http" | "https"))
        && has_host
        && !has_user
}
