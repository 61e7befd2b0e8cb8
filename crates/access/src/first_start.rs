//! What a book needs before anybody can ask it for anything: an organization, and a token of its owner.

use domain::Currency;
use engine::{Engine, Outcome, Request, Unavailable, found};
use ledger::{Act, Actor, Command, Holder, Rejection, Verifier};

use crate::secret::{Secret, token_digest};
use crate::{NO_EXPIRY, Role};

/// The organization that is meant when none is named.
pub const DEFAULT_ORGANIZATION: &str = "default";

#[derive(Debug, thiserror::Error)]
pub enum FirstStartError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    TimeZone(#[from] engine::UnknownTimeZone),
    #[error("the first organization was refused: {0}")]
    Refused(String),
}

/// Founds the default organization if there is none, and issues the owner's token: the one given, or a
/// new one. None on every later start, unless a token is given that is not known yet.
pub async fn first_start(engine: &Engine, given: Option<Secret>) -> Result<Option<Secret>, FirstStartError> {
    let is_first = engine.directory().organization(DEFAULT_ORGANIZATION).is_none();
    if is_first {
        let now = engine.read(|_, now| now).await?;
        act(engine, found(DEFAULT_ORGANIZATION, "UTC", Currency::EUR, now)?).await?;
    }
    let token = match given {
        Some(token)
            if engine.directory().credential(&token_digest(engine.seals(), token.expose())).is_some() =>
        {
            return Ok(None);
        }
        Some(token) => token,
        None if is_first => Secret::new_token(engine.entropy(), engine.seals().book()),
        None => return Ok(None),
    };
    let (organization, _) = engine
        .directory()
        .organization(DEFAULT_ORGANIZATION)
        .ok_or_else(|| FirstStartError::Refused("it is not there".to_owned()))?;
    let issue = Act::IssueCredential {
        holder: Holder::Organization(organization),
        role: Role::Owner.code(),
        verifier: Verifier::Digest(token_digest(engine.seals(), token.expose())),
        label: None,
        expires_at: NO_EXPIRY,
        live_max: None,
        scope: None,
    };
    act(engine, issue).await?;
    Ok(Some(token))
}

async fn act(engine: &Engine, act: Act) -> Result<(), FirstStartError> {
    let request = Request { command: Command { actor: Actor::System, act }, key: None };
    match engine.submit(request).await? {
        Outcome::Done(_) | Outcome::Rejected(Rejection::NameTaken) => Ok(()),
        refused => Err(FirstStartError::Refused(format!("{refused:?}"))),
    }
}
