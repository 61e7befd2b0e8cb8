//! Who is asking, and may they?
//!
//! The one idea: [`operation::TABLE`] says for every role which operations it may do; checks,
//! documentation and tests are made from it. Here it is asked before a command is sent; whether the
//! credential still counts at that moment is decided by the book, in the order of charges.
//!
//! | credential | who holds it | proves itself by | cost |
//! |---|---|---|---|
//! | token | the seller's programs, and people | keyed hash of 256 random bits | a microsecond |
//! | session | a person, under one membership | keyed hash of 256 random bits | a microsecond |
//! | password, and second factor | a person | argon2id, at every sign-in | 20 ms |
//! | a provider's word, and second factor | a person | outside, by who asks | two round trips there |
//! | secret made by us | an account | keyed hash of 148 random bits | a microsecond |
//! | secret chosen by a person | an account | argon2id, once; remembered until it is revoked | 20 ms, then a microsecond |
//!
//! Each credential may be held to a scope: to some operations (asked here), to some accounts and to amounts of
//! money (decided by the book). None that is makes another.
//!
//! Invariants: no secret is stored, logged or printed twice; unknown account and wrong secret are one
//! answer; slow hashing runs on few threads with a bounded queue.

mod attempts;
mod caller;
mod factor;
mod first_start;
mod handle;
mod last_use;
mod link;
mod open_account;
pub mod operation;
mod password;
mod password_rules;
mod permissions;
mod placement;
mod scope;
mod secret;
mod sign_in;

pub use caller::{Caller, CallingPerson};
pub use factor::{
    code_at, code_step, factor_text, factor_uri, new_factor_secret, new_recovery_codes, recovery_digest,
};
pub use first_start::{DEFAULT_ORGANIZATION, FirstStartError, first_start};
pub use handle::{
    HandleKind, UnknownHandle, email_digest, find_account, handle_digest, is_own, number_digest,
    parse_account, parse_own, reload_digest,
};
pub use last_use::LastUse;
pub use link::{
    RESET_SECS, invitation_link, is_reset_link, read_invitation_link, reset_link, reset_link_user,
};
pub use open_account::{NotOpened, Opened, open_account};
pub use operation::{Operation, Role};
pub use password::{PasswordError, Passwords};
pub use password_rules::{PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN, PasswordRule, check_password};
pub use permissions::Permissions;
pub use placement::Placement;
pub use scope::Action;
pub use secret::{Secret, SecretError, check_chosen_secret, secret_digest, token_digest};
pub use sign_in::{
    Credentials, SESSION_KEPT_SECS, SESSION_SECS, SignIn, SignInError, SignedIn, subject_digest,
};

use domain::Timestamp;
use engine::{Content, Engine, Known};
use ledger::{AccountIndex, Actor, Holder};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// No credential, or one that proves nothing. Which, is not told.
    #[error("the credentials are missing or wrong")]
    Unauthenticated,
    #[error("this role may not do that")]
    Forbidden { operation: Operation },
    /// The role may, but the secret is held to a scope that does not cover it.
    #[error("the scope of this credential does not cover that")]
    OutOfScope { operation: Operation },
    /// Too many slow verifications are waiting.
    #[error("too many sign-ins at once")]
    Busy,
}

/// What was asked under a key, hashed.
pub fn content(engine: &Engine, parts: &[&[u8]]) -> Content {
    Content(engine.seals().short_digest("content", parts))
}

/// Finds out who is asking.
pub struct Authenticator {
    engine: Engine,
    passwords: Passwords,
    sign_in: SignIn,
    last_use: LastUse,
}

impl Authenticator {
    pub fn new(engine: Engine) -> Self {
        let passwords = Passwords::new(engine.clone());
        let sign_in = SignIn::new(engine.clone());
        Self { engine, passwords, sign_in, last_use: LastUse::default() }
    }

    /// A bearer token: of the seller's programs, of a person, or of a session.
    pub fn token(&self, token: &str) -> Result<Caller, AccessError> {
        if Secret::is_session(token) {
            return self.session(token);
        }
        let digest = token_digest(self.engine.seals(), token);
        let known = self.engine.directory().credential(&digest).ok_or(AccessError::Unauthenticated)?;
        let caller = match known.holder {
            Holder::Member(membership) => {
                let member = self.engine.directory().member(membership);
                let actor = Actor::Credential(known.credential);
                let caller = member.and_then(|member| Caller::member(actor, membership, &member, None));
                caller.map(|caller| caller.held_to(known.scope))
            }
            Holder::Organization(_) | Holder::Account(_) => Caller::holder(known),
        };
        let caller = caller.ok_or(AccessError::Unauthenticated)?;
        self.last_use.note(known.credential, &self.engine);
        Ok(caller)
    }

    /// The token of a session, from a cookie or a header.
    pub fn session(&self, token: &str) -> Result<Caller, AccessError> {
        let digest = secret::session_token_digest(self.engine.seals(), token);
        let directory = self.engine.directory();
        let caller = directory.session(&digest).and_then(|(session, membership)| {
            let member = directory.member(membership)?;
            Caller::member(Actor::Session(session), membership, &member, Some(session))
        });
        caller.ok_or(AccessError::Unauthenticated)
    }

    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// An account's key and secret, as Basic credentials carry them.
    pub async fn account(&self, key: &str, secret: &str) -> Result<Caller, AccessError> {
        let account = parse_account(&self.engine, key).map_err(|_| AccessError::Unauthenticated)?;
        let known = self.find(account, secret).await?.ok_or(AccessError::Unauthenticated)?;
        let caller = Caller::holder(known).ok_or(AccessError::Unauthenticated)?;
        self.last_use.note(known.credential, &self.engine);
        Ok(caller)
    }

    /// When credentials were used.
    pub fn last_use(&self) -> &LastUse {
        &self.last_use
    }

    /// Whether the account has this secret already.
    pub async fn is_in_use(&self, account: AccountIndex, secret: &Secret) -> Result<bool, AccessError> {
        Ok(self.find(account, secret.expose()).await?.is_some())
    }

    async fn find(&self, account: AccountIndex, secret: &str) -> Result<Option<Known>, AccessError> {
        let made = self.engine.directory().credential(&secret_digest(self.engine.seals(), secret));
        match made.filter(|known| known.holder == Holder::Account(account)) {
            Some(known) => Ok(Some(known)),
            None => self.passwords.verify(account, secret).await,
        }
    }

    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}

/// Credentials made without an end.
pub const NO_EXPIRY: Timestamp = Timestamp::NEVER;

#[cfg(test)]
mod tests;
