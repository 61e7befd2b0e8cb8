//! Idempotency keys that are remembered, for the length of the window in book time and a little more.
//!
//! What is kept of a key is where its event stands; the content hash and the answer are read from there.
//!
//! | a key of | is kept | asked |
//! |---|---|---|
//! | a group that is not sealed yet | in memory (`recent.rs`) | by the writer, in its order |
//! | a sealed stretch | in a key file beside the archive (`key_file.rs`), a filter in memory (`sealed.rs`) | before the writer, by whoever brings the command |
//! | a stretch older than the window | nowhere | by nobody |
//!
//! The one idea: who asks before the writer says up to which position the answer holds ([`Asked`]), and the
//! writer asks for the rest. So keys may leave memory at any moment after their file is ready, whatever
//! questions are open: a question that is older than that is asked again, in part, by the writer. A book
//! that is used without asking beforehand is as right, only slower.
//!
//! Left out: files of merged generations. Only filters are merged, in memory (`docs/decisions/0004`).

mod filter;
mod key_file;
mod recent;
mod sealed;
mod table;

use std::sync::Arc;

use domain::Timestamp;
use journal::Reader;
use ledger::EventRef;

pub use key_file::{KeyFileError, KeySidecar};
pub(crate) use sealed::Sealed;

use crate::record::Key;
use crate::snapshot::Background;
use recent::{Generation, Recent};
use sealed::CLOCK_TOLERANCE_SECS;

/// How long a key is remembered, at least.
pub const WINDOW_DEFAULT_SECS: i64 = 24 * 3600;

pub(crate) struct Window {
    window_secs: i64,
    background: Background,
    recent: Recent,
    sealed: Arc<Sealed>,
    /// Keys up to this position may be in key files only.
    shed: u64,
    /// Number of the newest archive for which loading was begun.
    noticed: u64,
}

/// What was found out about a key before the writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Key files up to this position were asked.
    to: u64,
    found: Option<EventRef>,
}

impl Asked {
    /// Whether a key file has it.
    pub fn is_found(&self) -> bool {
        self.found.is_some()
    }
}

/// The same for many requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct AskedAll {
    to: u64,
    /// By the place of the request, in order.
    found: Vec<(usize, EventRef)>,
}

impl AskedAll {
    pub(crate) fn of(&self, place: usize) -> Asked {
        let found = self.found.binary_search_by_key(&place, |(place, _)| *place);
        Asked { to: self.to, found: found.ok().map(|at| self.found[at].1) }
    }
}

/// How many keys are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// In memory.
    pub recent_keys: usize,
    /// In key files.
    pub sealed_keys: usize,
    /// What filters and indices of key files take of memory.
    pub sealed_bytes: usize,
}

/// What a key's own time says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Fitting,
    TooOld,
    FromFuture,
}

impl Window {
    /// Remembers nothing but what is sealed and not older than the window at book time `now`.
    pub(crate) fn open(
        reader: Arc<dyn Reader>,
        window_secs: i64,
        background: Background,
        now: Timestamp,
    ) -> Result<Self, KeyFileError> {
        let sealed = Arc::new(Sealed::new(reader));
        sealed.load(now.plus_secs(-window_secs))?;
        let (recent, shed, noticed) = (Recent::new(window_secs), sealed.covered(), sealed.loaded());
        Ok(Self { window_secs, background, recent, sealed, shed, noticed })
    }

    pub(crate) fn sealed(&self) -> &Arc<Sealed> {
        &self.sealed
    }

    /// Up to where keys are in key files and need not be inserted.
    pub(crate) fn covered(&self) -> u64 {
        self.shed
    }

    /// Where the event of `key` stands, if it is remembered.
    pub(crate) fn find(&self, key: Key, asked: Asked) -> Result<Option<EventRef>, KeyFileError> {
        if let Some(at) = self.recent.find(key.hash) {
            return Ok(Some(at));
        }
        if asked.to >= self.shed {
            return Ok(asked.found);
        }
        // What is newer comes first: since the question the key may have been forgotten and used again.
        let newer = self.sealed.generations().find(self.sealed.reader(), key, asked.to)?;
        Ok(newer.or(asked.found))
    }

