//! Secrets that people chose: hashed slowly, on few threads, and remembered once they proved right.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use engine::{Engine, Known};
use ledger::AccountIndex;
use tokio::sync::Semaphore;

use crate::AccessError;
use crate::secret::{Secret, chosen_digest};

/// Verifications that run at once, and that may wait.
const RUNNING_MAX: usize = 1;
const WAITING_MAX: usize = 64;
/// Waiting for one account: an attacker on one does not shut out the others.
const WAITING_PER_ACCOUNT_MAX: usize = 4;
const REMEMBERED_MAX: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hashing failed")]
pub struct PasswordError;

pub struct Passwords {
    engine: Engine,
    running: Semaphore,
    state: Mutex<State>,
}

/// Whose secret is verified.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Account(AccountIndex),
    /// By a keyed hash of the address, whether there is such a user or not.
    User(u128),
}

#[derive(Default)]
struct State {
    waiting: usize,
    waiting_for: HashMap<Whose, usize>,
    /// Keyed hash of account and secret that proved right, and which credential it proved.
    remembered: HashMap<[u8; 32], Known>,
}

impl Passwords {
    pub fn new(engine: Engine) -> Self {
        Self { engine, running: Semaphore::new(RUNNING_MAX), state: Mutex::default() }
    }

    /// The slow hash of a secret that somebody chose for an account, in its turn.
    pub async fn hash_for(&self, account: AccountIndex, secret: &Secret) -> Result<String, AccessError> {
        let _waiting = self.wait_for(Whose::Account(account), WAITING_PER_ACCOUNT_MAX, WAITING_MAX)?;
        self.hash(secret.expose()).await.map_err(|_| AccessError::Busy)
    }

    /// The slow hash of a secret, in the text form that is stored.
    pub async fn hash(&self, secret: &str) -> Result<String, PasswordError> {
        let mut salt = [0; 16];
        self.engine.entropy().fill(&mut salt);
        let secret = secret.to_owned();
        let _running = self.running.acquire().await.map_err(|_| PasswordError)?;
        let hash = move || {
            let hash = Argon2::default().hash_password_with_salt(secret.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|_| PasswordError)
        };
        tokio::task::spawn_blocking(hash).await.map_err(|_| PasswordError)?
    }

    /// Whether `password` is the one that `hash` was made of.
    pub async fn matches(&self, password: &str, hash: &str) -> Result<bool, PasswordError> {
        let _running = self.running.acquire().await.map_err(|_| PasswordError)?;
        let (password, hash) = (password.to_owned(), hash.to_owned());
        tokio::task::spawn_blocking(move || verify(&password, &hash)).await.map_err(|_| PasswordError)
    }

    /// The same at a sign-in, where strangers ask. Who has signed in from there before waits in places that
    /// strangers cannot take.
    pub(crate) async fn matches_waiting(
        &self,
        whose: u128,
        trusted: bool,
        password: &str,
        hash: &str,
    ) -> Result<bool, AccessError> {
        let (own_max, all_max) = if trusted {
            (WAITING_PER_ACCOUNT_MAX, WAITING_MAX)
        } else {
            (WAITING_PER_ACCOUNT_MAX / 2, WAITING_MAX / 2)
        };
        let _waiting = self.wait_for(Whose::User(whose), own_max, all_max)?;
        self.matches(password, hash).await.map_err(|_| AccessError::Busy)
    }

    /// Which of the account's chosen secrets this is, if any. What proved right is remembered under its
    /// keyed hash, and counts for as long as that credential is live.
    pub(crate) async fn verify(
        &self,
        account: AccountIndex,
        secret: &str,
    ) -> Result<Option<Known>, AccessError> {
        let live = self.engine.directory().slow_credentials(account);
        if live.is_empty() {
            return Ok(None);
        }
        let digest = chosen_digest(self.engine.seals(), account, secret);
        if let Some(known) = self.state().remembered.get(&digest).copied() {
            let counts = live.iter().any(|slow| slow.known == known);
            return Ok(counts.then_some(known));
        }
        let _waiting = self.wait_for(Whose::Account(account), WAITING_PER_ACCOUNT_MAX, WAITING_MAX)?;
        let _running = self.running.acquire().await.map_err(|_| AccessError::Busy)?;
        let secret = secret.to_owned();
        let find = move || live.into_iter().find(|slow| verify(&secret, &slow.hash)).map(|slow| slow.known);
        let known = tokio::task::spawn_blocking(find).await.map_err(|_| AccessError::Busy)?;
        if let Some(known) = known {
            let mut state = self.state();
            if state.remembered.len() >= REMEMBERED_MAX {
                state.remembered.clear();
            }
            state.remembered.insert(digest, known);
        }
        Ok(known)
    }

    fn wait_for(&self, whose: Whose, own_max: usize, all_max: usize) -> Result<Waiting<'_>, AccessError> {
        let mut state = self.state();
        if state.waiting >= all_max {
            return Err(AccessError::Busy);
        }
        let own = state.waiting_for.entry(whose).or_default();
        if *own >= own_max {
            return Err(AccessError::Busy);
        }
        *own += 1;
        state.waiting += 1;
        Ok(Waiting { passwords: self, whose })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn verify(secret: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
}

/// A place in the queue, given back when dropped.
struct Waiting<'a> {
    passwords: &'a Passwords,
    whose: Whose,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.passwords.state();
        state.waiting -= 1;
        if let Some(own) = state.waiting_for.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                state.waiting_for.remove(&self.whose);
            }
        }
    }
}
