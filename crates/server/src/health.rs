//! `/healthz`: the process answers. `/readyz`: it may be sent work.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dialect::Problem;

/// Whether work may be sent here. Shared: the engine and the listener set it, probes read it.
#[derive(Clone, Debug)]
pub struct Health(Arc<RwLock<Readiness>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The books are being read back.
    Starting,
    Ready,
    /// Of several nodes this one leads; it has taken over so often.
    Leading(u64),
    /// Another node leads, at this address.
    Following(String),
    /// Nobody leads right now, or where they do is not known.
    Leaderless,
    /// Told to stop; finishing what was accepted.
    Draining,
    /// Cannot go on without an operator, and why.
    Faulted(String),
}

impl Health {
    pub fn starting() -> Self {
        Self(Arc::new(RwLock::new(Readiness::Starting)))
    }

    pub fn readiness(&self) -> Readiness {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, readiness: Readiness) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // A process that is told to stop is not ready again, whoever leads.
        if *known != Readiness::Draining && *known != readiness {
            tracing::info!(?readiness, "readiness");
            *known = readiness;
        }
    }

    pub(crate) fn routes(&self) -> Router {
        let health = self.clone();
        Router::new()
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(async move || health.readiness().into_response()))
    }
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        let reason = match self {
            Self::Ready => return "ready\n".into_response(),
            Self::Leading(takeovers) => {
                return format!("ready\nleading, take-overs: {takeovers}\n").into_response();
            }
            Self::Following(leader) => return format!("ready\nfollowing {leader}\n").into_response(),
            Self::Leaderless => "no node leads".to_owned(),
            Self::Starting => "starting".to_owned(),
            Self::Draining => "draining".to_owned(),
            Self::Faulted(reason) => format!("faulted: {reason}"),
        };
        Problem::of(StatusCode::SERVICE_UNAVAILABLE).with_detail(reason).into_response()
    }
}
