//! Reload rules: how a balance is topped up again, by whom, and how much at a time.
//!
//! One reload at a time: whoever pays for real is asked once, and the next begins when that has ended.
//! What a provider approves at once is posted at once; what a person approves waits for the seller's word.
//! Below its threshold a balance is reloaded without anybody asking: see [`automatic`].

pub(crate) mod automatic;

use std::collections::{BTreeMap, BTreeSet};

use domain::{Currency, Nanos, Timestamp};

pub use self::automatic::{RELOAD_FAILURES_MAX, ReloadLimits, ReloadPause, ReloadTally};

use crate::account::Class;
use crate::draft::{Draft, positive};
use crate::event::Event;
use crate::{AccountIndex, BalanceIndex, EventRef, Ledger, Rejection, Text, money};

/// A balance's rule, and the reload that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    pub account: AccountIndex,
    pub rule: ReloadRule,
    pub requested: Option<ReloadRequest>,
    pub limits: ReloadLimits,
    /// What has started by itself in the period that it names.
    pub started: ReloadTally,
    /// After the newest ones failed.
    pub pause: Option<ReloadPause>,
    pub last: EventRef,
}

/// All rules, and what is found again from them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reloads {
    rules: BTreeMap<BalanceIndex, Reload>,
    /// Whose reload waits for the seller.
    waiting: BTreeSet<BalanceIndex>,
    /// A bit for each balance up to the last whose reloads may start by themselves: every charge looks here.
    watched: Vec<u64>,
}

