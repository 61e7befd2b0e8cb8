//! Credentials come and go: issued, held to a scope, revoked, all replaced at once.
//!
//! A revocation counts from the next command on, in the order of charges.

use domain::Timestamp;

use crate::account::Class;
use crate::draft::Draft;
use crate::event::Event;
use crate::{
    AccountIndex, CHOSEN_MAX, CREDENTIALS_MAX, Credential, CredentialIndex, EventRef, Holder, Ledger,
    Rejection, RoleCode, SCOPE_ACCOUNTS_MAX, Scope, Spent, Verifier, Within, limit, people,
};

/// One that is without a label, an end and a scope.
pub(crate) fn credential(holder: Holder, role: RoleCode, verifier: &Verifier, now: Timestamp) -> Credential {
    Credential {
        holder,
        role,
        verifier: verifier.clone(),
        label: None,
        issued_at: now,
        expires_at: Timestamp::NEVER,
        revoked_at: None,
        previous: None,
        scope: None,
        spent: Box::default(),
        used_on: 0,
        last: EventRef::NONE,
    }
}

pub(crate) fn issue(
    draft: &mut Draft<'_>,
    new: Credential,
    live_max: Option<u32>,
    scope: Option<&Scope>,
) -> Result<(), Rejection> {
    draft.unscoped()?;
    let previous = match new.holder {
        Holder::Organization(organization) => {
            draft.whole(organization)?;
            None
        }
        // A person's token is asked for by that person.
        Holder::Member(membership) => {
            let membership = draft.ledger.membership(membership);
            if !membership.is_live() || draft.user != Some(membership.user) {
                return Err(Rejection::CredentialNotFound);
            }
            None
        }
        Holder::Account(account) => {
            may_have(draft, account)?;
            has_room(draft, account, &new.verifier, live_max)?;
            draft.ledger.account(account).last_credential
        }
    };
    if new.expires_at <= draft.now {
        return Err(Rejection::CredentialExpiryPast);
    }
    if let Some(scope) = scope {
        possible(draft, new.holder, scope)?;
    }
    let index = CredentialIndex::new(draft.ledger.credentials.len());
    draft.push(Event::CredentialIssued { index, credential: Box::new(Credential { previous, ..new }) });
    if let Some(scope) = scope {
        draft.push(Event::ScopeSet { credential: index, scope: Box::new(scope.clone()) });
    }
    Ok(())
}

/// After a leak: one new credential, and none of the others counts any more.
pub(crate) fn reissue(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    new: Credential,
) -> Result<(), Rejection> {
    draft.unscoped()?;
    may_have(draft, account)?;
    let live: Vec<_> = draft.ledger.credentials_of(account, draft.now).map(|(index, _)| index).collect();
    let index = CredentialIndex::new(draft.ledger.credentials.len());
    let previous = draft.ledger.account(account).last_credential;
    draft.push(Event::CredentialIssued { index, credential: Box::new(Credential { previous, ..new }) });
    for credential in live {
        draft.push(Event::CredentialRevoked { credential, revoked_at: draft.now });
    }
    Ok(())
}

pub(crate) fn revoke(draft: &mut Draft<'_>, index: CredentialIndex, live_min: u32) -> Result<(), Rejection> {
    let credential = draft.ledger.credential(index);
    let allowed = match credential.holder {
        Holder::Organization(organization) => draft.whole(organization),
        Holder::Account(account) => draft.reach(account),
        Holder::Member(membership) => {
            let membership = draft.ledger.membership(membership);
            if draft.user == Some(membership.user) {
                Ok(())
            } else {
                people::administers(draft, membership.within)
            }
        }
    };
    allowed.map_err(|_| Rejection::CredentialNotFound)?;
    draft.unscoped()?;
    if !credential.is_live(draft.now) {
        return Err(Rejection::CredentialNotFound);
    }
    if let Holder::Account(account) = credential.holder
        && draft.ledger.credentials_of(account, draft.now).count() <= live_min as usize
    {
        return Err(Rejection::LastCredential);
    }
    draft.push(Event::CredentialRevoked { credential: index, revoked_at: draft.now });
    Ok(())
}

