//! Idempotency keys that are remembered: in generations by book time, the oldest dropped whole.
//!
//! What is kept of a key is where its event stands; the content hash and the answer are read from there.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};

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
    shards: Vec<HashMap<[u64; 2], EventRef, BuildHasherDefault<Hashed>>>,
}

/// The keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = self.0.rotate_left(5) ^ u64::from_le_bytes(word);
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.rotate_left(5) ^ word;
    }
}

fn words(key: Key) -> [u64; 2] {
    [key.0 as u64, (key.0 >> 64) as u64]
}

fn shard(words: [u64; 2]) -> usize {
    (words[1] >> 56) as usize % SHARDS
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
            .map(|(words, at)| (Key(u128::from(words[1]) << 64 | u128::from(words[0])), *at));
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
