//! What every handler stands on: the books, and who may ask them.

use std::sync::Arc;

use access::{AccessError, Authenticator, Caller};
use axum::http::HeaderMap;
use engine::{Engine, SandboxClock};
use mail::{Mailer, Way};
use sign_in_provider::Providers;

use crate::credentials::{Credentials, authorization};

/// One per server, shared by the routers of all dialects.
pub struct App {
    pub engine: Engine,
    pub access: Authenticator,
    pub limits: Limits,
    /// The clock that may be moved, on a server that is a sandbox.
    pub sandbox: Option<Arc<SandboxClock>>,
    pub mailer: Mailer,
    pub site: Site,
    /// Where companies sign in themselves.
    pub providers: Providers,
}

/// How people reach this server, and what letters say of it.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Where links begin, without a slash at the end; none: links are the bare words that prove something.
    pub public_url: Option<String>,
    /// The sender of letters.
    pub mail_from: Option<String>,
}

impl Site {
    /// Whether browsers come by TLS, here or in front of here.
    pub fn is_secure(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// A link that carries what it proves behind a `#`, which browsers send nowhere.
    pub fn link(&self, page: &str, proof: &str) -> String {
        match &self.public_url {
            Some(url) => format!("{url}/{page}#{proof}"),
            None => proof.to_owned(),
        }
    }
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
        Self {
            engine,
            access,
            limits,
            sandbox: None,
            mailer: Mailer::new(Way::None),
            site: Site::default(),
            providers: Providers::new(false, &[]),
        }
    }

    #[must_use]
    pub fn with_site(self, site: Site, mailer: Mailer) -> Self {
        Self { site, mailer, ..self }
    }

    #[must_use]
    pub fn with_sandbox(self, clock: Option<Arc<SandboxClock>>) -> Self {
        // A test server may have its provider beside it.
        let providers = Providers::new(clock.is_some(), &[]);
        Self { sandbox: clock, providers, ..self }
    }

    /// Certificates (DER) that are trusted besides those of the web where companies sign in themselves. Behind
    /// [`Self::with_sandbox`].
    #[must_use]
    pub fn with_roots(self, roots: &[Vec<u8>]) -> Self {
        let providers = Providers::new(self.sandbox.is_some(), roots);
        Self { providers, ..self }
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
