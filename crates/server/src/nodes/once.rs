//! Which requests may be sent again, and the names under which they are done once.
//!
//! A caller's name for a request is its idempotency key. What has none gets a name that only nodes can give, and
//! the dialects take it for one.

use axum::http::request::Parts;
use dialect::{Once, RequestId};
use dialect_native::{IDEMPOTENCY_KEY, is_batch};

/// Whether the request may be done again, here or elsewhere; it gets a name, where it can have one and has none.
pub(super) fn is_repeatable(parts: &mut Parts) -> bool {
    let takes_name = takes_key(parts)
        || is_batch(&parts.method, parts.uri.path())
        || dialect_vonage::is_done_once(&parts.method, parts.uri.path());
    if takes_name && !has_key(parts) {
        parts.extensions.get_or_insert_with(|| Once(RequestId::random().as_str().to_owned()));
    }
    takes_name || parts.method.is_safe()
}

/// The same, of a request that is answered here. Keys are remembered for long and by the million, and the book
/// hardly ever stops under a request: so what could have brought a key gets none for that. Of a batch the answer
/// says whether all of it had keys.
pub(super) fn is_repeatable_here(parts: &mut Parts) -> bool {
    if takes_key(parts) {
        return has_key(parts);
    }
    is_batch(&parts.method, parts.uri.path()) || is_repeatable(parts)
}

fn has_key(parts: &Parts) -> bool {
    takes_key(parts) && parts.headers.contains_key(IDEMPOTENCY_KEY)
}

fn takes_key(parts: &Parts) -> bool {
    dialect_native::is_done_once(&parts.method, parts.uri.path())
}

#[cfg(test)]
mod tests;
