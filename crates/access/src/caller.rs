//! Somebody who proved who they are.

use domain::Timestamp;
use engine::{Engine, Key, Known, KnownMember, KnownScope};
use ledger::{
    AccountIndex, Actor, Holder, Ledger, MembershipIndex, OrganizationIndex, Rights, SessionId, UserIndex,
    Within,
};
use uuid::{Uuid, Variant};

use crate::{AccessError, Operation, Permissions, Role};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    actor: Actor,
    organization: OrganizationIndex,
    account: Option<AccountIndex>,
    root: Option<AccountIndex>,
    role: Option<Role>,
    permissions: Permissions,
    person: Option<CallingPerson>,
    is_limited: bool,
    is_operator: bool,
    /// Of a credential that is held to a scope.
    scope: Option<Permissions>,
}

/// A person, in a session or by a token of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallingPerson {
    pub user: UserIndex,
    pub membership: MembershipIndex,
    pub session: Option<SessionId>,
}

impl Caller {
    /// Who holds a credential: an account, or a program of the seller's.
    pub(crate) fn holder(known: Known) -> Option<Self> {
        let role = Role::from_code(known.role)?;
        let account = match known.holder {
            Holder::Account(account) => Some(account),
            Holder::Organization(_) => None,
            Holder::Member(_) => return None,
        };
        let caller = Self {
            actor: Actor::Credential(known.credential),
            organization: known.organization,
            account,
            root: known.root,
            role: Some(role),
            permissions: Permissions::of_role(role),
            person: None,
            is_limited: false,
            is_operator: false,
            scope: None,
        };
        Some(caller.held_to(known.scope))
    }

    pub(crate) fn held_to(self, scope: Option<KnownScope>) -> Self {
        let Some(KnownScope { allowed, is_limited }) = scope else { return self };
        let of_accounts = |operation: &Operation| !is_limited || !operation.is_of_organization();
        let allowed = Permissions::of(Permissions::allowed(allowed).operations().filter(of_accounts));
        Self { is_limited: self.is_limited || is_limited, scope: Some(allowed), ..self }
    }

    pub(crate) fn member(
        actor: Actor,
        membership: MembershipIndex,
        known: &KnownMember,
        session: Option<SessionId>,
    ) -> Option<Self> {
        if !known.is_live {
            return None;
        }
        let root = match known.within {
            Within::Organization(_) => None,
            Within::Family(root) => Some(root),
        };
        let role = match known.rights {
            Rights::Role(code) => Some(Role::from_code(code)?),
            Rights::Set(_) => None,
        };
        Some(Self {
            actor,
            organization: known.organization,
            account: root,
            root,
            role,
            permissions: Permissions::of_member(known),
            person: Some(CallingPerson { user: known.user, membership, session }),
            is_limited: known.is_limited,
            is_operator: false,
            scope: None,
        })
    }

    /// The operator, whom another book has recognized. Belongs to no organization here, and acts through the
    /// server itself.
    pub fn operator() -> Self {
        Self::operator_in(OrganizationIndex::new(u32::MAX as usize - 1))
    }

    /// The operator, as it acts in one organization.
    pub fn operator_in(organization: OrganizationIndex) -> Self {
        Self {
            actor: Actor::System,
            organization,
            account: None,
            root: None,
            role: Some(Role::Owner),
            permissions: Permissions::of_role(Role::Owner),
            person: None,
            is_limited: false,
            is_operator: true,
            scope: None,
        }
    }

    pub fn is_operator(&self) -> bool {
        self.is_operator
    }

    /// None for one whose rights are a set of the organization's own.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    pub fn permissions(&self) -> Permissions {
        self.scope.map_or(self.permissions, |scope| self.permissions.and(scope))
    }

    pub fn actor(&self) -> Actor {
        self.actor
    }

    pub fn organization(&self) -> OrganizationIndex {
        self.organization
    }

    /// The account inside whose family this is: a key's own, a person's root; None for the seller's.
    pub fn account(&self) -> Option<AccountIndex> {
        self.account
    }

    /// The root of that account's family.
    pub fn root(&self) -> Option<AccountIndex> {
        self.root
    }

    pub fn person(&self) -> Option<CallingPerson> {
        self.person
    }

    /// Whether the rights end at chosen accounts.
    pub fn is_limited(&self) -> bool {
        self.is_limited
    }

    /// An owner of the whole organization, not of a family, not of chosen accounts, and held to no scope.
    pub fn is_owner_of_all(&self) -> bool {
        self.role == Some(Role::Owner) && self.account.is_none() && !self.is_limited && !self.is_scoped()
    }

    pub fn may(&self, operation: Operation) -> Result<(), AccessError> {
        if !self.permissions.may(operation) {
            Err(AccessError::Forbidden { operation })
        } else if !self.permissions().may(operation) {
            Err(AccessError::OutOfScope { operation })
        } else {
            Ok(())
        }
    }

    /// Whether the credential is held to a scope.
    pub fn is_scoped(&self) -> bool {
        self.scope.is_some()
    }

    /// Whether whoever calls still counts: revoked and run out are found out where the state is read.
    pub fn counts(&self, ledger: &Ledger, now: Timestamp) -> bool {
        ledger.counts(self.actor, now)
    }

    /// A client's idempotency key, together with whose it is: of the root account of a family, or of the
    /// seller.
    pub fn key(&self, engine: &Engine, key: &str) -> Key {
        let whose = match self.root {
            Some(root) => (root.slot() as u64) << 1 | 1,
            None => (self.organization.slot() as u64) << 1,
        };
        let hash = engine.seals().short_digest("key", &[&whose.to_le_bytes(), key.as_bytes()]);
        Key { hash, made: made(key) }
    }
}

/// When a key was made that carries its time: a UUID of version 7.
pub(crate) fn made(key: &str) -> Option<Timestamp> {
    let uuid = Uuid::try_parse(key).ok()?;
    let is_ordered = uuid.get_variant() == Variant::RFC4122 && uuid.get_version_num() == 7;
    is_ordered.then(|| Timestamp::from_micros((uuid.as_u128() >> 80) as i64 * 1_000))
}
