//! Which dialects there are, and what keeps an eye on the books.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dialect::App;
use engine::Engine;

use crate::health::{Health, Readiness};

/// All dialects on one port: their paths do not meet.
pub fn router(app: Arc<App>) -> Router {
    Router::new().merge(dialect_native::router(app.clone())).merge(dialect_vonage::router(app))
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
