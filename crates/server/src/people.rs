//! What signing in needs of the configuration: how people come here, and how letters leave.

use std::sync::Weak;
use std::time::Duration;

use dialect::{App, Site};
use mail::{Mailer, Way, WayError};

use crate::Config;

#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error(transparent)]
    Way(#[from] WayError),
    #[error("the password of the mail relay cannot be read from {0}")]
    Password(String, #[source] std::io::Error),
}

/// `password` is what the environment says; a file goes before it.
pub fn site(config: &Config, password: Option<String>) -> Result<(Site, Mailer), PeopleError> {
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
            Way::smtp(url, password.as_deref())?
        }
        (None, Some(folder)) => Way::folder(folder)?,
        (None, None) => Way::None,
    };
    let site = Site { public_url: config.public_url.clone(), mail_from: config.mail_from.clone() };
    Ok((site, Mailer::new(way)))
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
