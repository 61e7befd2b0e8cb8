//! Keys and where their events stand, in open addressing with linear probing.
//!
//! A key is a hash already, so its low half says where it is looked for. A fresh key costs one line of
//! memory, which can be fetched before it is needed: what a general table does not let one do.

use std::hint::black_box;

use ledger::EventRef;

/// The halves of a key, and its reference: none, where the slot is empty.
type Slot = [u64; 3];

const EMPTY: Slot = [0, 0, EventRef::NONE.raw()];
const SLOTS_MIN: usize = 16;

#[derive(Default)]
pub(super) struct Table {
    /// A power of two of them, at least three in eight empty.
    slots: Vec<Slot>,
    len: usize,
}

impl Table {
    /// Room for this many keys before it has to grow.
    pub(super) fn with_room_for(keys: usize) -> Self {
        let slots = if keys == 0 { 0 } else { (keys * 8 / 5 + 1).next_power_of_two().max(SLOTS_MIN) };
        Self { slots: vec![EMPTY; slots], len: 0 }
    }

    pub(super) fn find(&self, key: [u64; 2]) -> Option<EventRef> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slots[self.place(key)];
        (slot != EMPTY).then(|| EventRef::from_raw(slot[2]))
    }

    /// Fetches where `key` is looked for.
    pub(super) fn warm(&self, key: [u64; 2]) {
        black_box(self.slots.get(self.home(key)).map(|slot| slot[2]));
    }

    /// Whether the key is new; one that is there already stands at `at` from now on.
    pub(super) fn insert(&mut self, key: [u64; 2], at: EventRef) -> bool {
        if self.slots.len() * 5 <= self.len * 8 {
            self.grow();
        }
        let place = self.place(key);
        let is_new = self.slots[place] == EMPTY;
        self.len += usize::from(is_new);
        self.slots[place] = [key[0], key[1], at.raw()];
        is_new
    }

    fn home(&self, key: [u64; 2]) -> usize {
        key[0] as usize & self.slots.len().wrapping_sub(1)
    }

    /// Where the key is, or would be.
    fn place(&self, key: [u64; 2]) -> usize {
        let mut place = self.home(key);
        while self.slots[place] != EMPTY && self.slots[place][..2] != key {
            place = (place + 1) & (self.slots.len() - 1);
        }
        place
    }

    fn grow(&mut self) {
        let slots = vec![EMPTY; (self.slots.len() * 2).max(SLOTS_MIN)];
        let full = std::mem::replace(&mut self.slots, slots);
        for slot in full.into_iter().filter(|slot| *slot != EMPTY) {
            let place = self.place([slot[0], slot[1]]);
            self.slots[place] = slot;
        }
    }
}

#[cfg(test)]
mod tests;
