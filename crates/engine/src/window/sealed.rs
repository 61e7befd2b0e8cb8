//! Keys of sealed stretches: filters in memory, everything else in the key files.
//!
//! A generation is one filter over neighbouring key files. There are [`GENERATIONS_MAX`] at the most: before
//! one too many, the two neighbours with the fewest keys become one, which reads their keys once and
//! makes one filter for all; nothing is written. A key that passes a filter is looked for in each of the
//! generation's files, a page each.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use domain::Timestamp;
use journal::{Archive, Reader};
use ledger::EventRef;

use super::filter::Filter;
use super::key_file::{KeyFile, KeyFileError};
use crate::record::Key;

/// As many are asked for a fresh key.
pub(super) const GENERATIONS_MAX: usize = 8;
/// How far ahead of the server a client's clock may be.
pub(super) const CLOCK_TOLERANCE_SECS: i64 = 60;

pub(crate) struct Sealed {
    reader: Arc<dyn Reader>,
    generations: RwLock<Arc<Generations>>,
    /// What was sealed later is not loaded yet.
    covered: AtomicU64,
    /// Number of the last archive that was loaded.
    loaded: AtomicU64,
    is_loading: AtomicBool,
}

/// All that can be asked at one moment, oldest first.
#[derive(Clone, Default)]
pub(super) struct Generations {
    /// Every key up to this position is in one of them, or older than the window.
    pub(super) covered: u64,
    list: Vec<Arc<Generation>>,
}

struct Generation {
    filter: Filter,
    files: Vec<Arc<KeyFile>>,
}

impl Generation {
    fn keys(&self) -> usize {
        self.files.iter().map(|file| file.keys).sum()
    }

    fn memory_bytes(&self) -> usize {
        self.filter.bytes() + self.files.iter().map(|file| file.memory_bytes()).sum::<usize>()
    }

    fn newest(&self) -> &Archive {
        &self.files.last().expect("a generation has files").archive
    }

    fn find(&self, reader: &dyn Reader, key: Key) -> Result<Option<EventRef>, KeyFileError> {
        if !self.filter.may_contain(key.hash) {
            return Ok(None);
        }
        for file in self.files.iter().rev() {
            if let Some(at) = file.find(reader, key.hash)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

impl Generations {
    /// Where the event of `key` stands, of what was sealed behind position `after`.
    pub(super) fn find(
        &self,
        reader: &dyn Reader,
        key: Key,
        after: u64,
    ) -> Result<Option<EventRef>, KeyFileError> {
        let made = key.made.map(|made| made.plus_secs(-CLOCK_TOLERANCE_SECS));
        for generation in self.list.iter().rev() {
            let newest = generation.newest();
            // Newest first: what follows is older still.
            if newest.last <= after || made.is_some_and(|made| newest.last_time < made) {
                break;
            }
            if let Some(at) = generation.find(reader, key)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Fetches what asking for these keys will look at.
    pub(super) fn warm(&self, keys: impl Iterator<Item = Key>) {
        for key in keys {
            self.list.iter().for_each(|generation| generation.filter.warm(key.hash));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl Sealed {
    pub(super) fn new(reader: Arc<dyn Reader>) -> Self {
        Self {
            reader,
            generations: RwLock::default(),
            covered: 0.into(),
            loaded: 0.into(),
            is_loading: false.into(),
        }
    }

    pub(super) fn reader(&self) -> &dyn Reader {
        &*self.reader
    }

    pub(super) fn generations(&self) -> Arc<Generations> {
        self.generations.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Generations)) {
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = (**generations).clone();
        change(&mut changed);
        self.covered.store(changed.covered, Ordering::Release);
        *generations = Arc::new(changed);
    }

    pub(super) fn covered(&self) -> u64 {
        self.covered.load(Ordering::Acquire)
    }

    pub(super) fn loaded(&self) -> u64 {
        self.loaded.load(Ordering::Acquire)
    }

    /// How many keys, and what they take of memory.
    pub(super) fn size(&self) -> (usize, usize) {
        let generations = self.generations();
        let list = generations.list.iter();
        list.fold((0, 0), |(keys, bytes), it| (keys + it.keys(), bytes + it.memory_bytes()))
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.generations().list.len()
    }

    /// True if nobody is loading, and then it is the caller who does.
    pub(super) fn begin_loading(&self) -> bool {
        !self.is_loading.swap(true, Ordering::AcqRel)
    }

    pub(super) fn end_loading(&self) {
        self.is_loading.store(false, Ordering::Release);
    }

    /// Makes everything that was sealed meanwhile ready to be asked. What is older than `oldest` is passed over.
    pub(super) fn load(&self, oldest: Timestamp) -> Result<(), KeyFileError> {
        for archive in self.reader.archives_after(self.loaded()) {
            if archive.last_time < oldest {
                self.change(|generations| generations.covered = archive.last);
            } else {
                self.make_room(oldest)?;
                let (file, filter) = KeyFile::load(&self.reader, &archive)?;
                let generation = Arc::new(Generation { filter, files: vec![Arc::new(file)] });
                self.change(|generations| {
                    generations.covered = archive.last;
                    generations.list.push(generation);
                });
            }
            self.loaded.store(archive.number, Ordering::Release);
        }
        Ok(())
    }

    /// Drops generations of which every key is older than `oldest`.
    pub(super) fn forget(&self, oldest: Timestamp) {
        let is_old = |generation: &Arc<Generation>| generation.newest().last_time < oldest;
        if self.generations().list.first().is_some_and(is_old) {
            self.change(|generations| generations.list.retain(|generation| !is_old(generation)));
        }
    }

    fn make_room(&self, oldest: Timestamp) -> Result<(), KeyFileError> {
        let generations = self.generations();
        if generations.list.len() < GENERATIONS_MAX {
            return Ok(());
        }
        let pairs = generations.list.windows(2);
        let Some(pair) = pairs.min_by_key(|pair| pair[0].keys() + pair[1].keys()) else { return Ok(()) };
        let merged = Arc::new(self.merge(pair, oldest)?);
        self.change(|generations| {
            // Whoever forgot meanwhile may have dropped the older of the two, or both.
            let at = generations.list.iter().position(|generation| Arc::ptr_eq(generation, &pair[1]));
            let Some(at) = at else { return };
            generations.list[at] = merged;
            if at > 0 && Arc::ptr_eq(&generations.list[at - 1], &pair[0]) {
                generations.list.remove(at - 1);
            }
        });
        Ok(())
    }

    fn merge(&self, pair: &[Arc<Generation>], oldest: Timestamp) -> Result<Generation, KeyFileError> {
        let files = pair.iter().flat_map(|generation| &generation.files);
        let mut files: Vec<_> = files.cloned().collect();
        let newest = files.len() - 1;
        let mut left = 0..;
        files.retain(|file| left.next() == Some(newest) || file.archive.last_time >= oldest);
        let mut filter = Filter::for_keys(files.iter().map(|file| file.keys).sum());
        for file in &files {
            file.for_each(&*self.reader, |key| filter.insert(key))?;
        }
        Ok(Generation { filter, files })
    }
}
