//! What a request has to know before it reaches the book: whose secret this is, which account a handle
//! means. Read by every connection, written by the book once a group is durable.
//!
//! It only ever points: whether a credential still counts, and whether an account may do a thing, is
//! decided by the book in the order of charges.

mod tenants;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use domain::Currency;
use ledger::{
    AccountIndex, Allowed, Credential, CredentialIndex, Event, Holder, Ledger, MembershipIndex, NameIndex,
    OrganizationIndex, PeopleEvent, Rights, RoleCode, Session, SessionId, UserIndex, Verifier, Within,
};

use self::tenants::Tenants;
/// A credential as far as it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub credential: CredentialIndex,
    pub holder: Holder,
    pub role: RoleCode,
    /// What it is held to; none for all that the role may.
    pub scope: Option<KnownScope>,
    pub organization: OrganizationIndex,
    /// The root of the holder's family: whose idempotency keys these are.
    pub root: Option<AccountIndex>,
}

/// The scope of a credential, as far as it is asked before the book is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownScope {
    pub allowed: Allowed,
    /// Whether it ends at chosen accounts.
    pub is_limited: bool,
}

/// A password-like secret: verified slowly, by whoever has the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    pub known: Known,
    pub hash: Arc<str>,
}

/// A membership, as it is right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownMember {
    pub user: UserIndex,
    pub within: Within,
    pub organization: OrganizationIndex,
    pub rights: Rights,
    /// Of rights that are a set of the organization's own: its operations.
    pub operations: u64,
    /// Whether it ends at chosen accounts.
    pub is_limited: bool,
    pub is_live: bool,
}

#[derive(Default)]
pub struct Directory {
    inner: RwLock<Inner>,
    /// Asked for every charge: not behind the lock.
    accounts: AtomicUsize,
    tenants: Tenants,
}

#[derive(Default)]
struct Inner {
    digests: HashMap<[u8; 16], Known>,
    slow: HashMap<AccountIndex, Vec<Slow>>,
    handles: HashMap<u128, AccountIndex>,
    names: HashMap<u128, NameIndex>,
    organizations: HashMap<Arc<str>, (OrganizationIndex, Currency)>,
    sessions: HashMap<SessionId, (u128, MembershipIndex)>,
    members: Vec<KnownMember>,
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

    /// The session of this digest, and the membership under which it acts.
    pub fn session(&self, digest: &[u8; 32]) -> Option<(SessionId, MembershipIndex)> {
        let digest = session_digest(digest);
        let id = SessionId((digest >> 64) as u64);
        let (known, membership) = *self.read().sessions.get(&id)?;
        (known == digest).then_some((id, membership))
    }

    pub fn member(&self, membership: MembershipIndex) -> Option<KnownMember> {
        self.read().members.get(membership.slot()).copied()
    }

    /// How many accounts were ever opened.
    pub fn accounts(&self) -> usize {
        self.accounts.load(Ordering::Acquire)
    }

    /// Whether such an account was ever opened.
    pub fn has_account(&self, account: AccountIndex) -> bool {
        account.slot() < self.accounts()
    }

    /// The organization of an account that [`Self::has_account`], and the root of its family.
    pub fn tenant_of(&self, account: AccountIndex) -> Option<(OrganizationIndex, AccountIndex)> {
        if self.has_account(account) { self.tenants.of(account) } else { None }
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
        inner.members = ledger.memberships().map(|(index, _)| known_member(ledger, index)).collect();
        ledger.sessions().for_each(|session| inner.open(session));
        for (index, account) in ledger.accounts_from(0) {
            self.tenants.put(index, account.organization, account.root);
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
            if let Event::AccountOpened { account, new, root, .. } = event {
                self.tenants.put(*account, new.organization, *root);
            }
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
            | Event::People(_)
            | Event::CredentialIssued { .. }
            | Event::CredentialScoped { .. }
            | Event::ScopeSet { .. }
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
            Event::People(event) => self.publish_people(ledger, event),
            Event::CredentialIssued { index, credential } => self.issue(ledger, *index, credential),
            Event::AccountOpened { credential: Some((index, credential)), .. } => {
                self.issue(ledger, *index, credential);
            }
            Event::CredentialScoped { credential, .. } | Event::ScopeSet { credential, .. } => {
                self.revoke(ledger, *credential);
                self.issue(ledger, *credential, ledger.credential(*credential));
            }
            Event::CredentialRevoked { credential, .. } => self.revoke(ledger, *credential),
            Event::HandleSet { account, digest, .. } => drop(self.handles.insert(*digest, *account)),
            _ => {}
        }
    }

