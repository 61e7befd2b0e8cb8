//! Reload rules, and what starts by itself.

use std::collections::BTreeSet;

use super::{Amount, Model, No};

const HOUR: i64 = 3600 * 1_000_000;
const FAILURES_MAX: u32 = 5;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    pub rule: Rule,
    pub requested: Option<Amount>,
    /// In this period, how many, and how much.
    pub started: (u32, u32, Amount),
    pub failures: u32,
    pub waits_until: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub amount: Amount,
    pub on: bool,
    pub at_once: bool,
    pub threshold: Option<Amount>,
    pub count_max: Option<u32>,
    pub amount_max: Option<Amount>,
}

impl Reload {
    pub fn is_on(&self) -> bool {
        self.rule.on && self.failures < FAILURES_MAX
    }

    pub(super) fn fail(&mut self, now: i64) {
        self.requested = None;
        self.failures += 1;
        self.waits_until = now + HOUR * [1, 4, 16, 64, 0][self.failures.min(FAILURES_MAX) as usize - 1];
    }
}

impl Model {
    pub(super) fn set_reload(&mut self, account: usize, currency: &'static str, rule: Rule, period: u32) {
        self.touch(account, currency, period);
        let before = self.reloads.get(&(account, currency));
        let reload = Reload {
            rule,
            requested: before.and_then(|before| before.requested),
            started: before.map_or_else(Default::default, |before| before.started),
            failures: 0,
            waits_until: 0,
        };
        self.reloads.insert((account, currency), reload);
    }

    /// What the ask at hand left below a threshold, or was refused for want of, is reloaded.
    pub fn begin_reloads(&mut self, now: i64, period: u32) {
        let mut touched: BTreeSet<_> = std::mem::take(&mut self.touched).into_iter().collect();
        if let Some(account) = self.short.take() {
            touched.extend(self.accounts[account].sheets.keys().map(|currency| (account, *currency)));
        }
        if self.is_full {
            return;
        }
        for (account, currency) in touched {
            self.begin_reload(account, currency, now, period);
        }
    }

    /// False, where none is to start.
    pub fn begin_reload(&mut self, account: usize, currency: &'static str, now: i64, period: u32) -> bool {
        let Some(reload) = self.reloads.get(&(account, currency)) else { return false };
        let sheet = self.look(account, currency);
        let (of, count, amount) = reload.started;
        let (count, amount) = if of == period { (count, amount) } else { (0, 0) };
        let (count, amount) = (count + 1, amount + reload.rule.amount);
        let starts = reload.rule.threshold.is_some_and(|threshold| sheet.posted() - sheet.held < threshold)
            && reload.is_on()
            && reload.requested.is_none()
            && reload.waits_until <= now
            && reload.rule.count_max.is_none_or(|most| count <= most)
            && reload.rule.amount_max.is_none_or(|most| amount <= most)
            && self.accounts[account].own
            && !self.accounts[account].closed;
        if !starts {
            return false;
        }
        let reload = self.reloads.get_mut(&(account, currency)).expect("it was found");
        reload.started = (period, count, amount);
        let amount = reload.rule.amount;
        if reload.rule.at_once {
            reload.failures = 0;
            reload.waits_until = 0;
            self.touch(account, currency, period).funded += amount;
            self.touched.clear();
        } else {
            reload.requested = Some(amount);
        }
        true
    }

    pub(super) fn settle_reload(
        &mut self,
        account: usize,
        currency: &'static str,
        approved: bool,
        now: i64,
        period: u32,
    ) -> Result<(), No> {
        let requested = self.reloads.get(&(account, currency)).and_then(|reload| reload.requested);
        let requested = requested.ok_or(No::NotUnderWay)?;
        if approved {
            self.receive(account, currency, requested, period)?;
        }
        let reload = self.reloads.get_mut(&(account, currency)).expect("it was found");
        if approved {
            (reload.requested, reload.failures, reload.waits_until) = (None, 0, 0);
        } else {
            reload.fail(now);
        }
        Ok(())
    }
}
