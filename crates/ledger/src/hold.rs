//! Holds: an amount set aside, with the balance that pays pinned.
//!
//! A hold is not a posting: `held` rises, posted stays. Capture takes the held part first; whatever
//! funding or status is by then, it acts on the balance that was pinned.

use domain::{Nanos, Timestamp};

use crate::account::Class;
use crate::balance::{minus, plus};
use crate::draft::{Draft, Open, positive};
use crate::event::{Charged, Event, HoldEnd, HoldPlaced};
use crate::money::{admit, quantity};
use crate::{
    AccountIndex, Admission, BalanceIndex, ChargeKind, EventRef, ExcessPolicy, HoldId, Ledger, Rejection,
    Text, Usage,
};

/// The longest life of a hold.
pub const HOLD_LIFE_MAX_SECS: i64 = 30 * 24 * 3600;
/// How many due holds one group ends before anything else is decided.
pub const DUE_MAX: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose usage it will be.
    pub account: AccountIndex,
    pub user: BalanceIndex,
    /// The balance that pays, and the number of the hold there: a later merge is found by it.
    pub payer: BalanceIndex,
    pub payer_entry: u64,
    /// What is still set aside. All of it is cash until grants pay parts.
    pub amount: Nanos,
    pub captured: Nanos,
    pub placed_at: Timestamp,
    pub expires_at: Timestamp,
    pub usage: Usage,
    pub last: EventRef,
}

impl Ledger {
    /// What falls due at or before `now`, first things first.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, HoldId)> {
        self.due.range(..=(now, HoldId(u64::MAX))).copied()
    }

    /// Ends a hold that is due. Its balance may have rolled over since.
    pub fn expire(&self, id: HoldId, now: Timestamp, events: &mut Vec<Event>) {
        let mut draft = Draft::internal(self, now, events);
        let ended = end(&mut draft, id, HoldEnd::Expired);
        debug_assert!(ended.is_ok(), "what is due can always be ended: {ended:?}");
    }
}

pub(crate) fn place(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: domain::Currency,
    amount: Nanos,
    expires_at: Timestamp,
    usage: &Usage,
) -> Result<(), Rejection> {
    draft.reach(account)?;
    positive(amount)?;
    quantity(usage.quantity)?;
    life(draft.now, expires_at)?;
    let payer_account = draft.spender(account)?;
    let mut payer = draft.balance(payer_account, currency)?;
    admit(Admission::Strict, amount, &payer)?;
    payer.amounts.held = plus(payer.amounts.held, amount)?;
    let user = draft.other(&payer, account, currency)?;
    draft.push(Event::HoldPlaced(HoldPlaced {
        hold: draft.ledger.next_hold,
        account,
        payer: payer.image(),
        user: user.map(|user| user.image()),
        amount,
        placed_at: draft.now,
        expires_at,
        usage: usage.clone(),
    }));
    Ok(())
}

pub(crate) fn extend(draft: &mut Draft<'_>, id: HoldId, expires_at: Timestamp) -> Result<(), Rejection> {
    let hold = draft.hold(id)?;
    draft.ledger.allows(hold.account, Class::Spend)?;
    let (payer, user) = pinned(draft, hold)?;
    draft.ledger.allows(payer.account, Class::Spend)?;
    life(draft.now, expires_at)?;
    draft.push(Event::HoldExtended {
        hold: id,
        payer: payer.image(),
        user: user.map(|user| user.image()),
        expires_at,
    });
    Ok(())
}

pub(crate) fn capture(
    draft: &mut Draft<'_>,
    id: HoldId,
    amount: Nanos,
    excess: ExcessPolicy,
    keep_open: bool,
    quantity_now: Option<Nanos>,
    reference: &Text,
) -> Result<(), Rejection> {
    let hold = draft.hold(id)?;
    if amount.is_negative() {
        return Err(Rejection::AmountNegative);
    }
    quantity(quantity_now)?;
    draft.ledger.allows(hold.account, Class::Settle)?;
    let (mut payer, mut user) = pinned(draft, hold)?;
    let within = amount.min(hold.amount);
    let left = minus(hold.amount, within)?;
    let released = if keep_open && !left.is_zero() { Nanos::ZERO } else { left };
    payer.amounts.held = minus(payer.amounts.held, plus(within, released)?)?;
    payer.amounts.used = plus(payer.amounts.used, within)?;

    let above = minus(amount, within)?;
    let (above, admission) = match excess {
        _ if above.is_zero() => (above, Admission::Strict),
        ExcessPolicy::Exact => return Err(Rejection::CaptureAboveHold { held: hold.amount }),
        ExcessPolicy::UpToAvailable => (above.min(payer.amounts.available().or_zero()), Admission::Strict),
        ExcessPolicy::Admit(admission) => {
            draft.may_force(hold.account, admission)?;
            admit(admission, above, &payer)?;
            (above, admission)
        }
    };
    let taken = plus(within, above)?;
    payer.amounts.used = plus(payer.amounts.used, above)?;
    let usage_of = user.as_mut().unwrap_or(&mut payer);
    usage_of.amounts.usage = plus(usage_of.amounts.usage, taken)?;

    let usage = Usage {
        quantity: quantity_now.or(hold.usage.quantity),
        reference: reference.clone().or_else(|| hold.usage.reference.clone()),
        ..hold.usage
    };
    draft.push(Event::HoldCaptured {
        hold: id,
        left: minus(left, released)?,
        released,
        charged: Charged {
            account: hold.account,
            payer: payer.image(),
            user: user.map(|user| user.image()),
            amount: taken,
            kind: ChargeKind::Metered,
            admission,
            usage,
        },
        within,
    });
    Ok(())
}

pub(crate) fn void(draft: &mut Draft<'_>, id: HoldId) -> Result<(), Rejection> {
    let hold = draft.hold(id)?;
    draft.ledger.allows(hold.account, Class::Settle)?;
    end(draft, id, HoldEnd::Voided)
}

fn end(draft: &mut Draft<'_>, id: HoldId, end: HoldEnd) -> Result<(), Rejection> {
    let hold = draft.ledger.hold(id).ok_or(Rejection::HoldNotFound)?;
    let (mut payer, user) = pinned(draft, hold)?;
    payer.amounts.held = minus(payer.amounts.held, hold.amount)?;
    draft.push(Event::HoldEnded {
        hold: id,
        payer: payer.image(),
        user: user.map(|user| user.image()),
        released: hold.amount,
        end,
    });
    Ok(())
}

/// The balances a hold is about: the one that pays, wherever a merge has taken it, and the user's own.
fn pinned(draft: &mut Draft<'_>, hold: &Hold) -> Result<(Open, Option<Open>), Rejection> {
    let payer = draft.ledger.merged_into(hold.payer, hold.payer_entry);
    let payer = draft.open(payer)?;
    let user = if payer.balance == hold.user { None } else { Some(draft.open(hold.user)?) };
    Ok((payer, user))
}

fn life(now: Timestamp, expires_at: Timestamp) -> Result<(), Rejection> {
    if expires_at <= now {
        return Err(Rejection::HoldExpiryPast);
    }
    if expires_at > now.plus_secs(HOLD_LIFE_MAX_SECS) {
        return Err(Rejection::HoldTooLong);
    }
    Ok(())
}
