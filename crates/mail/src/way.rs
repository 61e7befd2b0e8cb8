//! How letters leave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use url::Url;
use uuid::Uuid;

use crate::Letter;

pub enum Way {
    None,
    Folder(PathBuf),
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

#[derive(Debug, thiserror::Error)]
pub enum WayError {
    #[error("{0} is no URL of a mail relay: smtp://… or smtps://…")]
    Url(String),
    #[error("the password of a mail relay belongs into its own file or variable, not into its URL")]
    PasswordInUrl,
    #[error("the folder {} cannot be written to", .0.display())]
    Folder(PathBuf, #[source] std::io::Error),
    #[error("the relay said no: {0}")]
    Refused(String),
    #[error("the relay cannot be reached or is busy: {0}")]
    Unreachable(String),
}

/// Of one exchange with a relay.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Way {
    pub fn folder(path: &Path) -> Result<Self, WayError> {
        std::fs::create_dir_all(path).map_err(|error| WayError::Folder(path.to_owned(), error))?;
        Ok(Self::Folder(path.to_owned()))
    }

    /// `smtps://user@relay:465`, or `smtp://relay:587?tls=required`; without `tls` nothing is encrypted. `roots`:
    /// certificates (DER) that are trusted besides those of the web.
    pub fn smtp(url: &str, password: Option<&str>, roots: &[Vec<u8>]) -> Result<Self, WayError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| WayError::Url(url.to_owned()))?;
        let (user, place) = match rest.rsplit_once('@') {
            None => (None, rest),
            Some((user, _)) if user.contains(':') => return Err(WayError::PasswordInUrl),
            Some((user, place)) => (Some(user), place),
        };
        let relay = format!("{scheme}://{place}");
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&relay);
        let mut builder = builder.map_err(|_| WayError::Url(url.to_owned()))?.timeout(Some(TIMEOUT));
        if !roots.is_empty() {
            builder = builder.tls(trusting(&relay, roots).ok_or_else(|| WayError::Url(url.to_owned()))?);
        }
        if let Some(user) = user {
            let user = user.replace("%40", "@");
            builder = builder.credentials(Credentials::new(user, password.unwrap_or_default().to_owned()));
        }
        Ok(Self::Smtp(Box::new(builder.build())))
    }

    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), WayError> {
        match self {
            Self::None => Ok(()),
            Self::Folder(folder) => {
                let bytes = letter.message().formatted();
                let path = folder.join(format!("{}.eml", Uuid::now_v7()));
                let failed = |error| WayError::Folder(folder.clone(), error);
                let written = tokio::task::spawn_blocking(move || {
                    // Whole or not at all: whoever watches the folder reads what is called `.eml`.
                    let part = path.with_extension("part");
                    std::fs::write(&part, bytes)?;
                    std::fs::rename(part, path)
                });
                written.await.map_err(|error| failed(error.into()))?.map_err(failed)
            }
            Self::Smtp(relay) => match relay.send(letter.message().clone()).await {
                Ok(_) => Ok(()),
                Err(error) if error.is_permanent() => Err(WayError::Refused(status(&error))),
                Err(error) => Err(WayError::Unreachable(status(&error))),
            },
        }
    }
}

/// As the URL asks for it, with more roots: the one thing that a URL cannot say.
fn trusting(relay: &str, roots: &[Vec<u8>]) -> Option<Tls> {
    let url = Url::parse(relay).ok()?;
    let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let roots = roots.iter().map(|der| Certificate::from_der(der.clone()));
    let builder =
        roots.into_iter().try_fold(TlsParameters::builder(url.host_str()?.to_owned()), |builder, root| {
            Some(builder.add_root_certificate(root.ok()?))
        });
    let parameters = builder?.build().ok()?;
    Some(match (url.scheme(), asked.as_deref()) {
        ("smtps", _) => Tls::Wrapper(parameters),
        (_, Some("required")) => Tls::Required(parameters),
        (_, Some("opportunistic")) => Tls::Opportunistic(parameters),
        _ => Tls::None,
    })
}

/// What a relay says may quote the letter: its code is enough.
fn status(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => code.to_string(),
        None if error.is_timeout() => "timeout".to_owned(),
        None if error.is_tls() => "TLS".to_owned(),
        None => "connection".to_owned(),
    }
}

impl WayError {
    /// Trying again would change nothing.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}
