//! Charges, and money that comes, goes or is corrected.

use domain::{Currency, Nanos};

use crate::account::Class;
use crate::balance::{minus, plus};
use crate::draft::{Draft, Open, positive};
use crate::event::{Charged, Event, Posting};
use crate::{
    AccountIndex, Admission, BalanceIndex, ChargeId, ChargeKind, Correction, Rejection, Text, Usage,
};

pub(crate) fn charge(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    amount: Nanos,
    kind: ChargeKind,
    admission: Admission,
    usage: &Usage,
) -> Result<(), Rejection> {
    draft.reach(account)?;
    chargeable(amount, usage)?;
    draft.may_force(account, admission)?;
    let payer_account = draft.spender(account)?;
    let admission = if kind == ChargeKind::Metered && draft.ledger.account(account).allows_overruns {
        admission.or_served()
    } else {
        admission
    };
    let mut payer = draft.balance(payer_account, currency)?;
    admit(admission, amount, &payer)?;
    payer.amounts.used = plus(payer.amounts.used, amount)?;
    let mut user = draft.other(&payer, account, currency)?;
    let usage_of = user.as_mut().unwrap_or(&mut payer);
    usage_of.amounts.usage = plus(usage_of.amounts.usage, amount)?;
    draft.push(Event::Charged(Charged {
        account,
        payer: payer.image(),
        user: user.map(Open::image),
        amount,
        kind,
        admission,
        usage: usage.clone(),
    }));
    Ok(())
}

/// A charge may cost nothing if it says how much was used.
fn chargeable(amount: Nanos, usage: &Usage) -> Result<(), Rejection> {
    quantity(usage.quantity)?;
    if amount.is_negative() {
        Err(Rejection::AmountNegative)
    } else if amount.is_zero() && usage.quantity.is_none_or(Nanos::is_zero) {
        Err(Rejection::AmountNotPositive)
    } else if !amount.in_range() {
        Err(Rejection::AmountOutOfRange)
    } else {
        Ok(())
    }
}

pub(crate) fn quantity(quantity: Option<Nanos>) -> Result<(), Rejection> {
    match quantity {
        Some(quantity) if quantity.is_negative() => Err(Rejection::QuantityNegative),
        Some(quantity) if !quantity.in_range() => Err(Rejection::AmountOutOfRange),
        _ => Ok(()),
    }
}

impl Admission {
    fn or_served(self) -> Self {
        match self {
            Self::Strict | Self::Served => Self::Served,
            Self::Forced => Self::Forced,
        }
    }
}

/// The only ways past the limit. The bound is on the transition: nothing that takes is admitted when it
/// leaves less than nothing, but by what its admission states.
pub(crate) fn admit(admission: Admission, cost: Nanos, payer: &Open) -> Result<(), Rejection> {
    let available = payer.amounts.available();
    let admitted = match admission {
        Admission::Strict => cost <= available,
        Admission::Served => available.is_positive(),
        Admission::Forced => true,
    };
    if admitted { Ok(()) } else { Err(short(payer, cost, available)) }
}

fn short(payer: &Open, need: Nanos, have: Nanos) -> Rejection {
    Rejection::InsufficientFunds { account: payer.account, need, have, limit: payer.amounts.credit() }
}

/// Gives part or all of a charge back to the balance that paid.
pub(crate) fn refund(
    draft: &mut Draft<'_>,
    charge: ChargeId,
    paid: (BalanceIndex, u64),
    charged: Nanos,
    amount: Nanos,
    reference: &Text,
) -> Result<(), Rejection> {
    let account = draft.ledger.balance(charge.balance).account;
    draft.seller_of(account).map_err(|rejection| match rejection {
        Rejection::AccountNotFound => Rejection::ChargeNotFound,
        other => other,
    })?;
    positive(amount)?;
    draft.ledger.allows(account, Class::Receive)?;
    let left = minus(charged, draft.ledger.refunded(charge))?;
    if amount > left {
        return Err(Rejection::RefundAboveCharge { left });
    }
    let payer = draft.ledger.merged_into(paid.0, paid.1);
    let mut payer = draft.open(payer)?;
    draft.ledger.allows(payer.account, Class::Receive)?;
    payer.amounts.used = minus(payer.amounts.used, amount)?;
    let mut user = if payer.balance == charge.balance { None } else { Some(draft.open(charge.balance)?) };
    let usage_of = user.as_mut().unwrap_or(&mut payer);
    usage_of.amounts.usage = minus(usage_of.amounts.usage, amount)?;
    let posting = Posting {
        account,
        payer: payer.image(),
        user: user.map(Open::image),
        amount,
        reference: reference.clone(),
    };
    let refunded = plus(draft.ledger.refunded(charge), amount)?;
    draft.push(Event::Refunded { charge, posting, refunded });
    Ok(())
}

