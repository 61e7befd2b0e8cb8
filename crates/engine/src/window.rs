//! Idempotency keys that are remembered: in generations by book time, the oldest dropped whole.
//!
//! What is kept of a key is where its event stands; the content hash and the answer are read from there.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use domain::Timestamp;
use ledger::EventRef;

use crate::record::Key;

/// How long a key is remembered, at least.
pub const WINDOW_DEFAULT_SECS: i64 = 24 * 3600;
const GENERATIONS: i64 = 4;
/// Small tables grow in small steps: no answer waits while millions of keys are moved.
const SHARDS: usize = 256;

pub struct Window {
    window_secs: i64,
    generations: VecDeque<Generation>,
}

struct Generation {
    since: Timestamp,
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

fn words(key: Key) -> Words {
    Words([key.0 as u64, (key.0 >> 64) as u64])
}

fn shard(words: Words) -> usize {
    words.0[1] as usize % SHARDS
}

impl Window {
    pub fn new(window_secs: i64) -> Self {
        Self { window_secs, generations: VecDeque::new() }
    }

    /// Where the event of `key` stands, if it is remembered.
    pub fn find(&self, key: Key) -> Option<EventRef> {
        let words = words(key);
        let shard = shard(words);
        self.generations.iter().rev().find_map(|generation| generation.shards[shard].get(&words).copied())
    }

    /// Remembers a key at book time `now`, and forgets what is older than the window.
    pub fn insert(&mut self, key: Key, at: EventRef, now: Timestamp) {
        self.turn(now);
        let words = words(key);
        let newest = self.generations.back_mut().expect("turning leaves a generation for now");
        newest.shards[shard(words)].insert(words, at);
    }

    fn turn(&mut self, now: Timestamp) {
        let span = self.window_secs / GENERATIONS;
        let due = self.generations.back().is_none_or(|newest| now >= newest.since.plus_secs(span));
        if !due {
            return;
        }
        self.generations.push_back(Generation { since: now, shards: vec![HashMap::default(); SHARDS] });
        // A generation may go once the one after it began longer ago than the window.
        while self.generations.get(1).is_some_and(|second| second.since.plus_secs(self.window_secs) <= now) {
            self.generations.pop_front();
        }
    }

    pub fn len(&self) -> usize {
        self.generations.iter().flat_map(|generation| &generation.shards).map(HashMap::len).sum()
    }

    /// One piece of all that is remembered: when its generation began, its keys.
    pub(crate) fn piece(&self, index: usize) -> Option<(Timestamp, impl Iterator<Item = (Key, EventRef)>)> {
        let generation = self.generations.get(index / SHARDS)?;
        let keys = generation.shards[index % SHARDS]
            .iter()
            .map(|(words, at)| (Key((u128::from(words.0[1]) << 64) | u128::from(words.0[0])), *at));
        Some((generation.since, keys))
    }

    /// Puts back a key of a generation; generations come in order.
    pub(crate) fn restore(&mut self, since: Timestamp, key: Key, at: EventRef) {
        if self.generations.back().is_none_or(|newest| newest.since < since) {
            self.generations.push_back(Generation { since, shards: vec![HashMap::default(); SHARDS] });
        }
        let words = words(key);
        let newest = self.generations.back_mut().expect("it was just made");
        newest.shards[shard(words)].insert(words, at);
    }
}
