//! Keys in memory, in generations: those of the groups that no key file covers yet.
//!
//! A generation is begun when a stretch was sealed or when a part of the window has passed, and leaves
//! whole: once key files cover all of it, or once it is older than the window.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use domain::Timestamp;
use ledger::EventRef;

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
    shards: Vec<HashMap<Words, EventRef, BuildHasherDefault<Hashed>>>,
}

/// A key as it is kept: a hash already, of which one half chooses the shard and the other the place in it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Words([u64; 2]);

impl Hash for Words {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("words hash as one number")
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

fn words(key: u128) -> Words {
    Words([key as u64, (key >> 64) as u64])
}

fn shard(words: Words) -> usize {
    words.0[1] as usize % SHARDS
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
        let words = words(key);
        let shard = shard(words);
        self.generations.iter().rev().find_map(|generation| generation.shards[shard].get(&words).copied())
    }

    pub(super) fn insert(&mut self, key: u128, at: EventRef, now: Timestamp) {
        let part = self.window_secs / GENERATIONS;
        let is_over = |newest: &Generation| self.cut || now >= newest.since.plus_secs(part);
        if self.generations.back().is_none_or(is_over) {
            self.cut = false;
            let shards = vec![HashMap::default(); SHARDS];
            self.generations.push_back(Generation { since: now, last: 0, shards });
        }
        let words = words(key);
        let newest = self.generations.back_mut().expect("there is one for now");
        newest.shards[shard(words)].insert(words, at);
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
        self.generations.iter().flat_map(|generation| &generation.shards).map(HashMap::len).sum()
    }
}
