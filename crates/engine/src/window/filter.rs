//! Says of nearly every key that was never there that it was not, at the cost of one cache line.
//!
//! A line of 512 bits belongs to some 32 keys (2 bytes each); a key sets one bit in each of its line's
//! eight words. About one foreign key in seven hundred passes, and costs a search of what the filter is for.

use std::hint::black_box;

pub(super) const LINE_BYTES: usize = 64;
const KEYS_PER_LINE: usize = 32;
const WORDS: usize = LINE_BYTES / 8;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
#[repr(align(64))]
struct Line([u64; WORDS]);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Filter {
    lines: Box<[Line]>,
}

impl Filter {
    /// Large enough for this many keys.
    pub(super) fn for_keys(keys: usize) -> Self {
        Self { lines: vec![Line::default(); keys.div_ceil(KEYS_PER_LINE).max(1)].into() }
    }

    pub(super) fn insert(&mut self, key: u128) {
        let line = self.line_of(key);
        for (word, bit) in self.lines[line].0.iter_mut().zip(bits(key)) {
            *word |= bit;
        }
    }

    /// Never false for a key that was inserted.
    pub(super) fn may_contain(&self, key: u128) -> bool {
        let line = &self.lines[self.line_of(key)].0;
        line.iter().zip(bits(key)).fold(true, |all, (word, bit)| all & (word & bit != 0))
    }

    /// Fetches the line of a key that will be asked for.
    pub(super) fn warm(&self, key: u128) {
        black_box(self.lines[self.line_of(key)].0[0]);
    }

    fn line_of(&self, key: u128) -> usize {
        let spread = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((u128::from(spread) * self.lines.len() as u128) >> 64) as usize
    }

    pub(super) fn bytes(&self) -> usize {
        self.lines.len() * LINE_BYTES
    }

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        for word in self.lines.iter().flat_map(|line| line.0) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }

    /// What was written; None unless these are whole lines.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() || !bytes.len().is_multiple_of(LINE_BYTES) {
            return None;
        }
        let lines = bytes.chunks_exact(LINE_BYTES).map(|line| {
            let mut words = line.chunks_exact(8);
            Line(std::array::from_fn(|_| {
                let word = words.next().expect("a line has eight words");
                u64::from_le_bytes(word.try_into().expect("eight bytes"))
            }))
        });
        Some(Self { lines: lines.collect() })
    }
}

/// One bit for each word of a line: six bits of the key's upper half choose each.
fn bits(key: u128) -> [u64; WORDS] {
    let spread = ((key >> 64) as u64).wrapping_mul(0xd6e8_feb8_6659_fd93);
    std::array::from_fn(|word| 1 << (spread >> (16 + 6 * word) & 63))
}

#[cfg(test)]
mod tests;
