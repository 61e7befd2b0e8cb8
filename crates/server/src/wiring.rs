//! Which dialects there are, and what keeps an eye on the books.

use std::sync::Arc;
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
    let is_vonage = path.starts_with("/accounts/");
    if is_vonage { dialect_vonage::unavailable(error) } else { dialect_native::unavailable(error) }
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
