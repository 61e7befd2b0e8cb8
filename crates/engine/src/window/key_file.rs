//! The keys of a sealed stretch of the journal: what its sidecar holds, and how one is looked up there.
//!
//! ```text
//! head  = BKEY, version, first and last position, keys, lines of the filter, check of head and index
//! index = first key of every page, filter
//! page  = (key, reference)* 170, check
//! ```
//! Head and index are read once and stay in memory, about 1.6 bytes per key; a lookup that passes the
//! filter reads one page of 4 KiB. Keys are sorted; each page is checked by itself, because a damaged key
//! that is taken for a missing one is charged twice. All integers are little-endian.

use std::sync::Arc;

use journal::{Archive, Group, ReadError, Reader, Sidecar};
use ledger::EventRef;

use super::filter::{Filter, LINE_BYTES};
use crate::record::{Malformed, keys_in};

const MAGIC: [u8; 4] = *b"BKEY";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 64;
const CHECK_BYTES: usize = 16;
const KEY_BYTES: usize = 16;
const ENTRY_BYTES: usize = KEY_BYTES + 8;
const PAGE_BYTES: usize = 4096;
const PAGE_ENTRIES: usize = (PAGE_BYTES - CHECK_BYTES) / ENTRY_BYTES;
/// Read at once where all keys are wanted.
const RUN_PAGES: usize = 16;

/// Distils the keys of every sealed stretch: what a journal needs for its sidecars.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeySidecar;

