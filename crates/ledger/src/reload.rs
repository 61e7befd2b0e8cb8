//! Reload rules: how a balance is topped up again, by whom, and how much at a time.
//!
//! One reload at a time: whoever pays for real is asked once, and the next begins when that has ended.
//! What a provider approves at once is posted at once; what a person approves waits for the seller's word.
//!
//! Left out: starting a reload when a balance falls below the threshold. The threshold is kept.

use domain::{Currency, Nanos, Timestamp};

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
    pub last: EventRef,
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
        Some((balance, self.reloads.get(&balance)?))
    }

    pub(crate) fn fold_rule(
        &mut self,
        account: AccountIndex,
        balance: BalanceIndex,
        rule: &ReloadRule,
        at: EventRef,
    ) {
        let known = self.reloads.get(&balance);
        if known.is_none_or(|known| known.last < at) {
            let requested = known.and_then(|known| known.requested);
            self.reloads.insert(balance, Reload { account, rule: rule.clone(), requested, last: at });
        }
    }

    pub(crate) fn fold_request(
        &mut self,
        balance: BalanceIndex,
        request: Option<ReloadRequest>,
        at: EventRef,
    ) {
        if let Some(reload) = self.reloads.get_mut(&balance).filter(|reload| reload.last < at) {
            reload.requested = request;
            reload.last = at;
        }
    }

    /// The reloads that wait for the seller's word, and whose they are.
    pub fn requested_reloads(&self) -> impl Iterator<Item = (BalanceIndex, &Reload)> {
        let all = self.reloads.iter().filter(|(_, reload)| reload.requested.is_some());
        all.map(|(balance, reload)| (*balance, reload))
    }
}

/// By the seller: what a reload adds has to be paid to somebody.
pub(crate) fn set(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    currency: Currency,
    rule: &ReloadRule,
) -> Result<(), Rejection> {
    draft.seller_of(account)?;
    draft.own(account)?;
    draft.ledger.allows(account, Class::Settings)?;
    positive(rule.amount)?;
    match rule.threshold {
        Some(threshold) if threshold.is_negative() => return Err(Rejection::AmountNegative),
        Some(threshold) if !threshold.in_range() => return Err(Rejection::AmountOutOfRange),
        _ => {}
    }
    let balance = draft.balance(account, currency)?.balance;
    draft.push(Event::ReloadSet { account, balance, rule: Box::new(rule.clone()) });
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
    let known = known.filter(|(_, reload)| reload.rule.enabled && reload.rule.digest == digest);
    let (balance, reload) = known.ok_or(Rejection::ReloadOff)?;
    if reload.requested.is_some() {
        return Err(Rejection::ReloadUnderWay);
    }
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
    Ok(())
}