pub(crate) fn top_up(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    amount: Nanos,
    reference: &Text,
) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    positive(amount)?;
    receive(draft, account, currency, amount, reference)
}

/// Money that came, whoever said so.
pub(crate) fn receive(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    amount: Nanos,
    reference: &Text,
) -> Result<(), Rejection> {
    let mut posting = Half::open(draft, account, currency, Class::Receive)?;
    posting.payer.amounts.funded = plus(posting.payer.amounts.funded, amount)?;
    draft.push(Event::ToppedUp(posting.post(amount, reference)));
    Ok(())
}

/// Money that leaves the books. Never more than the family has in cash, or cash would leak out of a
/// credit line through a transfer.
pub(crate) fn withdraw(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    amount: Nanos,
    reference: &Text,
) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    positive(amount)?;
    draft.own(account)?;
    let sending = draft.sending(account);
    draft.ledger.allows(account, sending)?;
    let mut balance = draft.balance(account, currency)?;
    let family = draft.ledger.family_of(balance.balance).map_or(Nanos::ZERO, |family| family.unheld());
    let have = balance.amounts.unheld().or_zero().min(family.or_zero());
    if amount > have {
        return Err(short(&balance, amount, have));
    }
    balance.amounts.funded = minus(balance.amounts.funded, amount)?;
    let half = Half { account, payer: balance, user: None };
    draft.push(Event::Withdrawn(half.post(amount, reference)));
    Ok(())
}

pub(crate) fn adjust(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    amount: Nanos,
    correction: Correction,
    reference: &Text,
) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    if amount.is_zero() {
        return Err(Rejection::AmountNotPositive);
    }
    if !amount.in_range() {
        return Err(Rejection::AmountOutOfRange);
    }
    let mut half = Half::open(draft, account, currency, Class::Adjust)?;
    let amounts = &mut half.payer.amounts;
    match correction {
        Correction::Funded => amounts.funded = plus(amounts.funded, amount)?,
        Correction::Used => amounts.used = minus(amounts.used, amount)?,
    }
    draft.push(Event::Adjusted { posting: half.post(amount, reference), correction });
    Ok(())
}

pub(crate) fn give_usage_credit(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    amount: Nanos,
    reference: &Text,
) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    positive(amount)?;
    let mut half = Half::open(draft, account, currency, Class::Receive)?;
    half.payer.amounts.used = minus(half.payer.amounts.used, amount)?;
    draft.push(Event::UsageCredited(half.post(amount, reference)));
    Ok(())
}

/// The customer's half of a posting: who it is about and the balances it touches.
struct Half {
    account: AccountIndex,
    payer: Open,
    user: Option<Open>,
}

impl Half {
    fn open(
        draft: &mut Draft<'_>,
        account: AccountIndex,
        currency: Currency,
        class: Class,
    ) -> Result<Self, Rejection> {
        draft.ledger.allows(account, class)?;
        let payer_account = draft.ledger.payer(account);
        if payer_account != account {
            draft.ledger.allows(payer_account, class)?;
        }
        let payer = draft.balance(payer_account, currency)?;
        let user = draft.other(&payer, account, currency)?;
        Ok(Self { account, payer, user })
    }

    fn post(self, amount: Nanos, reference: &Text) -> Posting {
        Posting {
            account: self.account,
            payer: self.payer.image(),
            user: self.user.map(Open::image),
            amount,
            reference: reference.clone(),
        }
    }
}
