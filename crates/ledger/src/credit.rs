//! The credit limit: set by the seller, carved up by a parent for its children.
//!
//! `credit = granted + received − given`, never below zero. Received and given change by allocation
//! alone, so their sums over a family are equal at all times.

use domain::{Currency, Nanos};

use crate::account::Class;
use crate::balance::{minus, plus};
use crate::draft::{Draft, positive};
use crate::event::Event;
use crate::people::Authority;
use crate::{AccountIndex, AllocationWay, Rejection, Text};

/// Sets the whole limit of an account. From the seller it changes what is granted, from a managing
/// parent it is an allocation; the value that is there already always passes, so that a client may
/// read, modify and write.
pub(crate) fn set(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    credit: Nanos,
    reference: &Text,
) -> Result<(), Rejection> {
    draft.reach(account)?;
    draft.own(account)?;
    draft.ledger.allows(account, Class::Settings)?;
    let known = draft.ledger.balance_of(account, currency);
    let before = known.map(|balance| draft.ledger.balance(balance).amounts).unwrap_or_default();
    if credit.is_negative() {
        return Err(Rejection::CreditBelowGiven { given: before.given });
    }
    let change = minus(credit, before.credit())?;
    if let Authority::Buyer(caller) = draft.authority
        && !change.is_zero()
    {
        if draft.ledger.account(account).parent != Some(caller) {
            return Err(Rejection::SellerOnly);
        }
        let way = if change.is_positive() { AllocationWay::Give } else { AllocationWay::Return };
        let amount = Nanos::new(change.get().abs());
        return allocate(draft, account, currency, way, amount, reference);
    }
    let mut balance = draft.balance(account, currency)?;
    balance.amounts.granted = plus(balance.amounts.granted, change)?;
    draft.push(Event::CreditSet { image: balance.image(), change, reference: reference.clone() });
    Ok(())
}

pub(crate) fn allocate(
    draft: &mut Draft<'_>,
    child: AccountIndex,
    currency: Currency,
    way: AllocationWay,
    amount: Nanos,
    reference: &Text,
) -> Result<(), Rejection> {
    draft.reach(child)?;
    positive(amount)?;
    let parent = draft.ledger.account(child).parent.ok_or(Rejection::NotAChild)?;
    let (source, target) = match way {
        AllocationWay::Give => (parent, child),
        AllocationWay::Return => (child, parent),
    };
    draft.reach(source)?;
    draft.open_to(target)?;
    draft.own(source)?;
    draft.own(target)?;
    draft.ledger.allows(source, draft.sending(source))?;
    draft.ledger.allows(target, Class::Receive)?;

    let mut from = draft.balance(source, currency)?;
    let have = from.amounts.allocatable();
    if amount > have {
        return Err(Rejection::InsufficientCredit { account: source, need: amount, have });
    }
    let mut to = draft.balance(target, currency)?;
    let (above, below) = match way {
        AllocationWay::Give => (&mut from.amounts, &mut to.amounts),
        AllocationWay::Return => (&mut to.amounts, &mut from.amounts),
    };
    let signed = match way {
        AllocationWay::Give => amount,
        AllocationWay::Return => Nanos::new(-amount.get()),
    };
    above.given = plus(above.given, signed)?;
    below.received = plus(below.received, signed)?;
    draft.push(Event::Allocated {
        way,
        from: from.image(),
        to: to.image(),
        amount,
        reference: reference.clone(),
    });
    Ok(())
}
