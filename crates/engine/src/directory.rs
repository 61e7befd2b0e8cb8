//! What a request has to know before it reaches the book: whose secret this is, which account a handle
//! means. Read by every connection, written by the book once a group is durable.
//!
//! It only ever points: whether a credential still counts, and whether an account may do a thing, is
//! decided by the book in the order of charges.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use domain::Currency;
use ledger::{
    AccountIndex, Credential, CredentialIndex, Event, Holder, Ledger, NameIndex, OrganizationIndex, RoleCode,
    UserIndex, Verifier,
};

/// A credential as far as it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub credential: CredentialIndex,
    pub holder: Holder,
    pub role: RoleCode,
    /// What its scope lets it do, as callers number it; [`UNSCOPED`] for all that the role may.
    pub actions: u32,
    pub organization: OrganizationIndex,
    /// The root of the holder's family: whose idempotency keys these are.
    pub root: Option<AccountIndex>,
}

/// The actions of a credential that is held to no scope.
pub const UNSCOPED: u32 = u32::MAX;

/// A password-like secret: verified slowly, by whoever has the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    pub known: Known,
    pub hash: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    pub user: UserIndex,
    pub organization: OrganizationIndex,
    pub role: RoleCode,
    pub password: Arc<str>,
}

#[derive(Default)]
pub struct Directory {
    inner: RwLock<Inner>,
    /// Asked for every charge: not behind the lock.
    accounts: AtomicUsize,
}

#[derive(Default)]
struct Inner {
    digests: HashMap<[u8; 16], Known>,
    slow: HashMap<AccountIndex, Vec<Slow>>,
    handles: HashMap<u128, AccountIndex>,
    names: HashMap<u128, NameIndex>,
    organizations: HashMap<Arc<str>, (OrganizationIndex, Currency)>,
    users: HashMap<u128, KnownUser>,
}

impl Directory {
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who proves itself by this digest. The lookup is by a keyed hash: its timing tells nothing of the secret.
    pub fn credential(&self, digest: &[u8; 32]) -> Option<Known> {
        self.read().digests.get(&digest[..16]).copied()
    }

    /// The live password-like secrets of an account.
    pub fn slow_credentials(&self, account: AccountIndex) -> Vec<Slow> {
        self.read().slow.get(&account).cloned().unwrap_or_default()
    }

    pub fn handle(&self, digest: u128) -> Option<AccountIndex> {
        self.read().handles.get(&digest).copied()
    }

    pub fn name(&self, digest: u128) -> Option<NameIndex> {
        self.read().names.get(&digest).copied()
    }

    pub fn organization(&self, name: &str) -> Option<(OrganizationIndex, Currency)> {
        self.read().organizations.get(name).copied()
    }

    pub fn user(&self, email_digest: u128) -> Option<KnownUser> {
        self.read().users.get(&email_digest).cloned()
    }

    /// How many accounts were ever opened.
    pub fn accounts(&self) -> usize {
        self.accounts.load(Ordering::Acquire)
    }

    /// Whether such an account was ever opened.
    pub fn has_account(&self, account: AccountIndex) -> bool {
        account.slot() < self.accounts()
    }

    /// Everything, after a start.
    pub(crate) fn fill(&self, ledger: &Ledger) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        *inner = Inner::default();
        for (index, credential) in ledger.credentials() {
            if credential.revoked_at.is_none() {
                inner.issue(ledger, index, credential);
            }
        }
        inner.handles = ledger.handles().map(|(digest, handle)| (digest, handle.account)).collect();
        inner.names = ledger.names().map(|(index, name)| (name.digest, index)).collect();
        inner.organizations =
            ledger.organizations().map(|(index, it)| (it.name.clone(), (index, it.currency))).collect();
        for (user, it) in ledger.users() {
            let known = KnownUser {
                user,
                organization: it.organization,
                role: it.role,
                password: it.password.clone(),
            };
            inner.users.insert(it.email_digest, known);
        }
        self.accounts.store(ledger.accounts_len(), Ordering::Release);
    }

    /// What a durable group has changed.
    pub(crate) fn publish(&self, ledger: &Ledger, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        for event in events {
            inner.publish(ledger, event);
        }
        self.accounts.store(ledger.accounts_len(), Ordering::Release);
    }
}

/// Whether an event changes what the directory knows.
pub(crate) fn concerns(event: &Event) -> bool {
    matches!(
        event,
        Event::OrganizationCreated { .. }
            | Event::NameInterned { .. }
            | Event::UserCreated { .. }
            | Event::CredentialIssued { .. }
            | Event::CredentialScoped { .. }
            | Event::CredentialRevoked { .. }
            | Event::AccountOpened { .. }
            | Event::HandleSet { .. }
    )
}

impl Inner {
    fn publish(&mut self, ledger: &Ledger, event: &Event) {
        match event {
            Event::OrganizationCreated { organization, name, currency, .. } => {
                self.organizations.insert(name.clone(), (*organization, *currency));
            }
            Event::NameInterned { name, digest, .. } => drop(self.names.insert(*digest, *name)),
            Event::UserCreated { user, organization, role, email_digest, password, .. } => {
                let known = KnownUser {
                    user: *user,
                    organization: *organization,
                    role: *role,
                    password: password.clone(),
                };
                self.users.insert(*email_digest, known);
            }
            Event::CredentialIssued { index, credential } => self.issue(ledger, *index, credential),
            Event::AccountOpened { credential: Some((index, credential)), .. } => {
                self.issue(ledger, *index, credential);
            }
            Event::CredentialScoped { credential, .. } => {
                self.revoke(ledger, *credential);
                self.issue(ledger, *credential, ledger.credential(*credential));
            }
            Event::CredentialRevoked { credential, .. } => self.revoke(ledger, *credential),
            Event::HandleSet { account, digest, .. } => drop(self.handles.insert(*digest, *account)),
            _ => {}
        }
    }

    fn issue(&mut self, ledger: &Ledger, index: CredentialIndex, credential: &Credential) {
        let (organization, root) = match credential.holder {
            Holder::Organization(organization) => (organization, None),
            Holder::Account(account) => {
                let account = ledger.account(account);
                (account.organization, Some(account.root))
            }
        };
        let actions = credential.scope.as_ref().map_or(UNSCOPED, |scope| scope.actions);
        let Credential { holder, role, .. } = *credential;
        let known = Known { credential: index, holder, role, actions, organization, root };
        match (&credential.verifier, credential.holder) {
            (Verifier::Digest(digest), _) => {
                self.digests.insert(digest[..16].try_into().expect("sixteen bytes"), known);
            }
            (Verifier::Password(hash), Holder::Account(account)) => {
                self.slow.entry(account).or_default().push(Slow { known, hash: hash.clone() });
            }
            // An organization's credentials are tokens, and tokens are ours.
            (Verifier::Password(_), Holder::Organization(_)) => {}
        }
    }

    fn revoke(&mut self, ledger: &Ledger, index: CredentialIndex) {
        let credential = ledger.credential(index);
        match (&credential.verifier, credential.holder) {
            (Verifier::Digest(digest), _) => drop(self.digests.remove(&digest[..16])),
            (Verifier::Password(_), Holder::Account(account)) => {
                if let Some(slow) = self.slow.get_mut(&account) {
                    slow.retain(|slow| slow.known.credential != index);
                }
            }
            (Verifier::Password(_), Holder::Organization(_)) => {}
        }
    }
}
