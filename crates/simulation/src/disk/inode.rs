//! What a file holds: in the page cache, and on the device.

use std::collections::BTreeSet;

use crate::random::Random;

pub(super) const SECTOR: usize = 512;
const PAGE: usize = 4096;

#[derive(Clone, Default)]
pub(super) struct Inode {
    pub(super) cached: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Pages of the cache that were never synced.
    dirty: BTreeSet<usize>,
}

/// Which unsynced sectors a power loss keeps.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    None,
    All,
    Some,
    First(usize),
    Last(usize),
}

impl Fate {
    pub(super) fn draw(random: &mut Random, sectors: usize) -> Self {
        let cut = random.below(sectors as u64 + 1) as usize;
        match random.below(5) {
            0 => Self::None,
            1 => Self::All,
            2 => Self::First(cut),
            3 => Self::Last(cut),
            _ => Self::Some,
        }
    }

    pub(super) fn keeps(self, sector: usize, random: &mut Random) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Some => random.one_in(2),
            Self::First(cut) => sector < cut,
            Self::Last(cut) => sector >= cut,
        }
    }
}

impl Inode {
    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.cached.len() < end {
            self.cached.resize(end, 0);
        }
        self.cached[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / PAGE..end.div_ceil(PAGE));
    }

    pub(super) fn sync(&mut self) {
        self.durable.resize(self.cached.len(), 0);
        for page in std::mem::take(&mut self.dirty) {
            let (start, end) = (page * PAGE, ((page + 1) * PAGE).min(self.cached.len()));
            if start < end {
                self.durable[start..end].copy_from_slice(&self.cached[start..end]);
            }
        }
    }

    /// Writes some of the unsynced sectors, as a failing device or a power loss does.
    pub(super) fn sync_some(&mut self, random: &mut Random) {
        if self.dirty.is_empty() && self.durable.len() == self.cached.len() {
            return;
        }
        if random.one_in(2) {
            self.durable.resize(self.cached.len(), 0);
        }
        let fate = Fate::draw(random, self.dirty.len() * (PAGE / SECTOR));
        let end = self.durable.len().min(self.cached.len());
        let pages = std::mem::take(&mut self.dirty).into_iter();
        let sectors = pages.flat_map(|page| (page * PAGE..(page + 1) * PAGE).step_by(SECTOR));
        for (number, start) in sectors.enumerate() {
            let sector = start.min(end)..(start + SECTOR).min(end);
            if fate.keeps(number, random) {
                self.durable[sector.clone()].copy_from_slice(&self.cached[sector]);
            }
        }
    }

    pub(super) fn lose_power(&mut self, random: &mut Random) {
        self.sync_some(random);
        self.cached.clone_from(&self.durable);
    }

    pub(super) fn empty(&mut self) {
        self.dirty.extend(0..self.cached.len().div_ceil(PAGE));
        self.cached.clear();
    }

    /// A page as a read past the cache finds it: unsynced bytes are written out for it.
    fn beyond_cache(&self, page: usize) -> &[u8] {
        let view = if self.dirty.contains(&page) { &self.cached } else { &self.durable };
        &view[(page * PAGE).min(view.len())..((page + 1) * PAGE).min(view.len())]
    }

    pub(super) fn read_past_cache(&self, into: &mut [u8], offset: usize) {
        into.fill(0);
        let end = offset + into.len();
        for page in offset / PAGE..end.div_ceil(PAGE) {
            let bytes = self.beyond_cache(page);
            let start = offset.max(page * PAGE);
            let stop = end.min(page * PAGE + bytes.len());
            if start < stop {
                let from = &bytes[start - page * PAGE..stop - page * PAGE];
                into[start - offset..stop - offset].copy_from_slice(from);
            }
        }
    }

    pub(super) fn drop_cached(&mut self) {
        let mut bytes = vec![0; self.cached.len()];
        self.read_past_cache(&mut bytes, 0);
        self.cached = bytes;
    }
}
