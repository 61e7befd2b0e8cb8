//! Money between the accounts of a family: transfers, and the merge of a child into its payer.

use domain::{Currency, Nanos};

use crate::account::Class;
use crate::balance::{minus, plus};
use crate::draft::{Draft, positive};
use crate::event::Event;
use crate::people::Authority;
use crate::{AccountIndex, Rejection, Text};

pub(crate) fn transfer(
    draft: &mut Draft<'_>,
    from: AccountIndex,
    to: AccountIndex,
    currency: Currency,
    amount: Nanos,
    reference: &Text,
) -> Result<(), Rejection> {
    draft.reach(from)?;
    draft.open_to(to)?;
    one_family(draft, from, to)?;
    positive(amount)?;
    if from == to {
        return Err(Rejection::SameAccount);
    }
    draft.own(from)?;
    draft.own(to)?;
    draft.ledger.allows(from, draft.sending(from))?;
    draft.ledger.allows(to, Class::Receive)?;

    let mut source = draft.balance(from, currency)?;
    let have = source.amounts.transferable();
    if amount > have {
        let limit = source.amounts.credit();
        return Err(Rejection::InsufficientFunds { account: from, need: amount, have, limit });
    }
    let mut target = draft.balance(to, currency)?;
    source.amounts.funded = minus(source.amounts.funded, amount)?;
    target.amounts.funded = plus(target.amounts.funded, amount)?;
    draft.push(Event::Transferred {
        from: source.image(),
        to: target.image(),
        amount,
        reference: reference.clone(),
    });
    Ok(())
}

/// To a buyer, another family is like an account that does not exist; so is an unmanaged relative.
fn one_family(draft: &Draft<'_>, from: AccountIndex, to: AccountIndex) -> Result<(), Rejection> {
    let same = draft.ledger.account(from).root == draft.ledger.account(to).root;
    let managed = |account| {
        draft.ledger.lineage(account).all(|(_, account)| account.managed || account.parent.is_none())
    };
    match draft.authority {
        Authority::Buyer(_) if !same || !managed(to) => Err(Rejection::AccountNotFound),
        Authority::Seller(organization) if draft.ledger.account(to).organization != organization => {
            Err(Rejection::AccountNotFound)
        }
        _ if !same || !managed(to) || !managed(from) => Err(Rejection::NotOneFamily),
        _ => Ok(()),
    }
}

/// Moves everything a child has of its own, in every currency, to the ancestor that pays from now on.
pub(crate) fn merge(draft: &mut Draft<'_>, child: AccountIndex) -> Result<(), Rejection> {
    let parent = draft.ledger.account(child).parent.ok_or(Rejection::NotAChild)?;
    let target = draft.ledger.payer(parent);
    draft.open_to(target)?;
    for balance in draft.ledger.balances_of(child) {
        let currency = draft.ledger.balance(balance).currency;
        let mut from = draft.open(balance)?;
        let mut to = draft.balance(target, currency)?;
        let left = plus(from.amounts.available(), to.amounts.available())?;
        if left.is_negative() {
            return Err(Rejection::MergeBelowZero { short: Nanos::new(-left.get()) });
        }
        let (posted, held, credit) = (from.amounts.posted(), from.amounts.held, from.amounts.credit());
        from.amounts.funded = minus(from.amounts.funded, posted)?;
        to.amounts.funded = plus(to.amounts.funded, posted)?;
        from.amounts.held = Nanos::ZERO;
        to.amounts.held = plus(to.amounts.held, held)?;
        from.amounts.received = minus(from.amounts.received, credit)?;
        to.amounts.given = minus(to.amounts.given, credit)?;
        draft.push(Event::Merged { from: from.image(), to: to.image(), posted, held, credit });
    }
    Ok(())
}
