//! Who is asking, and may they?
//!
//! The one idea: [`operation::TABLE`] says for every role which operations it may do; checks,
//! documentation and tests are made from it. Here it is asked before a command is sent; whether the
//! credential still counts at that moment is decided by the book, in the order of charges.
//!
//! | credential | who holds it | proves itself by | cost |
//! |---|---|---|---|
//! | token | the seller's users and programs | keyed hash of 256 random bits | a microsecond |
//! | secret made by us | an account | keyed hash of 148 random bits | a microsecond |
//! | secret chosen by a person | an account | argon2id, once; remembered until it is revoked | 20 ms, then a microsecond |
//!
//! A secret of an account may be held to a scope: to some actions (asked here), to some accounts and to an
//! amount a day (decided by the book).
//!
//! Invariants: no secret is stored, logged or printed twice; unknown account and wrong secret are one
//! answer; slow hashing runs on few threads with a bounded queue.

mod first_start;
mod handle;
mod last_use;
mod open_account;
pub mod operation;
mod password;
mod scope;
mod secret;

pub use first_start::{DEFAULT_ORGANIZATION, FirstStartError, first_start};
pub use handle::{
    HandleKind, UnknownHandle, email_digest, find_account, handle_digest, number_digest, parse_account,
    reload_digest,
};
pub use last_use::LastUse;
pub use open_account::{NotOpened, Opened, open_account};
pub use operation::{Operation, Role};
pub use password::{PasswordError, Passwords};
pub use scope::{Action, Actions};
pub use secret::{Secret, SecretError, check_chosen_secret, secret_digest, token_digest};

use domain::Timestamp;
use engine::{Content, Engine, Key, Known};
use ledger::{AccountIndex, Actor, Holder, Ledger, OrganizationIndex};
use uuid::{Uuid, Variant};

/// Somebody who proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    known: Known,
    role: Role,
}

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

impl Caller {
    fn new(known: Known) -> Option<Self> {
        Role::from_code(known.role).map(|role| Self { known, role })
    }

    pub fn role(&self) -> Role {
        self.role
    }

    pub fn actor(&self) -> Actor {
        Actor::Credential(self.known.credential)
    }

    pub fn organization(&self) -> OrganizationIndex {
        self.known.organization
    }

    /// The account whose credential this is; None for the seller's.
    pub fn account(&self) -> Option<AccountIndex> {
        match self.known.holder {
            Holder::Account(account) => Some(account),
            Holder::Organization(_) => None,
        }
    }

    /// The root of that account's family.
    pub fn root(&self) -> Option<AccountIndex> {
        self.known.root
    }

    /// Whether the secret is held to a scope.
    pub fn is_scoped(&self) -> bool {
        Actions::from_bits(self.known.actions).is_scoped()
    }

    /// Whether the credential still counts: revoked and run out are found out where the state is read.
    pub fn counts(&self, ledger: &Ledger, now: Timestamp) -> bool {
        ledger.credential(self.known.credential).is_live(now)
    }

    pub fn may(&self, operation: Operation) -> Result<(), AccessError> {
        let actions = Actions::from_bits(self.known.actions);
        let in_scope = !actions.is_scoped() || operation.action().is_some_and(|action| actions.has(action));
        if !self.role.may(operation) {
            Err(AccessError::Forbidden { operation })
        } else if !in_scope {
            Err(AccessError::OutOfScope { operation })
        } else {
            Ok(())
        }
    }

    /// A client's idempotency key, together with whose it is: of the root account of a family, or of the
    /// seller.
    pub fn key(&self, engine: &Engine, key: &str) -> Key {
        let whose = match self.known.root {
            Some(root) => (root.slot() as u64) << 1 | 1,
            None => (self.known.organization.slot() as u64) << 1,
        };
        let hash = engine.seals().short_digest("key", &[&whose.to_le_bytes(), key.as_bytes()]);
        Key { hash, made: made(key) }
    }
}

/// When a key was made that carries its time: a UUID of version 7.
fn made(key: &str) -> Option<Timestamp> {
    let uuid = Uuid::try_parse(key).ok()?;
    let is_ordered = uuid.get_variant() == Variant::RFC4122 && uuid.get_version_num() == 7;
    is_ordered.then(|| Timestamp::from_micros((uuid.as_u128() >> 80) as i64 * 1_000))
}

/// What was asked under a key, hashed.
pub fn content(engine: &Engine, parts: &[&[u8]]) -> Content {
    Content(engine.seals().short_digest("content", parts))
}

/// Finds out who is asking.
pub struct Authenticator {
    engine: Engine,
    passwords: Passwords,
    last_use: LastUse,
}

impl Authenticator {
    pub fn new(engine: Engine) -> Self {
        let passwords = Passwords::new(engine.clone());
        Self { engine, passwords, last_use: LastUse::default() }
    }

    /// A bearer token of the seller.
    pub fn token(&self, token: &str) -> Result<Caller, AccessError> {
        let digest = token_digest(self.engine.seals(), token);
        self.proved(self.engine.directory().credential(&digest))
    }

    /// An account's key and secret, as Basic credentials carry them.
    pub async fn account(&self, key: &str, secret: &str) -> Result<Caller, AccessError> {
        let account = parse_account(&self.engine, key).map_err(|_| AccessError::Unauthenticated)?;
        self.proved(self.find(account, secret).await?)
    }

    fn proved(&self, known: Option<Known>) -> Result<Caller, AccessError> {
        let caller = known.and_then(Caller::new).ok_or(AccessError::Unauthenticated)?;
        self.last_use.note(caller.known.credential, &self.engine);
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
