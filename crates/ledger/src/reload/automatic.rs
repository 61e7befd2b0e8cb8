//! Reloads that start by themselves.
//!
//! Level-triggered: whatever happens to a balance, and a refusal for want of funds, finds posted minus held
//! below the threshold or not; if so, one reload starts, by a command of its own, unless one is under way.
//! What such a reload does itself is not looked at again, so it is one for each command at the most.
//! What bounds it: a count and an amount for each period, a growing wait after each failure, and an end after
//! several in a row, until the seller sets the rule again. What people start is not counted.

use domain::{Nanos, Timestamp};

use super::Reload;
use crate::account::Class;
use crate::balance::plus;
use crate::draft::Draft;
use crate::event::Event;
use crate::{BalanceIndex, Ledger, Provider, Rejection, ReloadRequest, money};

/// After so many failures in a row a rule is off.
pub const RELOAD_FAILURES_MAX: u32 = 5;
/// The wait after the first failure; each further one is four times as long.
const WAIT_SECS: i64 = 3600;
const WAIT_FACTOR: i64 = 4;

/// What may start by itself in one period of the organization's calendar; without a limit, when absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ReloadLimits {
    pub count: Option<u32>,
    pub amount: Option<Nanos>,
}

/// What has started by itself in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ReloadTally {
    pub period: u32,
    pub count: u32,
    pub amount: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadPause {
    /// In a row.
    pub failures: u32,
    /// None starts by itself before then; never, once the rule is off.
    pub until: Timestamp,
}

impl ReloadPause {
    pub(super) fn after(before: Option<Self>, now: Timestamp) -> Self {
        let failures = before.map_or(0, |before| before.failures).saturating_add(1);
        let until = match failures {
            1..RELOAD_FAILURES_MAX => now.plus_secs(WAIT_SECS * WAIT_FACTOR.pow(failures - 1)),
            _ => Timestamp::NEVER,
        };
        Self { failures, until }
    }
}

impl ReloadLimits {
    fn allow(&self, tally: &ReloadTally) -> bool {
        self.count.is_none_or(|most| tally.count <= most)
            && self.amount.is_none_or(|most| tally.amount <= most)
    }
}

impl ReloadTally {
    /// With one more; the first of its period begins anew.
    fn with(&self, amount: Nanos, period: u32) -> Option<Self> {
        let before = if self.period == period { *self } else { Self { period, ..Self::default() } };
        let amount = plus(before.amount, amount).ok()?;
        Some(Self { period, count: before.count.checked_add(1)?, amount })
    }
}

impl Reload {
    /// Neither the seller nor failures have switched it off.
    pub fn is_on(&self) -> bool {
        self.rule.enabled && self.pause.is_none_or(|pause| pause.until < Timestamp::NEVER)
    }

    /// Whether it may ever start by itself.
    pub(crate) fn watches(&self) -> bool {
        self.rule.enabled && self.rule.threshold.is_some()
    }
}

impl Ledger {
    /// Adds the balances that these events, which were applied, have touched and left with reason to start a
    /// reload.
    pub fn add_wanting_reload(&self, events: &[Event], now: Timestamp, wanting: &mut Vec<BalanceIndex>) {
        for event in events {
            if let Event::ReloadRuled { balance, .. } = event {
                self.add_if_wanting(*balance, now, wanting);
            }
            for image in event.images() {
                self.add_if_wanting(image.balance, now, wanting);
            }
        }
    }

    /// The same of the balances of an account that was refused for want of funds.
    pub fn add_wanting_reload_of(
        &self,
        rejection: &Rejection,
        now: Timestamp,
        wanting: &mut Vec<BalanceIndex>,
    ) {
        if let Rejection::InsufficientFunds { account, .. } = rejection {
            self.balances_of(*account).for_each(|balance| self.add_if_wanting(balance, now, wanting));
        }
    }

    fn add_if_wanting(&self, index: BalanceIndex, now: Timestamp, wanting: &mut Vec<BalanceIndex>) {
        if self.reloads.is_watched(index)
            && !wanting.contains(&index)
            && self.wanted_reload(index, now).is_some()
        {
            wanting.push(index);
        }
    }

    /// The rule by which a reload is to start now, and what has started in the period with it.
    fn wanted_reload(&self, index: BalanceIndex, now: Timestamp) -> Option<(&Reload, ReloadTally)> {
        let (balance, reload) = (self.balances.get(index.slot())?, self.reloads.get(index)?);
        let is_below = balance.amounts.unheld() < reload.rule.threshold?;
        let is_free = reload.is_on()
            && reload.requested.is_none()
            && reload.pause.is_none_or(|pause| pause.until <= now)
            && self.pays_itself(reload.rule.provider);
        let account = self.account(reload.account);
        let may_receive = !account.funding.is_shared() && self.allows(reload.account, Class::Receive).is_ok();
        if !(is_below && is_free && may_receive) {
            return None;
        }
        let (period, _) = self.organization(account.organization).calendar.period_at(now)?;
        let started = reload.started.with(reload.rule.amount, period)?;
        reload.limits.allow(&started).then_some((reload, started))
    }

    fn pays_itself(&self, provider: Provider) -> bool {
        provider != Provider::Test || self.sandbox
    }
}

impl Draft<'_> {
    /// What approves everything is for sandboxes.
    pub(super) fn may_be_paid_by(&self, provider: Provider) -> Result<(), Rejection> {
        if self.ledger.pays_itself(provider) { Ok(()) } else { Err(Rejection::SandboxOnly) }
    }
}

/// By the server itself. One that is approved at once has begun and ended when it is told.
pub(crate) fn begin(draft: &mut Draft<'_>, balance: BalanceIndex) -> Result<(), Rejection> {
    let (reload, started) = draft.ledger.wanted_reload(balance, draft.now).ok_or(Rejection::ReloadOff)?;
    let request = ReloadRequest { amount: reload.rule.amount, requested_at: draft.now };
    draft.push(Event::ReloadStarted { balance, request, started });
    if reload.rule.provider == Provider::Test {
        let currency = draft.ledger.balance(balance).currency;
        money::receive(draft, reload.account, currency, request.amount, &reload.rule.reference)?;
        draft.push(Event::ReloadEnded { balance, approved: true });
    }
    Ok(())
}
