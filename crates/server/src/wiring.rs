//! Which dialects there are, and what keeps an eye on the books.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use dialect::App;
use engine::{Engine, Unavailable};

use crate::health::{Health, Readiness};

/// All dialects on one port: their paths do not meet.
pub fn router(app: Arc<App>) -> Router {
    Router::new().merge(dialect_native::router(app.clone())).merge(dialect_vonage::router(app))
}

/// What the dialect of this path says of a request that did not reach the book.
pub(crate) fn unavailable(path: &str, error: Unavailable) -> Response {
    let is_vonage = path.starts_with("/accounts/") || path.starts_with("/account/");
    if is_vonage { dialect_vonage::unavailable(error) } else { dialect_native::unavailable(error) }
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