impl Credential {
    fn hold_to(&mut self, scope: Scope) {
        self.spent = scope.limits.iter().map(|_| Spent::default()).collect();
        self.scope = Some(Box::new(scope));
    }

    fn note(&mut self, limit: u32, spent: Spent) {
        if let Some(place) = self.spent.get_mut(limit as usize) {
            *place = spent;
        }
    }
}

impl Ledger {
    pub(crate) fn issue(&mut self, index: CredentialIndex, credential: &Credential, at: EventRef) {
        if index.slot() == self.credentials.len() {
            self.credentials.push(Credential { last: at, ..credential.clone() });
        }
        if let Holder::Account(account) = credential.holder {
            let account = self.accounts.get_mut(account.slot()).expect("a credential's holder exists");
            account.last_credential = account.last_credential.max(Some(index));
        }
    }

    pub(crate) fn fold_credential(&mut self, index: CredentialIndex, event: &Event, at: EventRef) {
        let credential = self.credentials.get_mut(index.slot()).expect("an event's credentials exist");
        if credential.last >= at {
            return;
        }
        credential.last = at;
        match event {
            Event::CredentialRevoked { revoked_at, .. } => credential.revoked_at = Some(*revoked_at),
            Event::CredentialScoped { scope, .. } => credential.hold_to(Scope::from(scope.as_ref().clone())),
            Event::ScopeSet { scope, .. } => credential.hold_to(scope.as_ref().clone()),
            Event::CredentialSpent { spent, .. } => credential.note(0, *spent),
            Event::LimitCounted { limit, spent, .. } => credential.note(*limit, *spent),
            Event::CredentialUsed { day, .. } => credential.used_on = credential.used_on.max(*day),
            _ => {}
        }
    }
}

fn may_have(draft: &Draft<'_>, account: AccountIndex) -> Result<(), Rejection> {
    draft.reach(account)?;
    draft.ledger.allows(account, Class::Settings)
}

fn has_room(
    draft: &Draft<'_>,
    account: AccountIndex,
    verifier: &Verifier,
    live_max: Option<u32>,
) -> Result<(), Rejection> {
    let is_chosen = |verifier: &Verifier| matches!(verifier, Verifier::Password(_));
    let (mut live, mut chosen) = (0, 0);
    for (_, credential) in draft.ledger.credentials_of(account, draft.now) {
        live += 1;
        chosen += u32::from(is_chosen(&credential.verifier));
    }
    let live_max = live_max.map_or(CREDENTIALS_MAX, |live_max| live_max.min(CREDENTIALS_MAX));
    if live >= live_max {
        Err(Rejection::TooManyCredentials { live_max })
    } else if is_chosen(verifier) && chosen >= CHOSEN_MAX {
        Err(Rejection::TooManyCredentials { live_max: CHOSEN_MAX })
    } else {
        Ok(())
    }
}

/// A scope names what its holder reaches.
fn possible(draft: &Draft<'_>, holder: Holder, scope: &Scope) -> Result<(), Rejection> {
    let ledger = draft.ledger;
    let reached = |account: &AccountIndex| match holder {
        Holder::Account(own) => own == *account || ledger.manages(own, *account),
        Holder::Organization(own) => ledger.account(*account).organization == own,
        Holder::Member(membership) => {
            let membership = ledger.membership(membership);
            let is_within = match membership.within {
                Within::Organization(own) => ledger.account(*account).organization == own,
                Within::Family(root) => root == *account || ledger.manages(root, *account),
            };
            is_within && ledger.is_chosen(&membership.accounts, *account)
        }
    };
    if scope.accounts.len() > SCOPE_ACCOUNTS_MAX || !scope.accounts.iter().all(reached) {
        return Err(Rejection::AccountNotFound);
    }
    limit::possible(&scope.limits)
}
