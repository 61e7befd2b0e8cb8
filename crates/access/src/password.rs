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

#[derive(Default)]
struct State {
    waiting: usize,
    waiting_for: HashMap<AccountIndex, usize>,
    /// Keyed hash of account and secret that proved right, and which credential it proved.
    remembered: HashMap<[u8; 32], Known>,
}

impl Passwords {
    pub fn new(engine: Engine) -> Self {
        Self { engine, running: Semaphore::new(RUNNING_MAX), state: Mutex::default() }
    }

    /// The slow hash of a secret that somebody chose for an account, in its turn.
    pub async fn hash_for(&self, account: AccountIndex, secret: &Secret) -> Result<String, AccessError> {
        let _waiting = self.wait_for(account)?;
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
        let _waiting = self.wait_for(account)?;
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

    fn wait_for(&self, account: AccountIndex) -> Result<Waiting<'_>, AccessError> {
        let mut state = self.state();
        if state.waiting >= WAITING_MAX {
            return Err(AccessError::Busy);
        }
        let of_account = state.waiting_for.entry(account).or_default();
        if *of_account >= WAITING_PER_ACCOUNT_MAX {
            return Err(AccessError::Busy);
        }
        *of_account += 1;
        state.waiting += 1;
        Ok(Waiting { passwords: self, account })
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
    account: AccountIndex,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.passwords.state();
        state.waiting -= 1;
        if let Some(of_account) = state.waiting_for.get_mut(&self.account) {
            *of_account -= 1;
            if *of_account == 0 {
                state.waiting_for.remove(&self.account);
            }
        }
    }
}
