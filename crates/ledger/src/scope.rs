//! What a credential of an account may not, though its account may: other accounts of the family, other
//! acts, more than so much a day.
//!
//! The amount of a day is counted here, in the order of charges, so that it is exact: what is charged, set
//! aside, transferred or allocated by the credential. What a hold gave back, or a refund, frees nothing.
//! Days are those of UTC: no rule reads time-zone data.

use std::sync::Arc;

use domain::{Currency, Nanos, Timestamp};

use crate::balance::plus;
use crate::draft::Draft;
use crate::event::Event;
use crate::{AccountIndex, Actor, BalanceIndex, Ledger, Rejection};

/// Accounts that one scope may name.
pub const SCOPE_ACCOUNTS_MAX: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// What it may do, as the callers' table numbers it. Here it is only kept.
    pub actions: u32,
    /// The only accounts it may act on; none named is all that its holder reaches.
    pub accounts: Arc<[AccountIndex]>,
    pub per_day: Option<PerDay>,
}

/// The most that a credential may spend in a day, in one currency and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerDay {
    pub currency: Currency,
    pub amount: Nanos,
}

/// What a credential has spent, and on which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Spent {
    pub day: u32,
    pub amount: Nanos,
}

impl Scope {
    fn covers(&self, account: AccountIndex) -> bool {
        self.accounts.is_empty() || self.accounts.contains(&account)
    }
}

impl Spent {
    /// What counts on `day`.
    pub fn on(self, day: u32) -> Nanos {
        if self.day == day { self.amount } else { Nanos::ZERO }
    }
}

/// Days since 1970 began, in UTC.
pub fn day_of(instant: Timestamp) -> u32 {
    const MICROS: i64 = 24 * 3600 * 1_000_000;
    u32::try_from(instant.as_micros().div_euclid(MICROS)).unwrap_or(0)
}

impl Ledger {
    /// Whether the credential may act on the account at all, as far as its scope says.
    pub fn in_scope(&self, actor: Actor, account: AccountIndex) -> bool {
        match actor {
            Actor::System | Actor::Session(_) | Actor::Member(_) => true,
            Actor::Credential(index) => {
                self.credential(index).scope.as_ref().is_none_or(|scope| scope.covers(account))
            }
        }
    }
}

impl Draft<'_> {
    pub(crate) fn in_scope(&self, account: AccountIndex) -> bool {
        self.scope().is_none_or(|scope| scope.covers(account))
    }

    /// Whoever is held to a scope makes no credential that is not.
    pub(crate) fn unscoped(&self) -> Result<(), Rejection> {
        if self.scope().is_none() { Ok(()) } else { Err(Rejection::OutOfScope) }
    }

    /// Counts what the command spends, where its credential may spend so much a day.
    pub(crate) fn spend(&mut self) -> Result<(), Rejection> {
        let Some((credential, limit)) = self.credential.zip(self.scope().and_then(|it| it.per_day)) else {
            return Ok(());
        };
        let mut need = Nanos::ZERO;
        for event in self.written() {
            let Some((balance, amount)) = outflow(event) else { continue };
            if self.currency_of(balance) != Some(limit.currency) {
                return Err(Rejection::OutOfScope);
            }
            need = plus(need, amount)?;
        }
        if need.is_zero() {
            return Ok(());
        }
        let day = day_of(self.now);
        let before = self.ledger.credential(credential).spent.on(day);
        let amount = plus(before, need)?;
        if amount > limit.amount {
            let have = Nanos::new(limit.amount.get() - before.get()).or_zero();
            return Err(Rejection::ScopeExceeded { need, have, limit: limit.amount });
        }
        self.push(Event::CredentialSpent { credential, spent: Spent { day, amount } });
        Ok(())
    }
}

/// What an event takes, and from which balance.
fn outflow(event: &Event) -> Option<(BalanceIndex, Nanos)> {
    match event {
        Event::Charged(it) => Some((it.payer.balance, it.amount)),
        Event::HoldPlaced(it) => Some((it.payer.balance, it.amount)),
        // What the hold had set aside was counted when it was placed.
        Event::HoldCaptured { charged, within, .. } => {
            Some((charged.payer.balance, Nanos::new(charged.amount.get() - within.get())))
        }
        Event::Transferred { from, amount, .. } | Event::Allocated { from, amount, .. } => {
            Some((from.balance, *amount))
        }
        _ => None,
    }
}
