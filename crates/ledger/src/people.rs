//! Users and credentials: whose word still counts, in the same order as charges.

use std::sync::Arc;

use domain::Timestamp;

use crate::{
    AccountIndex, Act, Actor, CredentialIndex, EventRef, Ledger, OrganizationIndex, Rejection, Scope, Spent,
    Text,
};

/// A role, as the callers' table numbers it. Here it is only kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleCode(pub u8);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub organization: OrganizationIndex,
    pub role: RoleCode,
    /// Keyed hash of the address; the address itself is sealed.
    pub email_digest: u128,
    pub email: Text,
    pub password: Arc<str>,
    pub created_at: Timestamp,
    pub last: EventRef,
}

/// A secret or a token: what it proves, not what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub holder: Holder,
    pub role: RoleCode,
    pub verifier: Verifier,
    pub label: Text,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// The holder's credential issued before this one.
    pub previous: Option<CredentialIndex>,
    /// What it may not, though its holder may.
    pub scope: Option<Box<Scope>>,
    /// Counted where the scope has an amount a day.
    pub spent: Spent,
    /// The newest day on which it was used, as far as that was written down; zero for never.
    pub used_on: u32,
    pub last: EventRef,
}

/// Live credentials that one account may have, and those among them that people chose: each of these is
/// tried, slowly, when a wrong secret comes.
pub const CREDENTIALS_MAX: u32 = 100;
pub const CHOSEN_MAX: u32 = 4;

impl Credential {
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Organization(OrganizationIndex),
    Account(AccountIndex),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verifier {
    /// Keyed hash of a secret that we made.
    Digest([u8; 32]),
    /// Slow hash of a secret that a person chose, in its own text form.
    Password(Arc<str>),
}

/// On whose side an act is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// The server itself: first start, calendars, expiry.
    System,
    Seller(OrganizationIndex),
    Buyer(AccountIndex),
}

impl Ledger {
    /// Who acts, if that credential still counts at `now`.
    pub(crate) fn authority(&self, actor: Actor, now: Timestamp) -> Result<Authority, Rejection> {
        let Actor::Credential(index) = actor else { return Ok(Authority::System) };
        let credential = self.credential(index);
        if !credential.is_live(now) {
            return Err(Rejection::CredentialRevoked);
        }
        Ok(match credential.holder {
            Holder::Organization(organization) => Authority::Seller(organization),
            Holder::Account(account) => Authority::Buyer(account),
        })
    }

    /// The live credentials of an account, newest first.
    pub fn credentials_of(
        &self,
        account: AccountIndex,
        now: Timestamp,
    ) -> impl Iterator<Item = (CredentialIndex, &Credential)> {
        std::iter::successors(self.account(account).last_credential, |index| self.credential(*index).previous)
            .map(|index| (index, self.credential(index)))
            .filter(move |(_, credential)| credential.is_live(now))
    }
}

impl Authority {
    pub(crate) fn is_seller_of(self, organization: OrganizationIndex) -> bool {
        self == Self::Seller(organization) || self == Self::System
    }
}

impl Act {
    /// Acts that only the server itself does.
    pub(crate) fn is_internal(&self) -> bool {
        matches!(self, Act::CreateOrganization { .. } | Act::ExtendCalendar { .. } | Act::NoteUse { .. })
    }
}
