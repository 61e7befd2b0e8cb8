//! Which requests may be sent again, and the names under which they are done once.
//!
//! A caller's name for a request is its idempotency key. Where there is none a node gives one, if it sends the
//! request to another: as a key, where the operation takes one; else as a name that only nodes can give.

use axum::http::request::Parts;
use dialect::{Once, RequestId};
use dialect_native::IDEMPOTENCY_KEY;

/// Whether the request may be done again, here or elsewhere; it gets a name, where it can have one and has none.
pub(super) fn is_repeatable(parts: &mut Parts) -> bool {
    let (method, path) = (&parts.method, parts.uri.path());
    if dialect_vonage::is_done_once(method, path) || dialect_native::is_batch(method, path) {
        parts.extensions.get_or_insert_with(|| Once(RequestId::random().as_str().to_owned()));
        return true;
    }
    if parts.method.is_safe() {
        return true;
    }
    let is_done_once = dialect_native::is_done_once(method, path);
    if is_done_once && !parts.headers.contains_key(IDEMPOTENCY_KEY) {
        parts.headers.insert(IDEMPOTENCY_KEY, RequestId::random().header_value());
    }
    is_done_once
}

/// The same, of a request that is answered here. Keys are remembered for long and by the million, and the book
/// hardly ever stops under a request: so a charge gets none for that. Of a batch the answer says whether all of
/// it had keys.
pub(super) fn is_repeatable_here(parts: &mut Parts) -> bool {
    let (method, path) = (&parts.method, parts.uri.path());
    let is_native = dialect_native::is_done_once(method, path);
    if is_native && !parts.headers.contains_key(IDEMPOTENCY_KEY) {
        return false;
    }
    dialect_native::is_batch(method, path) || is_repeatable(parts)
}

#[cfg(test)]
mod tests;