impl Sidecar for KeySidecar {
    /// Nothing, when a group cannot be read: whoever looks for the keys then finds out why.
    fn distil(&self, groups: &mut dyn Iterator<Item = Group>) -> Vec<u8> {
        distil(&mut groups.map(Ok)).unwrap_or_default()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("keys cannot be read")]
    Malformed(#[from] Malformed),
}

fn distil(groups: &mut dyn Iterator<Item = Result<Group, ReadError>>) -> Result<Vec<u8>, KeyFileError> {
    let mut entries = Vec::new();
    let (mut first, mut last) = (0, 0);
    for group in groups {
        let group = group?;
        last = group.header().position;
        if first == 0 {
            first = last;
        }
        keys_in(&group, |key, at| entries.push((key.hash, at)))?;
    }
    Ok(write(first, last, entries))
}

/// A key that was used again after it was forgotten stands where it was used last.
fn write(first: u64, last: u64, mut entries: Vec<(u128, EventRef)>) -> Vec<u8> {
    entries.sort_unstable_by_key(|(key, at)| (*key, std::cmp::Reverse(*at)));
    entries.dedup_by_key(|(key, _)| *key);
    let mut filter = Filter::for_keys(entries.len());
    entries.iter().for_each(|(key, _)| filter.insert(*key));
    let pages = entries.len().div_ceil(PAGE_ENTRIES);
    let mut bytes = vec![0; HEAD_BYTES];
    bytes.reserve_exact(pages * (KEY_BYTES + PAGE_BYTES) + filter.bytes());
    for page in entries.chunks(PAGE_ENTRIES) {
        bytes.extend_from_slice(&page[0].0.to_le_bytes());
    }
    filter.write(&mut bytes);
    bytes[..4].copy_from_slice(&MAGIC);
    bytes[4..8].copy_from_slice(&VERSION.to_le_bytes());
    let numbers = [first, last, entries.len() as u64, (filter.bytes() / LINE_BYTES) as u64];
    for (at, number) in (8..).step_by(8).zip(numbers) {
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    let check = check_of(&[&bytes[..HEAD_BYTES - CHECK_BYTES], &bytes[HEAD_BYTES..]]);
    bytes[HEAD_BYTES - CHECK_BYTES..HEAD_BYTES].copy_from_slice(&check);
    for page in entries.chunks(PAGE_ENTRIES) {
        let start = bytes.len();
        for (key, at) in page {
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.extend_from_slice(&at.raw().to_le_bytes());
        }
        bytes.resize(start + PAGE_BYTES - CHECK_BYTES, 0);
        let check = check_of(&[&bytes[start..]]);
        bytes.extend_from_slice(&check);
    }
    bytes
}

fn check_of(parts: &[&[u8]]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().as_bytes()[..CHECK_BYTES].try_into().expect("a hash is longer")
}

/// The keys of one sealed stretch, ready to be asked.
pub(super) struct KeyFile {
    pub(super) archive: Archive,
    pub(super) keys: usize,
    first_keys: Box<[u128]>,
    pages_at: u64,
    /// The whole file, where the journal has none that can be read.
    rebuilt: Option<Box<[u8]>>,
}

impl KeyFile {
    /// Reads head and index. A sidecar that is missing, damaged or of another release is made again from
    /// the groups, and stays in memory.
    pub(super) fn load(reader: &Arc<dyn Reader>, archive: &Archive) -> Result<(Self, Filter), KeyFileError> {
        let beside = Self::read(archive, |offset, length| {
            let mut bytes = Vec::new();
            reader.sidecar_slice(archive, offset, length, &mut bytes).ok()?;
            Some(bytes)
        });
        if let Some(loaded) = beside {
            return Ok(loaded);
        }
        let rebuilt = distil(&mut stretch(&**reader, archive)?)?;
        let read = Self::read(archive, |offset, length| {
            rebuilt.get(offset as usize..)?.get(..length).map(<[u8]>::to_vec)
        });
        let (file, filter) = read.ok_or(Malformed("the keys of a stretch are not its own"))?;
        Ok((Self { rebuilt: Some(rebuilt.into()), ..file }, filter))
    }

    fn read(archive: &Archive, slice: impl Fn(u64, usize) -> Option<Vec<u8>>) -> Option<(Self, Filter)> {
        let head: [u8; HEAD_BYTES] = slice(0, HEAD_BYTES)?.try_into().ok()?;
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let version = u32::from_le_bytes(head[4..8].try_into().expect("four bytes"));
        if head[..4] != MAGIC || version != VERSION {
            return None;
        }
        if (number(8), number(16)) != (archive.first, archive.last) {
            return None;
        }
        let (keys, lines) = (usize::try_from(number(24)).ok()?, usize::try_from(number(32)).ok()?);
        let pages = keys.div_ceil(PAGE_ENTRIES);
        let filter_bytes = lines.checked_mul(LINE_BYTES)?;
        let index_bytes = pages.checked_mul(KEY_BYTES)?.checked_add(filter_bytes)?;
        let index = slice(HEAD_BYTES as u64, index_bytes)?;
        let (plain, check) = head.split_at(HEAD_BYTES - CHECK_BYTES);
        if index.len() != index_bytes || check_of(&[plain, &index]) != check {
            return None;
        }
        let (first_keys, filter) = index.split_at(pages * KEY_BYTES);
        let first_keys = first_keys.chunks_exact(KEY_BYTES).map(key_at).collect();
        let pages_at = (HEAD_BYTES + index_bytes) as u64;
        let file = Self { archive: archive.clone(), keys, first_keys, pages_at, rebuilt: None };
        Some((file, Filter::read(filter)?))
    }

    /// Where the event of `key` stands, if it is one of these. Where a page is damaged, the groups tell:
    /// slowly, but as surely.
    pub(super) fn find(&self, reader: &dyn Reader, key: u128) -> Result<Option<EventRef>, KeyFileError> {
        let Some(page) = self.first_keys.partition_point(|first| *first <= key).checked_sub(1) else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(PAGE_BYTES);
        if self.pages(reader, page, 1, &mut bytes).is_err() {
            let mut found = None;
            self.for_each_in_groups(reader, |other, at| {
                if other == key {
                    found = Some(at);
                }
            })?;
            return Ok(found);
        }
        let mut entries = self.entries(page, &bytes).skip_while(|(other, _)| *other < key);
        Ok(entries.next().filter(|(other, _)| *other == key).map(|(_, at)| at))
    }

    /// Calls `each` with every key, and with some twice where a page is damaged.
    pub(super) fn for_each(
        &self,
        reader: &dyn Reader,
        mut each: impl FnMut(u128),
    ) -> Result<(), KeyFileError> {
        let mut bytes = Vec::new();
        for first in (0..self.first_keys.len()).step_by(RUN_PAGES) {
            let count = RUN_PAGES.min(self.first_keys.len() - first);
            bytes.clear();
            if self.pages(reader, first, count, &mut bytes).is_err() {
                return self.for_each_in_groups(reader, |key, _| each(key));
            }
            for (page, bytes) in (first..).zip(bytes.chunks_exact(PAGE_BYTES)) {
                self.entries(page, bytes).for_each(|(key, _)| each(key));
            }
        }
        Ok(())
    }

    fn for_each_in_groups(
        &self,
        reader: &dyn Reader,
        mut each: impl FnMut(u128, EventRef),
    ) -> Result<(), KeyFileError> {
        for group in stretch(reader, &self.archive)? {
            keys_in(&group?, |key, at| each(key.hash, at))?;
        }
        Ok(())
    }

    /// Pages from `first` on, each checked.
    fn pages(
        &self,
        reader: &dyn Reader,
        first: usize,
        count: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let (offset, length) = (self.pages_at + (first * PAGE_BYTES) as u64, count * PAGE_BYTES);
        match &self.rebuilt {
            Some(bytes) => into.extend_from_slice(&bytes[offset as usize..offset as usize + length]),
            None => reader.sidecar_slice(&self.archive, offset, length, into)?,
        }
        let is_whole = into.len() == length
            && into.chunks_exact(PAGE_BYTES).all(|page| {
                let (entries, check) = page.split_at(PAGE_BYTES - CHECK_BYTES);
                check_of(&[entries]) == check
            });
        if is_whole {
            return Ok(());
        }
        Err(ReadError::Damaged {
            position: self.archive.first,
            place: format!("keys beside archive {}, pages from {first}", self.archive.number),
            reason: journal::GroupError::Hash,
        })
    }

    fn entries<'a>(&self, page: usize, bytes: &'a [u8]) -> impl Iterator<Item = (u128, EventRef)> + use<'a> {
        let count = PAGE_ENTRIES.min(self.keys - page * PAGE_ENTRIES);
        bytes.chunks_exact(ENTRY_BYTES).take(count).map(|entry| {
            let (key, at) = entry.split_at(KEY_BYTES);
            (key_at(key), EventRef::from_raw(u64::from_le_bytes(at.try_into().expect("eight bytes"))))
        })
    }

    /// What of it is in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.first_keys.len() * KEY_BYTES + self.rebuilt.as_ref().map_or(0, |bytes| bytes.len())
    }
}

/// The groups of a sealed stretch.
fn stretch(
    reader: &dyn Reader,
    archive: &Archive,
) -> Result<impl Iterator<Item = Result<Group, ReadError>> + use<>, ReadError> {
    let groups = (archive.last - archive.first + 1) as usize;
    Ok(reader.scan(archive.first)?.take(groups))
}

fn key_at(bytes: &[u8]) -> u128 {
    u128::from_le_bytes(bytes.try_into().expect("sixteen bytes"))
}

#[cfg(test)]
pub(super) mod tests;
