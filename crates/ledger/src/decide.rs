//! Judges commands. Money is in the files of its nouns; who exists is here.

use std::sync::Arc;

use domain::{Nanos, Timestamp};

use crate::account::{ACCOUNTS_MAX, Class, DEPTH_MAX};
use crate::credential::{self, credential};
use crate::draft::Draft;
use crate::people::Authority;
use crate::{
    AccountIndex, Act, Command, Credential, CredentialIndex, Event, FAMILY_NAMES_MAX, Funding, Holder,
    Ledger, NAMES_MAX, NameIndex, NewAccount, OrganizationIndex, Rejection, Restrictions, Status, Text,
    credit, hold, money, number, people, reload, settings, transfer,
};

/// Judges one command. Reads the state and changes nothing; on a rejection `events` is as it was.
pub fn decide(
    ledger: &Ledger,
    command: &Command,
    now: Timestamp,
    events: &mut Vec<Event>,
) -> Result<(), Rejection> {
    let before = events.len();
    let standing = ledger.standing(command.actor, now)?;
    let mut draft = Draft::new(ledger, standing, now, events).of(command.actor);
    let decided = act(&mut draft, &command.act)
        .and_then(|()| draft.count())
        .and_then(|()| printable(&events[before..]));
    if decided.is_err() {
        events.truncate(before);
    }
    decided
}

/// Every API can say what came of it: each amount is in range by itself, and so are their sums.
fn printable(events: &[Event]) -> Result<(), Rejection> {
    let mut images = events.iter().flat_map(Event::images);
    if images.all(|image| image.amounts.in_range()) { Ok(()) } else { Err(Rejection::AmountOutOfRange) }
}

