//! Running totals: the house legs of every posting, and the sums over a family.
//!
//! They exist so that "money is neither made nor lost" is checked at every event instead of by a scan.

use domain::{Currency, Nanos};

use crate::{AccountIndex, EventRef};

/// The seller's side of the books in one currency. `accounts` and the legs sum to zero at all times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct House {
    pub currency: Currency,
    /// Σ posted of all balances.
    pub accounts: Nanos,
    pub legs: [Nanos; HouseLeg::COUNT],
    pub last: EventRef,
}

/// The ledger accounts of the seller; which one a posting touches follows from the event's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HouseLeg {
    Cash,
    Revenue,
    UsageCredits,
    Adjustments,
    Promotions,
    Receivable,
    Rounding,
}

impl HouseLeg {
    pub const COUNT: usize = 7;
    pub const ALL: [Self; Self::COUNT] = [
        Self::Cash,
        Self::Revenue,
        Self::UsageCredits,
        Self::Adjustments,
        Self::Promotions,
        Self::Receivable,
        Self::Rounding,
    ];
}

impl House {
    pub fn new(currency: Currency) -> Self {
        Self { currency, accounts: Nanos::ZERO, legs: [Nanos::ZERO; HouseLeg::COUNT], last: EventRef::NONE }
    }

    pub fn leg(&self, leg: HouseLeg) -> Nanos {
        self.legs[leg as usize]
    }

    /// Zero, or money was made or lost.
    pub fn imbalance(&self) -> Nanos {
        sum(self.accounts, self.legs.iter().copied().sum())
    }

    pub(crate) fn post(&mut self, leg: HouseLeg, change: Nanos) {
        self.accounts = sum(self.accounts, change);
        let leg = &mut self.legs[leg as usize];
        *leg = Nanos::new(leg.get() - change.get());
    }
}

/// Sums over the balances of a family in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    pub root: AccountIndex,
    pub currency: Currency,
    pub posted: Nanos,
    pub held: Nanos,
    pub credit: Nanos,
    pub last: EventRef,
}

impl Family {
    pub fn unheld(&self) -> Nanos {
        Nanos::new(self.posted.get() - self.held.get())
    }
}

/// Totals stay below 2⁹³ times the number of postings, far from 2¹²⁷.
pub(crate) fn sum(a: Nanos, b: Nanos) -> Nanos {
    a.checked_add(b).expect("totals of amounts in range fit in 128 bits")
}
