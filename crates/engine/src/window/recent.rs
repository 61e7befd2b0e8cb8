//! Keys in memory, in generations: those of the groups that no key file covers yet.
//!
//! A generation is begun when a stretch was sealed or when a part of the window has passed, and leaves
//! whole: once key files cover all of it, or once it is older than the window.

use std::collections::VecDeque;

use domain::Timestamp;
use ledger::EventRef;

use super::table::Table;

/// By time alone a window has this many generations, and so remembers up to a quarter longer.
const GENERATIONS: i64 = 4;
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
    pub(super) fn last(&self) -> u64 {
        self.last
    }
}

impl Recent {
    pub(super) fn new(window_secs: i64) -> Self {
        Self { window_secs, generations: VecDeque::new(), cut: false }
    }

    pub(super) fn find(&self, key: u128) -> Option<EventRef> {
        let key = halves(key);
        self.generations.iter().rev().find_map(|generation| generation.shards[shard(key)].find(key))
    }

    /// Fetches what looking for `key` will read.
    pub(super) fn warm(&self, key: u128) {
        let key = halves(key);
        self.generations.iter().for_each(|generation| generation.shards[shard(key)].warm(key));
    }

    pub(super) fn insert(&mut self, key: u128, at: EventRef, now: Timestamp) {
        let part = self.window_secs / GENERATIONS;
        let is_over = |newest: &Generation| self.cut || now >= newest.since.plus_secs(part);
        if self.generations.back().is_none_or(is_over) {
            self.cut = false;
            let shards = vec![Table::default(); SHARDS];
            self.generations.push_back(Generation { since: now, last: 0, shards });
        }
        let key = halves(key);
        let newest = self.generations.back_mut().expect("there is one for now");
        newest.shards[shard(key)].insert(key, at);
        newest.last = at.position();
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
        if second.since.plus_secs(self.window_secs) <= now { self.generations.pop_front() } else { None }
    }

    pub(super) fn len(&self) -> usize {
        self.generations.iter().flat_map(|generation| &generation.shards).map(Table::len).sum()
    }
}