impl Reloads {
    pub(crate) fn get(&self, balance: BalanceIndex) -> Option<&Reload> {
        self.rules.get(&balance)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (BalanceIndex, &Reload)> {
        self.rules.iter().map(|(balance, reload)| (*balance, reload))
    }

    pub(crate) fn range(
        &self,
        range: impl std::ops::RangeBounds<BalanceIndex>,
    ) -> impl Iterator<Item = (BalanceIndex, &Reload)> {
        self.rules.range(range).map(|(balance, reload)| (*balance, reload))
    }

    pub(crate) fn is_watched(&self, balance: BalanceIndex) -> bool {
        let word = self.watched.get(balance.slot() / 64);
        word.is_some_and(|word| word >> (balance.slot() % 64) & 1 == 1)
    }

    pub(crate) fn put(&mut self, balance: BalanceIndex, reload: Reload) {
        self.wait(balance, reload.requested.is_some());
        self.watch(balance, reload.watches());
        self.rules.insert(balance, reload);
    }

    fn watch(&mut self, balance: BalanceIndex, watches: bool) {
        let (word, bit) = (balance.slot() / 64, 1 << (balance.slot() % 64));
        if watches && self.watched.len() <= word {
            self.watched.resize(word + 1, 0);
        }
        match self.watched.get_mut(word) {
            Some(word) if watches => *word |= bit,
            Some(word) => *word &= !bit,
            None => {}
        }
    }

    /// The rule, if it has not seen the event at `at` yet; it has now.
    fn stale(&mut self, balance: BalanceIndex, at: EventRef) -> Option<&mut Reload> {
        let reload = self.rules.get_mut(&balance).filter(|reload| reload.last < at)?;
        reload.last = at;
        Some(reload)
    }

    fn wait(&mut self, balance: BalanceIndex, waits: bool) {
        if waits {
            self.waiting.insert(balance);
        } else {
            self.waiting.remove(&balance);
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadRule {
    pub provider: Provider,
    pub enabled: bool,
    /// What each reload adds.
    pub amount: Nanos,
    /// Posted minus held below this asks for a reload.
    pub threshold: Option<Nanos>,
    /// Keyed hash of the reference: the payment by which it was switched on, and the word to start it.
    pub digest: u128,
    pub reference: Text,
}

/// Who takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The seller's people, who say when it came.
    Manual,
    /// Approves everything: in sandboxes.
    Test,
}

/// A reload under way, with the amount that it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadRequest {
    pub amount: Nanos,
    pub requested_at: Timestamp,
}

impl Ledger {
    /// The rule of the account's own balance.
    pub fn reload_of(&self, account: AccountIndex, currency: Currency) -> Option<(BalanceIndex, &Reload)> {
        let balance = self.balance_of(account, currency)?;
        Some((balance, self.reloads.get(balance)?))
    }

    pub fn reload(&self, balance: BalanceIndex) -> Option<&Reload> {
        self.reloads.get(balance)
    }

    /// The balances whose reload waits for the seller's word, from `from` on.
    pub fn waiting_reloads(&self, from: BalanceIndex) -> impl Iterator<Item = (BalanceIndex, &Reload)> {
        let waiting = self.reloads.waiting.range(from..);
        waiting.filter_map(|balance| Some((*balance, self.reloads.get(*balance)?)))
    }

    /// Also switches on what was switched off after failures. What has started in the period stays counted.
    pub(crate) fn fold_rule(
        &mut self,
        account: AccountIndex,
        balance: BalanceIndex,
        rule: &ReloadRule,
        limits: ReloadLimits,
        at: EventRef,
    ) {
        let known = self.reloads.get(balance);
        if known.is_none_or(|known| known.last < at) {
            let reload = Reload {
                account,
                rule: rule.clone(),
                requested: known.and_then(|known| known.requested),
                limits,
                started: known.map_or_else(ReloadTally::default, |known| known.started),
                pause: None,
                last: at,
            };
            self.reloads.put(balance, reload);
        }
    }

    pub(crate) fn fold_reload(&mut self, balance: BalanceIndex, event: &Event, at: EventRef) {
        let Some(reload) = self.reloads.stale(balance, at) else { return };
        match event {
            Event::ReloadRequested { request, .. } => reload.requested = Some(*request),
            Event::ReloadStarted { request, started, .. } => {
                reload.requested = Some(*request);
                reload.started = *started;
            }
            Event::ReloadEnded { approved, .. } => {
                reload.requested = None;
                if *approved {
                    reload.pause = None;
                }
            }
            Event::ReloadPaused { pause, .. } => reload.pause = Some(*pause),
            other => unreachable!("{other:?} is not about a reload"),
        }
        let waits = reload.requested.is_some();
        self.reloads.wait(balance, waits);
    }
}

/// By the seller: what a reload adds has to be paid to somebody.
pub(crate) fn set(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    rule: &ReloadRule,
    limits: ReloadLimits,
) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    draft.may_be_paid_by(rule.provider)?;
    draft.own(account)?;
    draft.ledger.allows(account, Class::Settings)?;
    positive(rule.amount)?;
    match rule.threshold {
        Some(threshold) if threshold.is_negative() => return Err(Rejection::AmountNegative),
        Some(threshold) if !threshold.in_range() => return Err(Rejection::AmountOutOfRange),
        _ => {}
    }
    if let Some(amount) = limits.amount {
        positive(amount)?;
    }
    let balance = draft.balance(account, currency)?.balance;
    draft.push(Event::ReloadRuled { account, balance, rule: Box::new(rule.clone()), limits });
    Ok(())
}

/// One reload, by the word that starts it. A wrong word and no rule are one answer.
pub(crate) fn start(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    digest: u128,
) -> Result<(), Rejection> {
    draft.reach(account)?;
    draft.ledger.allows(account, Class::Receive)?;
    let known = draft.ledger.reload_of(account, currency);
    let known = known.filter(|(_, reload)| reload.is_on() && reload.rule.digest == digest);
    let (balance, reload) = known.ok_or(Rejection::ReloadOff)?;
    if reload.requested.is_some() {
        return Err(Rejection::ReloadUnderWay);
    }
    draft.may_be_paid_by(reload.rule.provider)?;
    let amount = reload.rule.amount;
    match reload.rule.provider {
        Provider::Test => money::receive(draft, account, currency, amount, &reload.rule.reference),
        Provider::Manual => {
            let request = ReloadRequest { amount, requested_at: draft.now };
            draft.push(Event::ReloadRequested { balance, request });
            Ok(())
        }
    }
}

/// The seller's word on the reload under way: the money came, or it will not.
pub(crate) fn settle(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    approved: bool,
) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    let known = draft.ledger.reload_of(account, currency);
    let known = known.and_then(|(balance, reload)| Some((balance, reload, reload.requested?)));
    let (balance, reload, request) = known.ok_or(Rejection::NoReloadUnderWay)?;
    if approved {
        money::receive(draft, account, currency, request.amount, &reload.rule.reference)?;
    }
    draft.push(Event::ReloadEnded { balance, approved });
    if !approved {
        draft.push(Event::ReloadPaused { balance, pause: ReloadPause::after(reload.pause, draft.now) });
    }
    Ok(())
}