fn act(draft: &mut Draft<'_>, act: &Act) -> Result<(), Rejection> {
    if act.is_internal() && draft.authority != Authority::System {
        return Err(Rejection::SellerOnly);
    }
    match act {
        Act::CreateOrganization { name, time_zone, currency, first_period, boundaries } => {
            if draft.ledger.organizations().any(|(_, organization)| organization.name == *name) {
                return Err(Rejection::NameTaken);
            }
            draft.push(Event::OrganizationCreated {
                organization: OrganizationIndex::new(draft.ledger.organizations.len()),
                name: name.clone(),
                time_zone: time_zone.clone(),
                currency: *currency,
                first_period: *first_period,
                boundaries: boundaries.clone(),
                created_at: draft.now,
            });
            Ok(())
        }
        Act::ExtendCalendar { organization, boundaries } => {
            let known = &draft.ledger.organization(*organization).calendar.boundaries;
            let boundaries: Arc<[Timestamp]> = known.iter().chain(boundaries.iter()).copied().collect();
            draft.push(Event::CalendarExtended { organization: *organization, boundaries });
            Ok(())
        }
        Act::DeclareCurrency { organization, currency, exponent } => {
            draft.whole(*organization)?;
            if draft.ledger.organization(*organization).exponent(*currency).is_some() {
                return Err(Rejection::CurrencyExists { currency: *currency });
            }
            draft.push(Event::CurrencyDeclared {
                organization: *organization,
                currency: *currency,
                exponent: *exponent,
            });
            Ok(())
        }
        Act::InternName { organization, family, digest, text } => {
            if let Some(name) = draft.ledger.interned.get(digest) {
                return Err(Rejection::AlreadyInterned { name: *name });
            }
            if family.is_some_and(|root| draft.ledger.account(root).names >= FAMILY_NAMES_MAX) {
                return Err(Rejection::TooManyNames { max: FAMILY_NAMES_MAX });
            }
            if draft.ledger.organization(*organization).names >= NAMES_MAX {
                return Err(Rejection::TooManyNames { max: NAMES_MAX });
            }
            let name = NameIndex::new(draft.ledger.names.len());
            draft.push(Event::NameInterned {
                organization: *organization,
                family: *family,
                name,
                digest: *digest,
                text: text.clone(),
            });
            Ok(())
        }
        Act::People(act) => {
            draft.unscoped()?;
            people::decide(draft, act)
        }
        Act::IssueCredential { holder, role, verifier, label, expires_at, live_max, scope } => {
            let new = Credential {
                label: label.clone(),
                expires_at: *expires_at,
                ..credential(*holder, *role, verifier, draft.now)
            };
            credential::issue(draft, new, *live_max, scope.as_deref())
        }
        Act::ReissueCredential { account, role, verifier, label } => {
            let new = credential(Holder::Account(*account), *role, verifier, draft.now);
            credential::reissue(draft, *account, Credential { label: label.clone(), ..new })
        }
        Act::NoteUse { credential, day } => {
            draft.push(Event::CredentialUsed { credential: *credential, day: *day });
            Ok(())
        }
        Act::RevokeCredential { credential, live_min } => credential::revoke(draft, *credential, *live_min),
        Act::OpenAccount(new) => {
            open_account(draft, new)?;
            draft.confined(new)
        }
        Act::ModifyAccount { account, name, suspended, shared } => {
            modify(draft, *account, name.as_ref(), *suspended, *shared)
        }
        Act::SetFrozen { account, frozen, reason } => {
            draft.seller_of(*account)?;
            draft.ledger.allows(*account, Class::Settings)?;
            let restrictions =
                Restrictions { frozen: *frozen, ..draft.ledger.account(*account).restrictions };
            change(
                draft,
                *account,
                Changed { restrictions: Some(restrictions), ..Changed::default() },
                reason,
            );
            Ok(())
        }
        Act::SetClosed { account, closed } => close(draft, *account, *closed),
        Act::SetHandle { account, kind, digest, text } => {
            draft.seller_of(*account)?;
            match draft.ledger.handle(*digest) {
                Some(owner) if owner != *account => return Err(Rejection::HandleTaken),
                _ => {}
            }
            draft.push(Event::HandleSet {
                account: *account,
                kind: *kind,
                digest: *digest,
                text: text.clone(),
            });
            Ok(())
        }
        Act::SetSettings { account, change } => settings::set(draft, *account, change),
        Act::AssignNumber { account, digest, country, digits } => {
            number::assign(draft, *account, *digest, *country, digits)
        }
        Act::ReleaseNumber { account, digest } => number::release(draft, *account, *digest),
        Act::TransferNumber { from, to, digest, country } => {
            number::transfer(draft, *from, *to, *digest, *country)
        }
        Act::SetReload { account, currency, rule, limits } => {
            reload::set(draft, *account, draft.currency(*account, *currency), rule, *limits)
        }
        Act::BeginReload { balance } => reload::automatic::begin(draft, *balance),
        Act::StartReload { account, currency, digest } => {
            reload::start(draft, *account, draft.currency(*account, *currency), *digest)
        }
        Act::SettleReload { account, currency, approved } => {
            reload::settle(draft, *account, draft.currency(*account, *currency), *approved)
        }
        Act::SetCredit { account, currency, credit, reference } => {
            credit::set(draft, *account, draft.currency(*account, *currency), *credit, reference)
        }
        Act::Allocate { child, currency, way, amount, reference } => {
            credit::allocate(draft, *child, draft.currency(*child, *currency), *way, *amount, reference)
        }
        Act::Transfer { from, to, currency, amount, reference } => {
            transfer::transfer(draft, *from, *to, draft.currency(*from, *currency), *amount, reference)
        }
        Act::TopUp { account, currency, amount, reference } => {
            money::top_up(draft, *account, draft.currency(*account, *currency), *amount, reference)
        }
        Act::Withdraw { account, currency, amount, reference } => {
            money::withdraw(draft, *account, draft.currency(*account, *currency), *amount, reference)
        }
        Act::Adjust { account, currency, amount, correction, reference } => money::adjust(
            draft,
            *account,
            draft.currency(*account, *currency),
            *amount,
            *correction,
            reference,
        ),
        Act::GiveUsageCredit { account, currency, amount, reference } => {
            money::give_usage_credit(draft, *account, draft.currency(*account, *currency), *amount, reference)
        }
        Act::Charge { account, currency, amount, kind, admission, usage } => money::charge(
            draft,
            *account,
            draft.currency(*account, *currency),
            *amount,
            *kind,
            *admission,
            usage,
        ),
        Act::Refund { charge, payer, payer_entry, charged, amount, reference } => {
            money::refund(draft, *charge, (*payer, *payer_entry), *charged, *amount, reference)
        }
        Act::PlaceHold { account, currency, amount, expires_at, usage } => {
            hold::place(draft, *account, draft.currency(*account, *currency), *amount, *expires_at, usage)
        }
        Act::ExtendHold { hold, expires_at } => hold::extend(draft, *hold, *expires_at),
        Act::CaptureHold { hold, amount, excess, keep_open, quantity, reference } => {
            hold::capture(draft, *hold, *amount, *excess, *keep_open, *quantity, reference)
        }
        Act::VoidHold { hold } => hold::void(draft, *hold),
    }
}