    /// Granted rights are told in the order they were granted; the rest is read from the state as it is now.
    fn publish_people(&mut self, ledger: &Ledger, event: &PeopleEvent) {
        match event {
            PeopleEvent::UserAdded { membership, .. }
            | PeopleEvent::Granted { membership, .. }
            | PeopleEvent::InvitationAccepted { membership, .. } => self.tell(ledger, *membership),
            PeopleEvent::MembershipChanged { membership, .. } => self.tell(ledger, *membership),
            PeopleEvent::MembershipEnded { membership, .. } => {
                self.tell(ledger, *membership);
                self.forget_sessions(ledger);
            }
            PeopleEvent::HandedOver { from, to, .. } => {
                self.tell(ledger, *from);
                self.tell(ledger, *to);
            }
            PeopleEvent::UserRemoved { .. } => {
                for (index, _) in ledger.memberships() {
                    self.tell(ledger, index);
                }
                self.forget_sessions(ledger);
            }
            PeopleEvent::PermissionsDefined { set, .. } | PeopleEvent::PermissionsRemoved { set } => {
                for (index, it) in ledger.memberships() {
                    if it.rights == Rights::Set(*set) {
                        self.tell(ledger, index);
                    }
                }
            }
            PeopleEvent::SessionOpened { session, ended, .. }
            | PeopleEvent::SessionVouched { session, ended, .. } => {
                for id in ended.iter() {
                    self.sessions.remove(id);
                }
                if ledger.session(session.id()).is_some() {
                    self.open(session);
                }
            }
            PeopleEvent::SessionEnded { session, .. } => {
                self.sessions.remove(session);
            }
            PeopleEvent::SessionsEnded { .. } | PeopleEvent::PasswordSet { .. } => {
                self.forget_sessions(ledger);
            }
            PeopleEvent::Invited { .. }
            | PeopleEvent::InvitationRevoked { .. }
            | PeopleEvent::ResetAsked { .. }
            | PeopleEvent::FactorBegun { .. }
            | PeopleEvent::FactorConfirmed { .. }
            | PeopleEvent::RecoveryRenewed { .. }
            | PeopleEvent::FactorRemoved { .. }
            | PeopleEvent::ProviderSet { .. }
            | PeopleEvent::ProviderRemoved { .. }
            | PeopleEvent::SubjectLinked { .. }
            | PeopleEvent::LetterAsked { .. }
            | PeopleEvent::LetterSettled { .. }
            | PeopleEvent::SignInsFailed { .. } => {}
        }
    }

    fn tell(&mut self, ledger: &Ledger, membership: MembershipIndex) {
        let known = known_member(ledger, membership);
        match self.members.get_mut(membership.slot()) {
            Some(place) => *place = known,
            None => self.members.push(known),
        }
    }

    fn open(&mut self, session: &Session) {
        self.sessions.insert(session.id(), (session.digest, session.membership));
    }

    fn forget_sessions(&mut self, ledger: &Ledger) {
        self.sessions.retain(|id, _| ledger.session(*id).is_some());
    }

    fn issue(&mut self, ledger: &Ledger, index: CredentialIndex, credential: &Credential) {
        let (organization, root) = match credential.holder {
            Holder::Organization(organization) => (organization, None),
            Holder::Account(account) => {
                let account = ledger.account(account);
                (account.organization, Some(account.root))
            }
            Holder::Member(membership) => {
                let within = ledger.membership(membership).within;
                (ledger.organization_within(within), root_within(within))
            }
        };
        let scope = credential.scope.as_ref();
        let scope = scope.map(|it| KnownScope { allowed: it.allowed, is_limited: it.is_limited() });
        let Credential { holder, role, .. } = *credential;
        let known = Known { credential: index, holder, role, scope, organization, root };
        match (&credential.verifier, credential.holder) {
            (Verifier::Digest(digest), _) => {
                self.digests.insert(digest[..16].try_into().expect("sixteen bytes"), known);
            }
            (Verifier::Password(hash), Holder::Account(account)) => {
                self.slow.entry(account).or_default().push(Slow { known, hash: hash.clone() });
            }
            // An organization's and a person's credentials are tokens, and tokens are ours.
            (Verifier::Password(_), Holder::Organization(_) | Holder::Member(_)) => {}
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
            (Verifier::Password(_), Holder::Organization(_) | Holder::Member(_)) => {}
        }
    }
}

/// What is kept of the keyed hash of a session's token.
pub fn session_digest(digest: &[u8; 32]) -> u128 {
    u128::from_be_bytes(*digest.first_chunk().expect("a hash is longer"))
}

fn root_within(within: Within) -> Option<AccountIndex> {
    match within {
        Within::Organization(_) => None,
        Within::Family(root) => Some(root),
    }
}

fn known_member(ledger: &Ledger, index: MembershipIndex) -> KnownMember {
    let membership = ledger.membership(index);
    let operations = match membership.rights {
        Rights::Role(_) => 0,
        Rights::Set(set) => ledger.permission_set(set).operations,
    };
    KnownMember {
        user: membership.user,
        within: membership.within,
        organization: ledger.organization_within(membership.within),
        rights: membership.rights,
        operations,
        is_limited: !membership.accounts.is_empty(),
        is_live: membership.is_live(),
    }
}
