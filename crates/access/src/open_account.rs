//! An account and its first secret, in one act.

use engine::{Content, Engine, Key, Origin, Outcome, Receipt, Refusal, Request, Unavailable};
use ledger::{AccountIndex, Act, Actor, Command, Event, NewAccount, Rejection, Verifier};

use crate::Role;
use crate::secret::{Secret, secret_digest};

#[derive(Debug)]
pub struct Opened {
    pub account: AccountIndex,
    /// None when this repeats an opening: secrets are shown once.
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
}

/// Opens an account with a secret of ours.
pub async fn open_account(
    engine: &Engine,
    actor: Actor,
    new: NewAccount,
    key: Option<(Key, Content)>,
    origin: Origin,
) -> Result<Opened, NotOpened> {
    let secret = Secret::new_secret(engine.entropy());
    let verifier = Verifier::Digest(secret_digest(engine.seals(), secret.expose()));
    let new = NewAccount { credential: Some((Role::Account.code(), verifier)), ..new };
    let act = Act::OpenAccount(Box::new(new));
    let request = Request { command: Command { actor, act }, key };
    let receipt = match engine.submit_from(request, Some(origin)).await? {
        Outcome::Done(receipt) => receipt,
        Outcome::Rejected(rejection) => return Err(NotOpened::Rejected(rejection)),
        Outcome::Refused(refusal) => return Err(NotOpened::Refused(refusal)),
        Outcome::Repeated(_) => return Err(NotOpened::Refused(Refusal::Unreadable)),
    };
    let Event::AccountOpened { account, .. } = receipt.event else {
        return Err(NotOpened::Refused(Refusal::KeyConflict));
    };
    let secret = (!receipt.repeated).then_some(secret);
    Ok(Opened { account, secret, receipt })
}
