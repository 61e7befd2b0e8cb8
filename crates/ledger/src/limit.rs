//! So much money, and no more, by one credential.
//!
//! Counted in the order of charges, so that it is exact: what goes through a charge, a transfer, an
//! allocation … by that credential. What comes back, by the end of a hold or a refund, frees nothing. Days and
//! months are those of UTC: no rule reads time-zone data.

use domain::{Currency, Nanos, Timestamp};

use crate::balance::plus;
use crate::draft::{Draft, positive};
use crate::event::Event;
use crate::{Allowed, BalanceIndex, Rejection, Scope};

/// Limits that one scope may have.
pub const LIMITS_MAX: usize = 8;

/// The most of some flows in a span, in one currency. Whoever has limits moves money only as one of them says:
/// a charge that is limited could else be a transfer to an account that charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub flows: Flows,
    pub currency: Currency,
    pub amount: Nanos,
    pub span: Span,
}

/// How money moves, as far as limits tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Charges, holds when they are placed, and what a capture takes above its hold.
    Charge,
    /// Money between the accounts of a family.
    Transfer,
    /// Credit between a parent and its child, either way.
    Allocate,
    /// Payments: top-ups, reloads when they are paid, withdrawals.
    Pay,
    /// Refunds, usage credits, and adjustments up or down.
    Correct,
    /// Credit limits, by as much as they are raised.
    Credit,
}

impl Flow {
    pub const ALL: [Self; 6] =
        [Self::Charge, Self::Transfer, Self::Allocate, Self::Pay, Self::Correct, Self::Credit];
}

/// Some of the flows, a bit each. Kept in journals: a number is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flows(pub u8);

impl Flows {
    pub fn of(flows: impl IntoIterator<Item = Flow>) -> Self {
        Self(flows.into_iter().fold(0, |bits, flow| bits | Self::bit(flow)))
    }

    pub fn has(self, flow: Flow) -> bool {
        self.0 & Self::bit(flow) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Flow> {
        Flow::ALL.into_iter().filter(move |flow| self.has(*flow))
    }

    fn bit(flow: Flow) -> u8 {
        1 << match flow {
            Flow::Charge => 0,
            Flow::Transfer => 1,
            Flow::Allocate => 2,
            Flow::Pay => 3,
            Flow::Correct => 4,
            Flow::Credit => 5,
        }
    }
}

/// For how long a limit counts before it begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Day,
    Month,
    /// It never does.
    Total,
}

impl Span {
    /// Which day or month it is: counted since 1970 began, in UTC.
    pub fn number(self, now: Timestamp) -> u32 {
        match self {
            Self::Day => day_of(now),
            Self::Month => month_of(day_of(now)),
            Self::Total => 0,
        }
    }
}

/// As it was before there were limits: charges, transfers and allocations of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerDay {
    pub currency: Currency,
    pub amount: Nanos,
}

/// What went through a limit, and in which of its spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Spent {
    pub span: u32,
    pub amount: Nanos,
}

impl Spent {
    /// What counts in the span of that number.
    pub fn of(self, span: u32) -> Nanos {
        if self.span == span { self.amount } else { Nanos::ZERO }
    }
}

/// Days since 1970 began, in UTC.
pub fn day_of(instant: Timestamp) -> u32 {
    const MICROS: i64 = 24 * 3600 * 1_000_000;
    u32::try_from(instant.as_micros().div_euclid(MICROS)).unwrap_or(0)
}

