//! What the rules refused, counted beside the ledger: for reports, never for decisions.
//!
//! Nothing of it is written down. A restart begins anew, and so does another node that takes over; since when
//! refusals were counted is part of what is told. Memory is bounded: the oldest day goes first, and when today
//! alone is too much, what does not fit is only numbered.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Currency, Timestamp};
use jiff::civil::Date;
use ledger::{AccountIndex, Act, Actor, Command, CredentialIndex, Ledger, NameIndex, Rejection};

use crate::calendar::Zone;

/// Counters at the most, of all organizations together.
const COUNTERS_MAX: usize = 65_536;
/// Counters copied, or dropped, while a book may have to wait to count.
const SLICE: usize = 1024;

/// What is counted apart. The day is one of the organization's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefusalKey {
    pub day: Date,
    pub account: AccountIndex,
    pub currency: Currency,
    pub product: Option<NameIndex>,
    pub credential: Option<CredentialIndex>,
}

/// Since when all were counted, but for so many that found no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub since: Timestamp,
    pub uncounted: u64,
}

/// Shared by the book, which counts, and whoever reports.
#[derive(Debug)]
pub struct Refusals(Mutex<Counters>);

#[derive(Debug)]
struct Counters {
    counters: BTreeMap<RefusalKey, u64>,
    counted: Counted,
    /// The day that each time zone is in.
    days: HashMap<Arc<str>, Today>,
    max: usize,
}

#[derive(Debug)]
struct Today {
    zone: Zone,
    day: Date,
    begin: Timestamp,
    end: Timestamp,
}

impl Today {
    fn of(zone: Zone, at: Timestamp) -> Self {
        let day = zone.day(at);
        let end = day.tomorrow().map_or(Timestamp::NEVER, |next| zone.begin(next));
        Self { begin: zone.begin(day), day, end, zone }
    }
}

impl Refusals {
    pub(crate) fn since(since: Timestamp) -> Self {
        Self::with_room(since, COUNTERS_MAX)
    }

    fn with_room(since: Timestamp, max: usize) -> Self {
        let counted = Counted { since, uncounted: 0 };
        Self(Mutex::new(Counters { counters: BTreeMap::new(), counted, days: HashMap::new(), max }))
    }

    /// From here on all are counted.
    pub(crate) fn begin(&self, since: Timestamp) {
        self.lock().counted.since = since;
    }

    /// A charge, a hold or a capture that was refused to somebody who reaches the account.
    pub(crate) fn count(&self, ledger: &Ledger, command: &Command, rejection: &Rejection, now: Timestamp) {
        let Some((account, currency, product)) = usage(ledger, &command.act) else { return };
        // To whoever may not know of an account, its usage is not refused.
        if matches!(
            rejection,
            Rejection::AccountNotFound | Rejection::HoldNotFound | Rejection::CredentialRevoked
        ) {
            return;
        }
        let credential = match command.actor {
            Actor::Credential(credential) => Some(credential),
            Actor::System | Actor::Session(_) | Actor::Member(_) => None,
        };
        let zone = &ledger.organization(ledger.account(account).organization).time_zone;
        let mut counters = self.lock();
        let Some(day) = counters.day(zone, now) else { return };
        counters.count(RefusalKey { day, account, currency, product, credential }, now);
    }

    pub fn counted(&self) -> Counted {
        self.lock().counted
    }

    /// The counters of these days, the last included, in order. The book never waits long to count.
    pub fn of_days(&self, from: Date, to: Date) -> Vec<(RefusalKey, u64)> {
        let (mut found, mut behind) = (Vec::new(), Bound::Unbounded);
        loop {
            let counters = self.lock();
            let slice = counters.counters.range((behind, Bound::Unbounded)).take(SLICE);
            let slice: Vec<(RefusalKey, u64)> = slice.map(|(key, count)| (*key, *count)).collect();
            drop(counters);
            let Some((last, _)) = slice.last().copied() else { return found };
            found.extend(slice.into_iter().filter(|(key, _)| (from..=to).contains(&key.day)));
            if last.day > to {
                return found;
            }
            behind = Bound::Excluded(last);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    /// None for a zone that nobody knows any more.
    fn day(&mut self, zone: &Arc<str>, now: Timestamp) -> Option<Date> {
        if let Some(today) = self.days.get(zone).filter(|today| (today.begin..today.end).contains(&now)) {
            return Some(today.day);
        }
        let known = self.days.remove(zone).map(|today| today.zone);
        let today = Today::of(known.or_else(|| Zone::named(zone).ok())?, now);
        let day = today.day;
        self.days.insert(zone.clone(), today);
        Some(day)
    }

    fn count(&mut self, key: RefusalKey, now: Timestamp) {
        if self.counters.len() >= self.max && !self.counters.contains_key(&key) {
            self.drop_oldest_day(key.day, now);
        }
        if self.counters.len() < self.max {
            *self.counters.entry(key).or_default() += 1;
        } else if let Some(counter) = self.counters.get_mut(&key) {
            *counter += 1;
        } else {
            self.counted.uncounted += 1;
        }
    }

    /// Unless it is today.
    fn drop_oldest_day(&mut self, today: Date, now: Timestamp) {
        let Some(oldest) = self.counters.keys().next().map(|key| key.day).filter(|day| *day < today) else {
            return;
        };
        // Not all at once: the book waits for it.
        for _ in 0..SLICE {
            match self.counters.first_entry().filter(|first| first.key().day == oldest) {
                Some(first) => _ = first.remove(),
                None => break,
            }
        }
        // It has ended where it ended last.
        let ended = self.days.values().filter_map(|it| Some(it.zone.begin(oldest.tomorrow().ok()?))).max();
        self.counted.since = self.counted.since.max(ended.unwrap_or(now).min(now));
    }
}

/// Whose usage it would have been, in which currency, of which product.
fn usage(ledger: &Ledger, act: &Act) -> Option<(AccountIndex, Currency, Option<NameIndex>)> {
    match act {
        Act::Charge { account, currency, usage, .. } | Act::PlaceHold { account, currency, usage, .. } => {
            let home = ledger.account(*account).currency;
            Some((*account, currency.unwrap_or(home), usage.product))
        }
        Act::CaptureHold { hold, .. } => {
            let hold = ledger.hold(*hold)?;
            Some((hold.account, ledger.balance(hold.payer).currency, hold.usage.product))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
