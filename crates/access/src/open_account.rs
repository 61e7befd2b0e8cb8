//! An account and its first secret.

use engine::{Content, Engine, Key, Outcome, Receipt, Refusal, Request, Unavailable};
use ledger::{AccountIndex, Act, Actor, Command, Event, Holder, NewAccount, Rejection, Verifier};

use crate::secret::{Secret, secret_digest};
use crate::{NO_EXPIRY, Role};

#[derive(Debug)]
pub struct Opened {
    pub account: AccountIndex,
    /// None when this repeats an opening whose secret was made already: secrets are shown once.
    pub secret: Option<Secret>,
    pub receipt: Receipt,
}

#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("opening was rejected: {0:?}")]
    Rejected(Rejection),
    #[error("opening was refused: {0:?}")]
    Refused(Refusal),
    /// The account is there and has no secret: repeat with the same key, or add one.
    #[error("the account was opened, but its secret was not made")]
    WithoutSecret(AccountIndex),
}

/// Opens an account and makes its first secret.
///
/// A secret is hashed together with its account's api key, and that key follows from the account's
/// index: so these are two acts, one durable after the other. Whoever repeats the first under its key
/// gets the second done too, if it was not. Run it in a task of its own: a client that leaves half-way
/// would leave the account without a secret.
pub async fn open_account(
    engine: &Engine,
    actor: Actor,
    new: NewAccount,
    key: Option<(Key, Content)>,
) -> Result<Opened, NotOpened> {
    let act = Act::OpenAccount(Box::new(new));
    let receipt = match engine.submit(Request { command: Command { actor, act }, key }).await? {
        Outcome::Done(receipt) => receipt,
        Outcome::Rejected(rejection) => return Err(NotOpened::Rejected(rejection)),
        Outcome::Refused(refusal) => return Err(NotOpened::Refused(refusal)),
        Outcome::Repeated(_) => return Err(NotOpened::Refused(Refusal::Unreadable)),
    };
    let Event::AccountOpened { account, .. } = receipt.event else {
        return Err(NotOpened::Refused(Refusal::KeyConflict));
    };
    let secret = first_secret(engine, actor, account).await?;
    Ok(Opened { account, secret, receipt })
}

async fn first_secret(
    engine: &Engine,
    actor: Actor,
    account: AccountIndex,
) -> Result<Option<Secret>, NotOpened> {
    let secret = Secret::new_secret(engine.entropy());
    let api_key = format!("{:08x}", engine.seals().api_key(account));
    let act = Act::IssueCredential {
        holder: Holder::Account(account),
        role: Role::Account.code(),
        verifier: Verifier::Digest(secret_digest(engine.seals(), &api_key, secret.expose())),
        label: None,
        expires_at: NO_EXPIRY,
        live_max: Some(1),
    };
    match engine.submit(Request { command: Command { actor, act }, key: None }).await {
        Ok(Outcome::Done(_)) => Ok(Some(secret)),
        Ok(Outcome::Rejected(Rejection::TooManyCredentials { .. })) => Ok(None),
        Ok(_) | Err(_) => Err(NotOpened::WithoutSecret(account)),
    }
}