    /// Fetches what looking for `key` will read.
    pub(crate) fn warm(&self, key: Key) {
        self.recent.warm(key.hash);
    }

    /// A key that is not remembered and says when it was made.
    pub(crate) fn age(&self, key: Key, now: Timestamp) -> Age {
        match key.made {
            // Its event may be older than it says, by the tolerance: that one must be remembered still.
            Some(made) if made < now.plus_secs(CLOCK_TOLERANCE_SECS - self.window_secs) => Age::TooOld,
            Some(made) if made > now.plus_secs(CLOCK_TOLERANCE_SECS) => Age::FromFuture,
            _ => Age::Fitting,
        }
    }

    /// Remembers a key at book time `now`.
    pub(crate) fn insert(&mut self, key: Key, at: EventRef, now: Timestamp) {
        self.recent.insert(key.hash, at, now);
    }

    /// Between groups: lets go of what key files have, or what is too old, and has newly sealed stretches loaded.
    pub(crate) fn step(&mut self, now: Timestamp) {
        let covered = self.sealed.covered();
        if covered > self.shed {
            while let Some(generation) = self.recent.take_covered(covered) {
                self.shed = self.shed.max(generation.last());
                self.release(generation);
            }
        }
        while let Some(generation) = self.recent.take_forgotten(now) {
            self.release(generation);
        }
        let oldest = now.plus_secs(-self.window_secs);
        self.sealed.forget(oldest);
        let sealed = self.sealed.reader().archives_after(self.noticed);
        if let Some(newest) = sealed.last()
            && self.sealed.begin_loading()
        {
            self.noticed = newest.number;
            self.recent.cut();
            self.load(oldest);
        }
    }

    /// What cannot be loaded is tried again when the next stretch is sealed; until then it stays in memory.
    fn load(&self, oldest: Timestamp) {
        let sealed = self.sealed.clone();
        let load = move || {
            let _ = sealed.load(oldest);
            sealed.end_loading();
        };
        match self.background {
            Background::Inline => load(),
            Background::Threads => {
                let spawned = std::thread::Builder::new().name("keys".to_owned()).spawn(load);
                if spawned.is_err() {
                    self.sealed.end_loading();
                }
            }
        }
    }

    /// Millions of keys are not freed while somebody waits.
    fn release(&self, generation: Generation) {
        if self.background == Background::Threads {
            let drop = move || drop(generation);
            // Where no thread can be had, it was dropped just now.
            let _ = std::thread::Builder::new().name("keys".to_owned()).spawn(drop);
        }
    }

    pub(crate) fn remembered(&self) -> Remembered {
        let (sealed_keys, sealed_bytes) = self.sealed.size();
        Remembered { recent_keys: self.recent.len(), sealed_keys, sealed_bytes }
    }
}

impl Sealed {
    /// Asks for the keys of many requests, away from the writer. What cannot be read counts as not asked:
    /// the writer finds out.
    pub(crate) fn ask(&self, keys: impl Iterator<Item = (usize, Key)> + Clone) -> AskedAll {
        let generations = self.generations();
        let mut asked = AskedAll { to: generations.covered, found: Vec::new() };
        if generations.is_empty() {
            return asked;
        }
        generations.warm(keys.clone().map(|(_, key)| key));
        for (place, key) in keys {
            match generations.find(self.reader(), key, 0) {
                Ok(found) => asked.found.extend(found.map(|at| (place, at))),
                Err(_) => return AskedAll::default(),
            }
        }
        asked
    }

    /// Asks for the key of one request.
    pub(crate) fn ask_one(&self, key: Key) -> Asked {
        self.ask(std::iter::once((0, key))).of(0)
    }
}

#[cfg(test)]
mod tests;
