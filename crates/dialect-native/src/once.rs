//! The `Idempotency-Key` header: one intent, done once.
//!
//! What was asked is hashed from the fields as they were read, not from their bytes: another order of
//! members or `1.50` for `1.5` is the same intent.

use access::Caller;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};
use dialect::{App, Arrival};
use engine::{Content, Key};
use serde::Serialize;

use crate::problem::{Kind, Problem};
use crate::router::PREFIX;

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(crate) const KEY_CHARACTERS_MAX: usize = 255;

/// The caller's name for this request, if it gave one; or that of a node which may send it more than once.
pub(crate) struct Once(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for Once {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Ok(Self(Arrival::current().once.map(|dialect::Once(name)| name)));
        };
        let key = value.to_str().ok().filter(|key| is_key(key) && values.next().is_none());
        match key {
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => Err(Problem::new(Kind::InvalidParameter)
                .with_parameter("Idempotency-Key")
                .with_detail("an idempotency key is 1 to 255 printable ASCII characters, once")),
        }
    }
}

pub(crate) fn is_key(text: &str) -> bool {
    let printable = |byte: u8| (b' '..0x7f).contains(&byte);
    (1..=KEY_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(printable)
}

/// Whether an operation takes the header, so that a request with a key may be repeated: all that change
/// something, but a batch, whose charges have keys of their own.
pub fn is_done_once(method: &Method, path: &str) -> bool {
    !method.is_safe() && operation(path).is_some_and(|operation| operation != BATCH)
}

/// Whether the charges of a request have keys of their own: they are done once, each of them, if all have, or if
/// a node gives it a name ([`dialect::Once`]).
pub fn is_batch(method: &Method, path: &str) -> bool {
    *method == Method::POST && operation(path) == Some(BATCH)
}

const BATCH: &str = "/charges";

fn operation(path: &str) -> Option<&str> {
    path.strip_prefix(PREFIX).filter(|rest| rest.starts_with('/'))
}

impl Once {
    /// The key, and what is asked under it: the operation, what it is about, and the fields given.
    pub(crate) fn key(
        &self,
        app: &App,
        caller: &Caller,
        operation: &str,
        about: impl std::fmt::Debug,
        asked: &impl Serialize,
    ) -> Option<(Key, Content)> {
        let key = self.0.as_deref()?;
        let about = format!("{about:?}");
        let asked = canonical(asked);
        let content =
            access::content(&app.engine, &[operation.as_bytes(), about.as_bytes(), asked.as_bytes()]);
        Some((caller.key(&app.engine, key), content))
    }
}

/// The fields that were given, by name; absent ones leave no trace, so that new ones can be added.
fn canonical(asked: &impl Serialize) -> String {
    let mut value = serde_json::to_value(asked).expect("requests are texts, numbers and flags");
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value.to_string()
}

#[cfg(test)]
mod tests;
