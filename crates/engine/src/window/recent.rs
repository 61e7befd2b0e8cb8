//! Keys in memory, in generations: those of the groups that no key file covers yet.
//!
//! A generation is begun when a stretch was sealed or when a part of the window has passed, and leaves
//! whole: once key files cover all of it, or once it is older than the window.

use std::collections::VecDeque;

use domain::Timestamp;
use ledger::EventRef;

use super::filter::Filter;
use super::table::Table;

/// By time alone a window has this many generations, and so remembers up to a quarter longer.
const GENERATIONS: i64 = 4;
/// A generation's filter is made for four times what the one before it held, within these bounds; one
/// that is full is followed by another. A book with little to do has small ones.
const GENERATION_KEYS_MIN: usize = 1 << 12;
const GENERATION_KEYS_MAX: usize = 1 << 20;
/// Small tables grow in small steps: no answer waits while millions of keys are moved.
const SHARDS: usize = 256;

pub(super) struct Recent {
    window_secs: i64,
    generations: VecDeque<Generation>,
    cut: bool,
}

pub(super) struct Generation {
    since: Timestamp,
    /// Of the newest key.
    last: u64,
    len: usize,
    keys_max: usize,
    /// Asked first, because it is small enough to be at hand.
    filter: Filter,
    shards: Vec<Table>,
}

/// One half of a key chooses the shard, the other the place in it.
fn halves(key: u128) -> [u64; 2] {
    [key as u64, (key >> 64) as u64]
}

fn shard(key: [u64; 2]) -> usize {
    key[1] as usize % SHARDS
}

impl Generation {
    /// One that is `expected` to become as large as the one before it.
    fn new(since: Timestamp, expected: usize) -> Self {
        let keys_max = (expected * 4).clamp(GENERATION_KEYS_MIN, GENERATION_KEYS_MAX);
        let shards = (0..SHARDS).map(|_| Table::with_room_for(expected / SHARDS)).collect();
        Self { since, last: 0, len: 0, keys_max, filter: Filter::for_keys(keys_max), shards }
    }

    fn find(&self, key: u128) -> Option<EventRef> {
        if !self.filter.may_contain(key) {
            return None;
        }
        let key = halves(key);
        self.shards[shard(key)].find(key)
    }

    fn insert(&mut self, key: u128, at: EventRef) {
        self.filter.insert(key);
        let key = halves(key);
        self.len += usize::from(self.shards[shard(key)].insert(key, at));
        self.last = at.position();
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }
}

impl Recent {
    pub(super) fn new(window_secs: i64) -> Self {
        Self { window_secs, generations: VecDeque::new(), cut: false }
    }

    pub(super) fn find(&self, key: u128) -> Option<EventRef> {
        self.generations.iter().rev().find_map(|generation| generation.find(key))
    }

    /// Fetches what looking for a fresh `key` will read, and what remembering it will.
    pub(super) fn warm(&self, key: u128) {
        self.generations.iter().for_each(|generation| generation.filter.warm(key));
        if let Some(newest) = self.generations.back() {
            let key = halves(key);
            newest.shards[shard(key)].warm(key);
        }
    }

    pub(super) fn insert(&mut self, key: u128, at: EventRef, now: Timestamp) {
        let part = self.window_secs / GENERATIONS;
        let is_over = |newest: &Generation| {
            self.cut || newest.len >= newest.keys_max || now >= newest.since.plus_secs(part)
        };
        if self.generations.back().is_none_or(is_over) {
            self.cut = false;
            let expected = self.generations.back().map_or(0, |newest| newest.len);
            self.generations.push_back(Generation::new(now, expected));
        }
        let newest = self.generations.back_mut().expect("there is one for now");
        newest.insert(key, at);
    }

    /// The next key begins a generation.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    /// A generation of which key files up to `covered` have every key, if there is one.
    pub(super) fn take_covered(&mut self, covered: u64) -> Option<Generation> {
        let is_covered = self.generations.front()?.last <= covered;
        if is_covered { self.generations.pop_front() } else { None }
    }

    /// A generation that is older than the window: the one after it began longer ago than that.
    pub(super) fn take_forgotten(&mut self, now: Timestamp) -> Option<Generation> {
        let second = self.generations.get(1)?;
        if second.since.plus_secs(self.window_secs) < now { self.generations.pop_front() } else { None }
    }

    pub(super) fn len(&self) -> usize {
        self.generations.iter().map(|generation| generation.len).sum()
    }
}