/// The same of months. Years are counted from March, so that the leap day is the last of its year.
fn month_of(day: u32) -> u32 {
    const DAYS_BEFORE_1970: u64 = 719_468;
    const OF_400_YEARS: u64 = 146_097;
    let days = u64::from(day) + DAYS_BEFORE_1970;
    let (centuries, day) = (days / OF_400_YEARS, days % OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let since_march = (5 * day + 2) / 153;
    // March of the year 0 is the third month of it.
    let month = (centuries * 400 + year) * 12 + since_march + 2;
    u32::try_from(month - 1970 * 12).unwrap_or(u32::MAX)
}

impl Draft<'_> {
    /// Counts what the command moves, where its credential has limits.
    pub(crate) fn count(&mut self) -> Result<(), Rejection> {
        let Some((credential, scope)) = self.credential.zip(self.scope()) else { return Ok(()) };
        if scope.limits.is_empty() {
            return Ok(());
        }
        self.is_spoken_of(scope)?;
        let known = &self.ledger.credential(credential).spent[..];
        for (place, (limit, spent)) in scope.limits.iter().zip(known).enumerate() {
            let need = self.moved(limit)?;
            if need.is_zero() {
                continue;
            }
            let span = limit.span.number(self.now);
            let before = spent.of(span);
            let amount = plus(before, need)?;
            if amount > limit.amount {
                let have = Nanos::new(limit.amount.get() - before.get()).or_zero();
                return Err(Rejection::ScopeExceeded { need, have, limit: *limit });
            }
            let (limit, spent) = (place as u32, Spent { span, amount });
            self.push(Event::LimitCounted { credential, limit, spent });
        }
        Ok(())
    }

    /// Whether some limit counts each flow of the command, in its currency.
    fn is_spoken_of(&self, scope: &Scope) -> Result<(), Rejection> {
        for (balance, flow, _) in self.written().iter().filter_map(flow) {
            let mut speak = scope.limits.iter().filter(|limit| limit.flows.has(flow)).peekable();
            let currency = self.currency_of(balance);
            let is_free = matches!(scope.allowed, Allowed::Actions(_)) && speak.peek().is_none();
            if !is_free && !speak.any(|limit| Some(limit.currency) == currency) {
                return Err(Rejection::OutOfScope);
            }
        }
        Ok(())
    }

    /// What the command moves of that which a limit counts.
    fn moved(&self, limit: &Limit) -> Result<Nanos, Rejection> {
        let mut moved = Nanos::ZERO;
        for (balance, flow, amount) in self.written().iter().filter_map(flow) {
            if limit.flows.has(flow) && self.currency_of(balance) == Some(limit.currency) {
                moved = plus(moved, amount)?;
            }
        }
        Ok(moved)
    }
}

/// Limits that make sense: at most so many, of something, and of more than nothing.
pub(crate) fn possible(limits: &[Limit]) -> Result<(), Rejection> {
    if limits.len() > LIMITS_MAX || limits.iter().any(|limit| limit.flows.iter().next().is_none()) {
        return Err(Rejection::OutOfScope);
    }
    limits.iter().try_for_each(|limit| positive(limit.amount))
}

/// What an event moves, through which balance. The others move nothing, or nothing of anybody's doing.
fn flow(event: &Event) -> Option<(BalanceIndex, Flow, Nanos)> {
    Some(match event {
        Event::Charged(it) => (it.payer.balance, Flow::Charge, it.amount),
        Event::HoldPlaced(it) => (it.payer.balance, Flow::Charge, it.amount),
        // What the hold had set aside was counted when it was placed.
        Event::HoldCaptured { charged, within, .. } => {
            let above = Nanos::new(charged.amount.get() - within.get());
            (charged.payer.balance, Flow::Charge, above)
        }
        Event::Transferred { from, amount, .. } => (from.balance, Flow::Transfer, *amount),
        Event::Allocated { from, amount, .. } => (from.balance, Flow::Allocate, *amount),
        Event::ToppedUp(it) | Event::Withdrawn(it) => (it.payer.balance, Flow::Pay, it.amount),
        Event::Refunded { posting: it, .. } | Event::UsageCredited(it) => {
            (it.payer.balance, Flow::Correct, it.amount)
        }
        Event::Adjusted { posting: it, .. } => {
            (it.payer.balance, Flow::Correct, Nanos::new(it.amount.get().abs()))
        }
        Event::CreditSet { image, change, .. } if change.is_positive() => {
            (image.balance, Flow::Credit, *change)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
