//! What every handler stands on: the books, and who may ask them.

use std::sync::Arc;

use access::{AccessError, Authenticator, Caller};
use axum::http::HeaderMap;
use engine::{Engine, SandboxClock};

use crate::credentials::{Credentials, authorization};

/// One per server, shared by the routers of all dialects.
pub struct App {
    pub engine: Engine,
    pub access: Authenticator,
    pub limits: Limits,
    /// The clock that may be moved, on a server that is a sandbox.
    pub sandbox: Option<Arc<SandboxClock>>,
}

/// What one request may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Commands in one batch.
    pub batch_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch_max: 8192 }
    }
}

impl App {
    pub fn new(engine: Engine, limits: Limits) -> Self {
        let access = Authenticator::new(engine.clone());
        Self { engine, access, limits, sandbox: None }
    }

    #[must_use]
    pub fn with_sandbox(self, clock: Option<Arc<SandboxClock>>) -> Self {
        Self { sandbox: clock, ..self }
    }

    /// Who sent these headers: the seller by a bearer token, an account by Basic key and secret.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Caller, AccessError> {
        match authorization(headers) {
            Ok(Some(Credentials::Bearer(token))) => self.access.token(token),
            Ok(Some(Credentials::Basic(basic))) => self.access.account(basic.user(), basic.password()).await,
            Ok(None) | Err(_) => Err(AccessError::Unauthenticated),
        }
    }
}
