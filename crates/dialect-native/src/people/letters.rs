//! What the letters say.

use dialect::App;
use mail::{Letter, LetterError};

pub(crate) fn invitation(app: &App, to: &str, organization: &str, link: &str) -> Result<Letter, LetterError> {
    let text = format!(
        "You are invited to {organization}.\r\n\r\n\
         Follow this link to join, before it expires:\r\n\r\n{link}\r\n\r\n\
         If you do not know what this is about, there is nothing to do.\r\n"
    );
    letter(app, to, "an invitation", &format!("Invitation to {organization}"), text)
}

pub(crate) fn password_reset(
    app: &App,
    to: &str,
    organization: &str,
    link: &str,
) -> Result<Letter, LetterError> {
    let text = format!(
        "Somebody asked to set a new password for {to} at {organization}.\r\n\r\n\
         If it was you, follow this link within an hour:\r\n\r\n{link}\r\n\r\n\
         If it was not, there is nothing to do: the password stays as it is.\r\n"
    );
    letter(app, to, "a password reset", &format!("A new password for {organization}"), text)
}

/// Whether a letter could be written to that address at all.
pub(crate) fn check(app: &App, to: &str) -> Result<(), LetterError> {
    letter(app, to, "nothing", "", String::new()).map(drop)
}

fn letter(
    app: &App,
    to: &str,
    about: &'static str,
    subject: &str,
    text: String,
) -> Result<Letter, LetterError> {
    const FROM: &str = "bursar@localhost";
    let from = app.site.mail_from.as_deref().unwrap_or(FROM);
    Letter::new(from, to, about, subject, text)
}