fn open_account(draft: &mut Draft<'_>, new: &NewAccount) -> Result<(), Rejection> {
    if draft.ledger.accounts.len() >= ACCOUNTS_MAX {
        return Err(Rejection::TooManyAccounts { max: ACCOUNTS_MAX });
    }
    let account = AccountIndex::new(draft.ledger.accounts.len());
    let root = match new.parent {
        None => {
            draft.whole(new.organization)?;
            account
        }
        Some(parent) => may_have_child(draft, parent, new)?,
    };
    if new.funding == Funding::Shared && new.parent.is_none() {
        return Err(Rejection::NotAChild);
    }
    let organization = draft.ledger.organization(new.organization);
    organization.exponent(new.currency).ok_or(Rejection::CurrencyUnknown { currency: new.currency })?;
    let credential = new.credential.as_ref().map(|(role, verifier)| {
        let credential = credential(Holder::Account(account), *role, verifier, draft.now);
        (CredentialIndex::new(draft.ledger.credentials.len()), Box::new(credential))
    });
    draft.push(Event::AccountOpened {
        account,
        new: Box::new(new.clone()),
        root,
        opened_at: draft.now,
        credential,
    });
    if new.credit.is_zero() {
        return Ok(());
    }
    draft.seller(new.organization)?;
    if new.funding == Funding::Shared {
        return Err(Rejection::FundingShared { account });
    }
    if new.credit.is_negative() {
        return Err(Rejection::CreditBelowGiven { given: Nanos::ZERO });
    }
    if !new.credit.in_range() {
        return Err(Rejection::AmountOutOfRange);
    }
    let (mut balance, _) = draft.open_first(account, root, new.organization, new.currency)?;
    balance.amounts.granted = new.credit;
    draft.push(Event::CreditSet { image: balance.image(), change: new.credit, reference: None });
    Ok(())
}

/// Whether `parent` may get a child like this; the root of the family it will be in.
fn may_have_child(
    draft: &Draft<'_>,
    parent: AccountIndex,
    new: &NewAccount,
) -> Result<AccountIndex, Rejection> {
    draft.reach(parent)?;
    let account = draft.ledger.account(parent);
    if account.organization != new.organization {
        return Err(Rejection::AccountNotFound);
    }
    draft.ledger.allows(parent, Class::Settings)?;
    if matches!(draft.authority, Authority::Buyer(_)) && !account.may_open_children {
        return Err(Rejection::MayNotOpenChildren);
    }
    if draft.ledger.lineage(parent).count() >= DEPTH_MAX {
        return Err(Rejection::TooDeep);
    }
    if account.currency != new.currency {
        return Err(Rejection::CurrencyMismatch { expected: account.currency });
    }
    Ok(account.root)
}

fn modify(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    name: Option<&Text>,
    suspended: Option<bool>,
    shared: Option<bool>,
) -> Result<(), Rejection> {
    draft.reach(account)?;
    draft.ledger.allows(account, Class::Settings)?;
    let before = draft.ledger.account(account);
    let mut changed = Changed { name: name.cloned(), ..Changed::default() };
    if let Some(suspended) = suspended {
        draft.manage(account)?;
        if !suspended && matches!(draft.authority, Authority::Buyer(_)) && draft.ledger.is_frozen(account) {
            return Err(Rejection::AccountFrozen { account });
        }
        changed.restrictions = Some(Restrictions { suspended, ..before.restrictions });
    }
    let merges = match (shared, before.funding) {
        (None, _) | (Some(true), Funding::Shared) | (Some(false), Funding::Own) => false,
        (Some(true), _) => {
            draft.manage(account)?;
            before.parent.ok_or(Rejection::NotAChild)?;
            changed.funding = Some(Funding::Shared);
            true
        }
        (Some(false), _) => {
            draft.manage(account)?;
            changed.funding = Some(Funding::Own);
            false
        }
    };
    change(draft, account, changed, &None);
    if merges {
        transfer::merge(draft, account)?;
        // From here on the account's own keys spend its parent's money, and nothing counts it.
        draft.unscoped()?;
    }
    Ok(())
}

fn close(draft: &mut Draft<'_>, account: AccountIndex, closed: bool) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    let before = draft.ledger.account(account);
    if closed {
        let held = draft
            .ledger
            .balances_of(account)
            .any(|balance| !draft.ledger.balance(balance).amounts.held.is_zero());
        let open_children =
            draft.ledger.children(account, None).any(|(_, child)| child.status == Status::Active);
        if before.open_holds > 0 || held || open_children {
            return Err(Rejection::AccountInUse { account });
        }
    }
    let status = if closed { Status::Closed } else { Status::Active };
    change(draft, account, Changed { status: Some(status), ..Changed::default() }, &None);
    Ok(())
}

/// What an act changes of an account; the rest stays.
#[derive(Default)]
struct Changed {
    name: Option<Text>,
    status: Option<Status>,
    restrictions: Option<Restrictions>,
    funding: Option<Funding>,
}

fn change(draft: &mut Draft<'_>, index: AccountIndex, changed: Changed, reason: &Text) {
    let before = draft.ledger.account(index);
    draft.push(Event::AccountChanged {
        account: index,
        name: changed.name.unwrap_or_else(|| before.name.clone()),
        status: changed.status.unwrap_or(before.status),
        restrictions: changed.restrictions.unwrap_or(before.restrictions),
        funding: changed.funding.unwrap_or(before.funding),
        reason: reason.clone(),
    });
}

#[cfg(test)]
pub(crate) mod tests;
