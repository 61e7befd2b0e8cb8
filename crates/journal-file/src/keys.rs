//! The keys in memory: sorted blocks of packed entries, about 45 bytes per owner when owners come in order.

use std::collections::BTreeMap;

const BLOCK_ENTRIES: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) key: [u8; 32],
    /// Where in the file it is.
    pub(crate) record: u32,
}

/// Three arrays rather than one of structs, which would be padded.
struct Block {
    owners: Vec<u64>,
    records: Vec<u32>,
    keys: Vec<[u8; 32]>,
}

#[derive(Default)]
pub(crate) struct Keys {
    /// By the lowest owner of each block.
    blocks: BTreeMap<u64, Block>,
}

impl Block {
    fn new() -> Self {
        Self {
            owners: Vec::with_capacity(BLOCK_ENTRIES),
            records: Vec::with_capacity(BLOCK_ENTRIES),
            keys: Vec::with_capacity(BLOCK_ENTRIES),
        }
    }

    fn insert(&mut self, at: usize, owner: u64, key: [u8; 32], record: u32) {
        self.owners.insert(at, owner);
        self.records.insert(at, record);
        self.keys.insert(at, key);
    }

    fn split_off(&mut self, at: usize) -> Self {
        let mut upper = Self::new();
        upper.owners.extend(self.owners.drain(at..));
        upper.records.extend(self.records.drain(at..));
        upper.keys.extend(self.keys.drain(at..));
        upper
    }
}

impl Keys {
    /// Sorted first, so that the blocks are full.
    pub(crate) fn from_records(mut records: Vec<(u64, [u8; 32], u32)>) -> Self {
        records.sort_unstable_by_key(|(owner, _, record)| (*owner, *record));
        let mut keys = Self::default();
        for (owner, key, record) in records {
            if keys.get(owner).is_none() {
                keys.set(owner, key, record);
            }
        }
        keys
    }

    pub(crate) fn get(&self, owner: u64) -> Option<Kept> {
        let (_, block) = self.blocks.range(..=owner).next_back()?;
        let at = block.owners.binary_search(&owner).ok()?;
        Some(Kept { key: block.keys[at], record: block.records[at] })
    }

    /// In the order of owners.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &[u8; 32])> {
        self.blocks.values().flat_map(|block| block.owners.iter().copied().zip(&block.keys))
    }

    /// A key that was there is overwritten.
    pub(crate) fn set(&mut self, owner: u64, key: [u8; 32], record: u32) {
        let Some((_, block)) = self.blocks.range_mut(..=owner).next_back() else {
            self.add_block(owner, key, record);
            return;
        };
        match block.owners.binary_search(&owner) {
            Ok(at) => {
                block.keys[at] = key;
                block.records[at] = record;
            }
            Err(at) if block.owners.len() < BLOCK_ENTRIES => block.insert(at, owner, key, record),
            // Owners that come in order fill their blocks.
            Err(BLOCK_ENTRIES) => self.add_block(owner, key, record),
            Err(_) => {
                let upper = block.split_off(BLOCK_ENTRIES / 2);
                self.blocks.insert(upper.owners[0], upper);
                self.set(owner, key, record);
            }
        }
    }

    fn add_block(&mut self, owner: u64, key: [u8; 32], record: u32) {
        let mut block = Block::new();
        block.insert(0, owner, key, record);
        self.blocks.insert(owner, block);
    }
}

#[cfg(test)]
mod tests;
