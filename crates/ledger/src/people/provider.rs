//! The sign-in provider of an organization: a company's own place to sign in, which says who somebody is.
//! What it says is checked outside; here is kept which one it is, and what its word is good for.

use std::fmt;
use std::sync::Arc;

use super::PeopleEvent;
use crate::draft::Draft;
use crate::rejection::PeopleRejection as No;
use crate::{EventRef, Ledger, OrganizationIndex, Rejection, Rights, RoleCode, Text, UserIndex, Within};

#[derive(Clone, PartialEq, Eq)]
pub struct SignInProvider {
    pub issuer: Arc<str>,
    pub client_id: Arc<str>,
    /// Sealed; what the event says of the provider before has none.
    pub client_secret: Text,
    /// Of addresses, in lower case: elsewhere its word counts for nothing.
    pub domains: Arc<[Arc<str>]>,
    /// Whether its people may sign in by password as well.
    pub passwords: bool,
    pub last: EventRef,
}

pub const PROVIDER_DOMAINS_MAX: usize = 20;

impl SignInProvider {
    /// Whether it speaks for that address.
    pub fn speaks_for(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }

    /// Another issuer's subjects, or another client's, are other people.
    pub(crate) fn knows_others_than(&self, other: &Self) -> bool {
        self.issuer != other.issuer || self.client_id != other.client_id
    }
}

impl fmt::Debug for SignInProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, client_id, client_secret: _, domains, passwords, last } = self;
        f.debug_struct("SignInProvider")
            .field("issuer", issuer)
            .field("client_id", client_id)
            .field("domains", domains)
            .field("passwords", passwords)
            .field("last", last)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    pub fn provider(&self, organization: OrganizationIndex) -> Option<&SignInProvider> {
        self.people.providers.get(&organization)
    }

    /// Whom the organization's provider knows by that subject.
    pub fn find_subject(&self, organization: OrganizationIndex, subject: u128) -> Option<UserIndex> {
        self.people.by_subject.get(&(organization, subject)).copied()
    }

    pub(crate) fn subject(&self, user: UserIndex) -> Option<u128> {
        self.user(user).person.as_ref()?.subject
    }

    /// Whether a password is enough to sign in as this user. An owner of the organization's always is let in
    /// by it: a provider that is gone or set wrong locks nobody out for good.
    pub fn takes_password(&self, index: UserIndex) -> bool {
        let user = self.user(index);
        let Some(provider) = self.provider(user.organization) else { return true };
        let email = user.email.as_deref().and_then(|email| std::str::from_utf8(email).ok());
        let is_its_own =
            self.subject(index).is_some() || email.is_some_and(|email| provider.speaks_for(email));
        let side = Within::Organization(user.organization);
        let mut memberships = self.memberships_of(index);
        provider.passwords
            || !is_its_own
            || memberships.any(|(_, it)| it.within == side && it.rights == Rights::Role(RoleCode::OWNER))
    }
}

pub(super) fn set(
    draft: &Draft<'_>,
    organization: OrganizationIndex,
    wanted: &SignInProvider,
) -> Result<PeopleEvent, Rejection> {
    draft.whole(organization)?;
    if !(1..=PROVIDER_DOMAINS_MAX).contains(&wanted.domains.len()) {
        return Err(No::TooMany { max: PROVIDER_DOMAINS_MAX as u32 }.into());
    }
    let before = draft.ledger.provider(organization);
    let unlinks = before.is_some_and(|before| before.knows_others_than(wanted));
    let mut provider = wanted.clone();
    if provider.client_secret.is_none() && !unlinks {
        provider.client_secret = before.and_then(|before| before.client_secret.clone());
    }
    if provider.client_secret.is_none() {
        return Err(No::SecretMissing.into());
    }
    let before = before.map(|before| Box::new(SignInProvider { client_secret: None, ..before.clone() }));
    Ok(PeopleEvent::ProviderSet { organization, provider: Box::new(provider), before, unlinks })
}

/// One subject is one user.
pub(super) fn unknown(
    draft: &Draft<'_>,
    organization: OrganizationIndex,
    subject: u128,
) -> Result<(), Rejection> {
    match draft.ledger.find_subject(organization, subject) {
        None => Ok(()),
        Some(_) => Err(No::NotVouched.into()),
    }
}
