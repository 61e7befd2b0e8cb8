//! Phone numbers: assigned to an account by the seller, moved inside a family by whoever manages both sides.
//!
//! A number is found by a keyed hash of its digits together with whose seller it is; the digits are a text
//! of the account that has it.

use std::ops::Bound;

use crate::account::Class;
use crate::draft::Draft;
use crate::event::Event;
use crate::{AccountIndex, EventRef, Ledger, Rejection, Text};

/// Numbers that one account may have.
pub const NUMBERS_MAX: u32 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    pub account: AccountIndex,
    /// ISO 3166-1, two letters.
    pub country: [u8; 2],
    pub digits: Text,
    pub last: EventRef,
}

impl Ledger {
    pub fn number(&self, digest: u128) -> Option<&Number> {
        self.numbers.get(&digest)
    }

    /// The numbers of an account behind `after`, in an order that says nothing.
    pub fn numbers_of(
        &self,
        account: AccountIndex,
        after: Option<u128>,
    ) -> impl Iterator<Item = (u128, &Number)> {
        let from = after.map_or(Bound::Included((account, 0)), |after| Bound::Excluded((account, after)));
        let to = Bound::Included((account, u128::MAX));
        self.numbered.range((from, to)).filter_map(|(_, digest)| Some((*digest, self.number(*digest)?)))
    }

    pub(crate) fn fold_number(&mut self, digest: u128, number: &Number, at: EventRef) {
        if self.numbers.get(&digest).is_none_or(|known| known.last < at) {
            self.take_number(digest);
            self.put_number(digest, Number { last: at, ..number.clone() });
        }
    }

    pub(crate) fn fold_release(&mut self, digest: u128, at: EventRef) {
        if self.numbers.get(&digest).is_some_and(|known| known.last < at) {
            self.take_number(digest);
        }
    }

    pub(crate) fn put_number(&mut self, digest: u128, number: Number) {
        self.numbered.insert((number.account, digest));
        self.numbers.insert(digest, number);
    }

    fn take_number(&mut self, digest: u128) {
        if let Some(number) = self.numbers.remove(&digest) {
            self.numbered.remove(&(number.account, digest));
        }
    }
}

pub(crate) fn assign(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    digest: u128,
    country: [u8; 2],
    digits: &Text,
) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    draft.ledger.allows(account, Class::Settings)?;
    if draft.ledger.number(digest).is_some() {
        return Err(Rejection::NumberTaken);
    }
    has_room(draft, account)?;
    let number = Number { account, country, digits: digits.clone(), last: EventRef::NONE };
    draft.push(Event::NumberAssigned { digest, number });
    Ok(())
}

pub(crate) fn release(draft: &mut Draft<'_>, account: AccountIndex, digest: u128) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    match draft.ledger.number(digest) {
        Some(number) if number.account == account => {
            draft.push(Event::NumberReleased { digest, account });
            Ok(())
        }
        _ => Err(Rejection::NumberNotFound),
    }
}

/// From one account of a family to another, both free to act. A number that the caller does not see is
/// not there.
pub(crate) fn transfer(
    draft: &mut Draft<'_>,
    from: AccountIndex,
    to: AccountIndex,
    digest: u128,
    country: Option<[u8; 2]>,
) -> Result<(), Rejection> {
    draft.reach(from)?;
    draft.reach(to)?;
    if from == to {
        return Err(Rejection::SameAccount);
    }
    if draft.ledger.account(from).root != draft.ledger.account(to).root {
        return Err(Rejection::NotOneFamily);
    }
    draft.ledger.allows(from, Class::Spend)?;
    draft.ledger.allows(to, Class::Spend)?;
    let number = draft.ledger.number(digest).ok_or(Rejection::NumberNotFound)?;
    draft.reach(number.account).map_err(|_| Rejection::NumberNotFound)?;
    if country.is_some_and(|country| country != number.country) {
        return Err(Rejection::NumberNotFound);
    }
    if number.account == to {
        return Err(Rejection::NumberTaken);
    }
    if number.account != from {
        return Err(Rejection::NumberNotOwned);
    }
    has_room(draft, to)?;
    let number = Number { account: to, last: EventRef::NONE, ..number.clone() };
    draft.push(Event::NumberMoved { digest, from, number });
    Ok(())
}

fn has_room(draft: &Draft<'_>, account: AccountIndex) -> Result<(), Rejection> {
    let has = draft.ledger.numbers_of(account, None).take(NUMBERS_MAX as usize).count();
    if has < NUMBERS_MAX as usize { Ok(()) } else { Err(Rejection::TooManyNumbers { max: NUMBERS_MAX }) }
}
