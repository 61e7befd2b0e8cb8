//! What was last read from archives, within a limit of bytes; the least recently missed goes first
//! unless it was asked for since.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::archive::ArchiveFile;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlockKey {
    pub(crate) archive: u64,
    /// The file's index itself has the key `INDEX`.
    pub(crate) block: u32,
}

const INDEX: u32 = u32::MAX;

enum Cached<F> {
    Block(Arc<[u8]>),
    File(Arc<ArchiveFile<F>>),
}

struct Entry<F> {
    cached: Cached<F>,
    bytes: usize,
    asked_for: bool,
}

pub(crate) struct Cache<F> {
    entries: HashMap<BlockKey, Entry<F>>,
    queue: VecDeque<BlockKey>,
    bytes: usize,
    bytes_max: usize,
}

impl<F> Cache<F> {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { entries: HashMap::new(), queue: VecDeque::new(), bytes: 0, bytes_max }
    }

    pub(crate) fn block(&mut self, key: BlockKey) -> Option<Arc<[u8]>> {
        match self.find(key)? {
            Cached::Block(block) => Some(Arc::clone(block)),
            Cached::File(_) => None,
        }
    }

    pub(crate) fn file(&mut self, archive: u64) -> Option<Arc<ArchiveFile<F>>> {
        match self.find(BlockKey { archive, block: INDEX })? {
            Cached::File(file) => Some(Arc::clone(file)),
            Cached::Block(_) => None,
        }
    }

    pub(crate) fn keep_block(&mut self, key: BlockKey, block: &Arc<[u8]>) {
        self.keep(key, block.len(), Cached::Block(Arc::clone(block)));
    }

    pub(crate) fn keep_file(&mut self, archive: u64, file: &Arc<ArchiveFile<F>>) {
        self.keep(BlockKey { archive, block: INDEX }, file.memory_bytes(), Cached::File(Arc::clone(file)));
    }

    fn find(&mut self, key: BlockKey) -> Option<&Cached<F>> {
        let entry = self.entries.get_mut(&key)?;
        entry.asked_for = true;
        Some(&entry.cached)
    }

    fn keep(&mut self, key: BlockKey, bytes: usize, cached: Cached<F>) {
        let entry = Entry { cached, bytes, asked_for: false };
        self.bytes += bytes;
        match self.entries.insert(key, entry) {
            Some(replaced) => self.bytes -= replaced.bytes,
            None => self.queue.push_back(key),
        }
        while self.bytes > self.bytes_max && self.queue.len() > 1 {
            self.evict_one();
        }
    }

    fn evict_one(&mut self) {
        let Some(key) = self.queue.pop_front() else { return };
        let entry = self.entries.get_mut(&key).expect("what is queued is kept");
        if std::mem::take(&mut entry.asked_for) {
            self.queue.push_back(key);
            return;
        }
        self.bytes -= entry.bytes;
        self.entries.remove(&key);
    }
}

#[cfg(test)]
mod tests;
