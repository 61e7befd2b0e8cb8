//! What wrong sign-ins lead to: a delay for whoever made them, never for anybody else.
//!
//! A delay belongs to an address together with the account it tried, so nobody can be shut out by what
//! others do. All of it is forgotten in bounded time and bounded in size; what is forgotten early only
//! costs an attacker less patience, and the bound on slow hashing holds anyway.

use std::collections::HashMap;
use std::net::IpAddr;

use domain::Timestamp;
use ledger::UserIndex;

/// So many may be wrong in a row before there is a delay.
const FREE: u32 = 5;
const DELAY_MAX_SECS: i64 = 300;
const FORGOTTEN_AFTER_SECS: i64 = 3600;
const PAIRS_MAX: usize = 100_000;
/// Failures of one account are counted for so long before they are noted again.
const NOTED_EVERY_SECS: i64 = 60;
const COUNTED_MAX: usize = 10_000;
const MAILED_EVERY_SECS: i64 = 60;

#[derive(Default)]
pub(crate) struct Attempts {
    /// Those of this hour and of the one before.
    pairs: [HashMap<u128, Pair>; 2],
    turned_at: Option<Timestamp>,
    counted: HashMap<UserIndex, Count>,
    mailed: HashMap<UserIndex, Timestamp>,
}

#[derive(Clone, Copy)]
struct Pair {
    failures: u32,
    until: Timestamp,
    has_signed_in: bool,
}

#[derive(Clone, Copy)]
struct Count {
    count: u32,
    since: Timestamp,
}

/// Failures that nobody has noted in the book yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    pub user: UserIndex,
    pub count: u32,
    pub since: Timestamp,
}

/// A neighbourhood that one person may have all of.
pub(crate) fn neighbourhood(address: Option<IpAddr>) -> [u8; 9] {
    let mut bytes = [0; 9];
    match address {
        None => {}
        Some(IpAddr::V4(address)) => {
            bytes[0] = 4;
            bytes[1..5].copy_from_slice(&address.octets());
        }
        Some(IpAddr::V6(address)) => {
            bytes[0] = 6;
            bytes[1..].copy_from_slice(&address.octets()[..8]);
        }
    }
    bytes
}

impl Attempts {
    fn pair(&mut self, pair: u128, now: Timestamp) -> Option<Pair> {
        if self.turned_at.is_none_or(|at| now >= at.plus_secs(FORGOTTEN_AFTER_SECS))
            || self.pairs[0].len() >= PAIRS_MAX
        {
            self.pairs.swap(0, 1);
            self.pairs[0].clear();
            self.turned_at = Some(now);
        }
        let [newer, older] = &self.pairs;
        newer.get(&pair).or_else(|| older.get(&pair)).copied()
    }

    /// How many seconds this pair has to wait before it may try again.
    pub(crate) fn delay_secs(&mut self, pair: u128, now: Timestamp) -> Option<u64> {
        let until = self.pair(pair, now)?.until;
        (now < until).then(|| (until.micros_since(now) as u64).div_ceil(1_000_000))
    }

    /// Whether this address has signed in to that account before: it is let in first.
    pub(crate) fn has_signed_in(&mut self, pair: u128, now: Timestamp) -> bool {
        self.pair(pair, now).is_some_and(|pair| pair.has_signed_in)
    }

    pub(crate) fn failed(&mut self, pair: u128, now: Timestamp) {
        let known = self.pair(pair, now);
        let failures = known.map_or(0, |known| known.failures).saturating_add(1);
        let delay = match failures.checked_sub(FREE) {
            None => 0,
            Some(beyond) => (1_i64 << beyond.min(16)).min(DELAY_MAX_SECS),
        };
        let has_signed_in = known.is_some_and(|known| known.has_signed_in);
        self.pairs[0].insert(pair, Pair { failures, until: now.plus_secs(delay), has_signed_in });
    }

    pub(crate) fn succeeded(&mut self, pair: u128, now: Timestamp) {
        self.pair(pair, now);
        self.pairs[0].insert(pair, Pair { failures: 0, until: now, has_signed_in: true });
    }

    /// Counts a failure of somebody who exists; what is to be noted at once: the first for a while.
    pub(crate) fn count(&mut self, user: UserIndex, now: Timestamp) -> Option<Failures> {
        if let Some(counted) = self.counted.get_mut(&user) {
            counted.count += 1;
            return None;
        }
        if self.counted.len() < COUNTED_MAX {
            self.counted.insert(user, Count { count: 0, since: now });
        }
        Some(Failures { user, count: 1, since: now })
    }

    pub(crate) fn may_mail(&mut self, user: UserIndex, now: Timestamp) -> bool {
        self.mailed.retain(|_, at| now < at.plus_secs(MAILED_EVERY_SECS));
        let may = !self.mailed.contains_key(&user) && self.mailed.len() < COUNTED_MAX;
        if may {
            self.mailed.insert(user, now);
        }
        may
    }

    /// What was counted long enough ago and was not noted.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Failures> {
        let mut due = Vec::new();
        self.counted.retain(|user, it| {
            if now < it.since.plus_secs(NOTED_EVERY_SECS) {
                return true;
            }
            if it.count > 0 {
                due.push(Failures { user: *user, count: it.count, since: it.since });
            }
            false
        });
        due.sort_by_key(|failures| failures.user);
        due
    }
}
