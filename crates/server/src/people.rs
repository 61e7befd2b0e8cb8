//! What people need of the configuration: how they come here, how letters leave, and whom the server believes
//! when it asks elsewhere.

use std::sync::{Arc, Weak};
use std::time::Duration;

use dialect::{App, Limits, Site};
use engine::{Engine, SandboxClock};
use mail::{Mailer, Way, WayError};

use crate::Config;
use crate::tls::{TlsError, roots};

#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error(transparent)]
    Way(#[from] WayError),
    #[error("the password of the mail relay cannot be read from {0}")]
    Password(String, #[source] std::io::Error),
    #[error("outgoing_tls_roots: {0}")]
    Roots(#[source] TlsError),
}

#[derive(Clone)]
pub struct People {
    site: Site,
    pub mailer: Mailer,
    /// Certificates (DER) that are trusted besides those of the web.
    roots: Vec<Vec<u8>>,
}

impl People {
    /// `password` is what the environment says; a file goes before it.
    pub fn new(config: &Config, password: Option<String>) -> Result<Self, PeopleError> {
        let roots = config.outgoing_tls_roots.as_deref().map(roots).transpose();
        let roots = roots.map_err(PeopleError::Roots)?.unwrap_or_default();
        let way = match (&config.smtp_url, &config.mail_directory) {
            (Some(url), _) => {
                let password = match &config.smtp_password_file {
                    None => password,
                    Some(path) => {
                        let text = std::fs::read_to_string(path);
                        let text =
                            text.map_err(|error| PeopleError::Password(path.display().to_string(), error))?;
                        Some(text.trim_end_matches(['\r', '\n']).to_owned())
                    }
                };
                Way::smtp(url, password.as_deref(), &roots)?
            }
            (None, Some(folder)) => Way::folder(folder)?,
            (None, None) => Way::None,
        };
        let site = Site { public_url: config.public_url.clone(), mail_from: config.mail_from.clone() };
        Ok(Self { site, mailer: Mailer::new(way), roots })
    }

    /// What the dialects stand on, over one book.
    pub fn app(&self, engine: &Engine, limits: Limits, sandbox: Option<Arc<SandboxClock>>) -> Arc<App> {
        let app = App::new(engine.clone(), limits).with_sandbox(sandbox).with_roots(&self.roots);
        Arc::new(app.with_site(self.site.clone(), self.mailer.clone()))
    }
}

/// Notes failed sign-ins that were only counted, now and then.
pub async fn note_failures(app: Weak<App>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(60));
    loop {
        ticks.tick().await;
        let Some(app) = app.upgrade() else { return };
        let Ok(now) = app.engine.read(|_, now| now).await else { return };
        app.access.sign_in().note_due(now).await;
    }
}

#[cfg(test)]
mod tests;
