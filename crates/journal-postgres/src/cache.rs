//! The groups last written or read, within a limit of bytes; the oldest goes first unless it was asked
//! for since.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) struct Cache {
    kept: Mutex<Kept>,
    bytes_max: usize,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<u64, Entry>,
    queue: VecDeque<u64>,
    bytes: usize,
}

struct Entry {
    group: Arc<[u8]>,
    asked_for: bool,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { kept: Mutex::default(), bytes_max }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, position: u64) -> Option<Arc<[u8]>> {
        let mut kept = self.kept();
        let entry = kept.entries.get_mut(&position)?;
        entry.asked_for = true;
        Some(entry.group.clone())
    }

    /// Groups never change, so one that is kept already stays.
    pub(crate) fn keep(&self, position: u64, group: &[u8]) {
        let mut kept = self.kept();
        if group.len() > self.bytes_max || kept.entries.contains_key(&position) {
            return;
        }
        kept.bytes += group.len();
        kept.entries.insert(position, Entry { group: group.into(), asked_for: false });
        kept.queue.push_back(position);
        while kept.bytes > self.bytes_max {
            kept.evict_one();
        }
    }
}

impl Kept {
    fn evict_one(&mut self) {
        let Some(position) = self.queue.pop_front() else { return };
        let entry = self.entries.get_mut(&position).expect("what is queued is kept");
        if std::mem::take(&mut entry.asked_for) {
            self.queue.push_back(position);
            return;
        }
        self.bytes -= entry.group.len();
        self.entries.remove(&position);
    }
}

#[cfg(test)]
mod tests;
