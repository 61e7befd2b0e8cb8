//! Which dialects there are, and what keeps an eye on the books.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::request::Parts;
use axum::response::Response;
use dialect::{App, Whose};
use engine::{Engine, Unavailable};

use crate::health::{Health, Readiness};

/// All dialects on one port: their paths do not meet.
pub fn router(app: Arc<App>) -> Router {
    Router::new().merge(dialect_native::router(app.clone())).merge(dialect_vonage::router(app))
}

/// Whose a request says it is, in its dialect. None: its body says it.
pub(crate) fn whose(parts: &Parts, body: Option<&Bytes>) -> Option<Whose> {
    if is_vonage(parts.uri.path()) {
        dialect_vonage::whose(parts, body)
    } else {
        dialect_native::whose(parts, body)
    }
}

/// Not one of the pages for browsers.
pub(crate) fn is_of_an_api(path: &str) -> bool {
    path.starts_with("/api/") || is_vonage(path)
}

fn is_vonage(path: &str) -> bool {
    path.starts_with("/accounts/") || path.starts_with("/account/")
}

/// What the dialect of this path says of a request that did not reach the book.
pub(crate) fn unavailable(path: &str, error: Unavailable) -> Response {
    if is_vonage(path) { dialect_vonage::unavailable(error) } else { dialect_native::unavailable(error) }
}

/// Writes down once a minute which credentials were used for the first time on their day, for as long as the
/// dialects are served.
pub async fn note_uses(app: Weak<App>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(60));
    loop {
        ticks.tick().await;
        let Some(app) = app.upgrade() else { return };
        if let Err(error) = app.access.last_use().write_down(&app.engine).await {
            tracing::debug!(%error, "which credentials were used is not written down");
        }
    }
}

/// Says on `/readyz` when the books have stopped, and why. They start again with the process.
pub async fn watch(engine: Engine, health: Health) {
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    loop {
        ticks.tick().await;
        if let Some(reason) = engine.stopped() {
            tracing::error!(
                reason = &*reason,
                "the books have stopped; restart the server once the cause is gone"
            );
            health.set(Readiness::Faulted(reason.to_string()));
            return;
        }
    }
}
