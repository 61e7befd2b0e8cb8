//! A balance: an account's money in one currency, and what may leave it.

use domain::{Currency, Nanos, Timestamp};

use crate::{AccountIndex, BalanceIndex, EventRef, FamilyIndex, Rejection};

/// The amounts of a balance at one moment. Every event that touches a balance carries them whole.
///
/// Each is within [`Nanos::MIN`]..=[`Nanos::MAX`] (`plus` sees to it), so sums of a few of them
/// cannot overflow 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Posted at the start of the open period.
    pub carried: Nanos,
    /// Payments and transfers in, minus transfers out, withdrawals and disputes, in the open period.
    pub funded: Nanos,
    /// Charges and captures paid in cash, minus their refunds and usage credits, in the open period.
    pub used: Nanos,
    /// The cash parts of open holds.
    pub held: Nanos,
    /// The part of the credit limit set by the seller.
    pub granted: Nanos,
    /// The part received from the parent.
    pub received: Nanos,
    /// The part given to children.
    pub given: Nanos,
    /// What closed periods still owe, on invoiced terms; kept at the root.
    pub billed: Nanos,
    /// The account's own usage paid in cash in the open period, whoever paid.
    pub usage: Nanos,
    /// The account's own usage paid by grants in the open period.
    pub usage_by_grants: Nanos,
}

impl Amounts {
    pub fn posted(&self) -> Nanos {
        Nanos::new(self.carried.get() + self.funded.get() - self.used.get())
    }

    /// The credit limit: how far below zero is allowed. Never negative.
    pub fn credit(&self) -> Nanos {
        Nanos::new(self.granted.get() + self.received.get() - self.given.get())
    }

    pub fn available(&self) -> Nanos {
        Nanos::new(self.posted().get() - self.held.get() + self.credit().get())
    }

    /// Cash that no open hold has set aside.
    pub fn unheld(&self) -> Nanos {
        Nanos::new(self.posted().get() - self.held.get())
    }

    /// Whether the sums of these amounts can be carried by every API, as each of them can.
    pub(crate) fn in_range(&self) -> bool {
        let (posted, credit) = (self.posted(), self.credit());
        let sums = [posted, credit, self.unheld(), self.available(), Nanos::new(posted.get() + credit.get())];
        sums.into_iter().all(Nanos::in_range)
    }

    /// What a transfer may take out.
    pub fn transferable(&self) -> Nanos {
        self.available().or_zero()
    }

    /// What an allocation may take out: credit that nothing rests on.
    pub fn allocatable(&self) -> Nanos {
        self.credit().min(self.available()).or_zero()
    }

    /// The same money in the next period.
    #[must_use]
    pub fn rolled(&self) -> Self {
        Self {
            carried: self.posted(),
            funded: Nanos::ZERO,
            used: Nanos::ZERO,
            usage: Nanos::ZERO,
            usage_by_grants: Nanos::ZERO,
            ..*self
        }
    }
}

/// `a + b`, refused when the result would leave the range that every API can carry.
pub(crate) fn plus(a: Nanos, b: Nanos) -> Result<Nanos, Rejection> {
    a.checked_add(b).filter(|sum| sum.in_range()).ok_or(Rejection::AmountOutOfRange)
}

/// `a − b`, likewise.
pub(crate) fn minus(a: Nanos, b: Nanos) -> Result<Nanos, Rejection> {
    a.checked_sub(b).filter(|difference| difference.in_range()).ok_or(Rejection::AmountOutOfRange)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub amounts: Amounts,
    pub account: AccountIndex,
    pub family: FamilyIndex,
    pub currency: Currency,
    /// The number of the open period, and the instant it ends.
    pub period: u32,
    /// The account's balance in another currency.
    pub next: Option<BalanceIndex>,
    pub period_end: Timestamp,
    /// How many events have touched it; the number of its newest entry.
    pub entries: u64,
    pub last: EventRef,
    /// The newest entry that is a movement: money or credit that came, went or was set.
    pub last_movement: EventRef,
    /// The newest entry whose number is a multiple of 64, of 64², of 64³.
    pub skips: [EventRef; SKIP_LEVELS],
}

pub const SKIP_LEVELS: usize = 3;
const SKIP_STEP: u64 = 64;

impl Balance {
    /// The levels on which entry number `entry` is a landing place: it then points back to the landing
    /// place before it on each of them.
    pub fn skip_levels(entry: u64) -> usize {
        let mut step = SKIP_STEP;
        let mut levels = 0;
        while levels < SKIP_LEVELS && entry.is_multiple_of(step) {
            levels += 1;
            step *= SKIP_STEP;
        }
        levels
    }

    /// The distance between two landing places of a level (0 is the lowest).
    pub fn skip_distance(level: usize) -> u64 {
        SKIP_STEP.pow(level as u32 + 1)
    }

    /// Where its newest entry stands.
    pub fn last_entry(&self) -> EventRef {
        if self.entries == 0 { EventRef::NONE } else { self.last }
    }

    /// Takes note of the event at `at` as its newest entry.
    pub(crate) fn record(&mut self, at: EventRef, is_movement: bool) {
        self.entries += 1;
        self.last = at;
        if is_movement {
            self.last_movement = at;
        }
        for skip in &mut self.skips[..Self::skip_levels(self.entries)] {
            *skip = at;
        }
    }
}
