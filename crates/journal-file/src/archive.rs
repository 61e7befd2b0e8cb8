//! A sealed segment: its groups without gaps, cut into blocks that are compressed one by one.
//!
//! ```text
//! header sector │ block 0 │ block 1 │ … │ index: end of each block in the file, its check,
//!                                       │        start of each group in the stream
//! ```
//! The blocks are cuts of [`BLOCK_BYTES`] of the stream of groups, so where a byte of a group is kept is
//! a division. A block that does not shrink is kept as it is.

use std::ops::Range;
use std::sync::Arc;

use domain::Timestamp;
use journal::{Archive, Group, GroupError, HEADER_BYTES, ReadError, Tail};

use crate::disk::{Disk, DiskFile};
use crate::format::{
    ARCHIVE_MAGIC, Incarnation, SECTOR, SectorError, SectorReader, SectorWriter, archive_path,
};

/// Small, because a hop through history unpacks one: about 10 µs.
pub(crate) const BLOCK_BYTES: usize = 16 * 1024;
const BLOCK_ENTRY_BYTES: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArchiveHeader {
    pub(crate) number: u64,
    pub(crate) previous: Tail,
    pub(crate) last: Tail,
    pub(crate) first_time: Timestamp,
    pub(crate) last_time: Timestamp,
    /// Where the index begins, and with it where the blocks end.
    pub(crate) index_at: u64,
    pub(crate) index_check: [u8; 16],
    /// Uncompressed.
    pub(crate) stream_bytes: u64,
}

impl ArchiveHeader {
    pub(crate) fn write(&self, incarnation: &Incarnation) -> [u8; SECTOR] {
        SectorWriter::new(ARCHIVE_MAGIC, incarnation)
            .number(self.number)
            .tail(&self.previous)
            .tail(&self.last)
            .number(self.first_time.as_micros() as u64)
            .number(self.last_time.as_micros() as u64)
            .number(self.index_at)
            .put(&self.index_check)
            .number(self.stream_bytes)
            .finish()
    }

    pub(crate) fn read(bytes: &[u8], incarnation: &Incarnation) -> Result<Self, SectorError> {
        let mut reader = SectorReader::of(bytes, ARCHIVE_MAGIC, incarnation)?;
        Ok(Self {
            number: reader.number(),
            previous: reader.tail(),
            last: reader.tail(),
            first_time: Timestamp::from_micros(reader.number() as i64),
            last_time: Timestamp::from_micros(reader.number() as i64),
            index_at: reader.number(),
            index_check: reader.take(),
            stream_bytes: reader.number(),
        })
    }

    pub(crate) fn groups(&self) -> usize {
        (self.last.position - self.previous.position) as usize
    }

    pub(crate) fn blocks(&self) -> usize {
        (self.stream_bytes as usize).div_ceil(BLOCK_BYTES)
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.index_at + (self.blocks() * BLOCK_ENTRY_BYTES + self.groups() * 4) as u64
    }

    pub(crate) fn describe(&self) -> Archive {
        Archive {
            number: self.number,
            first: self.previous.position + 1,
            last: self.last.position,
            first_time: self.first_time,
            last_time: self.last_time,
        }
    }

    fn damaged(&self, position: u64, at: u64, reason: GroupError) -> ReadError {
        let place = format!("{} at byte {at}", archive_path(self.number));
        ReadError::Damaged { position, place, reason }
    }
}

/// Where each block ends in the file, what it must hash to, and where each group starts in the stream.
#[derive(Default)]
pub(crate) struct ArchiveIndex {
    pub(crate) block_ends: Vec<u32>,
    pub(crate) block_checks: Vec<[u8; 8]>,
    pub(crate) group_starts: Vec<u32>,
}

impl ArchiveIndex {
    pub(crate) fn write(&self) -> Vec<u8> {
        let ends = self.block_ends.iter().flat_map(|end| end.to_le_bytes());
        let checks = self.block_checks.iter().flatten().copied();
        let starts = self.group_starts.iter().flat_map(|start| start.to_le_bytes());
        ends.chain(checks).chain(starts).collect()
    }

    fn read(bytes: &[u8], header: &ArchiveHeader) -> Option<Self> {
        let (ends, rest) = bytes.split_at_checked(header.blocks() * 4)?;
        let (checks, starts) = rest.split_at_checked(header.blocks() * 8)?;
        let index = Self {
            block_ends: ends.as_chunks().0.iter().map(|end| u32::from_le_bytes(*end)).collect(),
            block_checks: checks.as_chunks().0.to_vec(),
            group_starts: starts.as_chunks().0.iter().map(|start| u32::from_le_bytes(*start)).collect(),
        };
        (index.group_starts.len() == header.groups()).then_some(index)
    }
}

pub(crate) fn block_check(bytes: &[u8]) -> [u8; 8] {
    blake3::hash(bytes).as_bytes()[..8].try_into().expect("eight bytes")
}

/// An open archive with its index in memory.
pub(crate) struct ArchiveFile<F> {
    pub(crate) header: Arc<ArchiveHeader>,
    index: ArchiveIndex,
    file: F,
}

impl<F: DiskFile> ArchiveFile<F> {
    pub(crate) fn open<D: Disk<File = F>>(disk: &D, header: &Arc<ArchiveHeader>) -> Result<Self, ReadError> {
        let position = header.previous.position + 1;
        let file = disk.open(&archive_path(header.number));
        Self::read_index(file.map_err(|source| ReadError::Fault { position, source })?, header)
    }

    pub(crate) fn read_index(file: F, header: &Arc<ArchiveHeader>) -> Result<Self, ReadError> {
        let position = header.previous.position + 1;
        let fault = |source| ReadError::Fault { position, source };
        let mut bytes = vec![0; (header.file_bytes() - header.index_at) as usize];
        file.read_exact_at(&mut bytes, header.index_at).map_err(fault)?;
        let damaged = || header.damaged(position, header.index_at, GroupError::Hash);
        if crate::format::check(&bytes) != header.index_check {
            return Err(damaged());
        }
        let index = ArchiveIndex::read(&bytes, header).ok_or_else(damaged)?;
        Ok(Self { header: Arc::clone(header), index, file })
    }

    /// Follows the chain from end to end.
    pub(crate) fn check(&self) -> Result<(), ReadError> {
        let mut blocks = LastBlock::default();
        let mut tail = self.header.previous;
        for position in tail.position + 1..=self.header.last.position {
            let group = self.group(position, &mut blocks)?;
            if !group.header().follows(&tail) {
                return Err(self.header.damaged(position, SECTOR as u64, GroupError::Unchained));
            }
            tail = group.tail();
        }
        if tail == self.header.last {
            Ok(())
        } else {
            Err(self.header.damaged(tail.position, 0, GroupError::Unchained))
        }
    }

    /// The stretch of the stream that a group covers.
    fn stretch(&self, position: u64) -> Range<usize> {
        let at = (position - self.header.previous.position - 1) as usize;
        let end = self.index.group_starts.get(at + 1).map_or(self.header.stream_bytes, |end| u64::from(*end));
        self.index.group_starts[at] as usize..end as usize
    }

    fn block(&self, position: u64, block: usize) -> Result<Arc<[u8]>, ReadError> {
        let start = block.checked_sub(1).map_or(SECTOR as u32, |before| self.index.block_ends[before]);
        let damaged = || self.header.damaged(position, u64::from(start), GroupError::Hash);
        let length = self.index.block_ends[block].checked_sub(start).ok_or_else(damaged)?;
        let mut packed = vec![0; length as usize];
        let read = self.file.read_exact_at(&mut packed, u64::from(start));
        read.map_err(|source| ReadError::Fault { position, source })?;
        if block_check(&packed) != self.index.block_checks[block] {
            return Err(damaged());
        }
        let bytes = (self.header.stream_bytes as usize - block * BLOCK_BYTES).min(BLOCK_BYTES);
        if packed.len() == bytes {
            return Ok(packed.into());
        }
        let unpacked = lz4_flex::block::decompress(&packed, bytes).map_err(|_| damaged())?;
        if unpacked.len() == bytes { Ok(unpacked.into()) } else { Err(damaged()) }
    }

    fn read(
        &self,
        position: u64,
        stretch: Range<usize>,
        into: &mut Vec<u8>,
        blocks: &mut impl Blocks,
    ) -> Result<(), ReadError> {
        let mut at = stretch.start;
        while at < stretch.end {
            let block = at / BLOCK_BYTES;
            let bytes = match blocks.recall(self.header.number, block as u32) {
                Some(bytes) => bytes,
                None => {
                    let bytes = self.block(position, block)?;
                    blocks.keep(self.header.number, block as u32, &bytes);
                    bytes
                }
            };
            let start = at - block * BLOCK_BYTES;
            let end = (stretch.end - block * BLOCK_BYTES).min(bytes.len());
            into.extend_from_slice(&bytes[start..end]);
            at += end - start;
        }
        Ok(())
    }

    pub(crate) fn group(&self, position: u64, blocks: &mut impl Blocks) -> Result<Group, ReadError> {
        let stretch = self.stretch(position);
        let start = stretch.start;
        let mut bytes = Vec::with_capacity(stretch.len());
        self.read(position, stretch, &mut bytes, blocks)?;
        let damaged = |reason| {
            let before = start / BLOCK_BYTES;
            let at = before.checked_sub(1).map_or(SECTOR as u32, |before| self.index.block_ends[before]);
            self.header.damaged(position, u64::from(at), reason)
        };
        let group = Group::parse(bytes).map_err(damaged)?;
        if group.header().position != position { Err(damaged(GroupError::Unchained)) } else { Ok(group) }
    }

    pub(crate) fn slice(
        &self,
        position: u64,
        offset: usize,
        length: usize,
        into: &mut Vec<u8>,
        blocks: &mut impl Blocks,
    ) -> Result<(), ReadError> {
        let stretch = self.stretch(position);
        let start = (stretch.start + HEADER_BYTES).saturating_add(offset).min(stretch.end);
        let end = start.saturating_add(length).min(stretch.end);
        self.read(position, start..end, into, blocks)
    }
}

impl<F> ArchiveFile<F> {
    pub(crate) fn memory_bytes(&self) -> usize {
        self.index.block_ends.len() * BLOCK_ENTRY_BYTES + self.index.group_starts.len() * 4
    }
}

/// Remembers unpacked blocks.
pub(crate) trait Blocks {
    fn recall(&mut self, archive: u64, block: u32) -> Option<Arc<[u8]>>;
    fn keep(&mut self, archive: u64, block: u32, bytes: &Arc<[u8]>);
}

/// Remembers the last block: enough for reading in order.
#[derive(Default)]
pub(crate) struct LastBlock {
    last: Option<(u64, u32, Arc<[u8]>)>,
}

impl Blocks for LastBlock {
    fn recall(&mut self, archive: u64, block: u32) -> Option<Arc<[u8]>> {
        let (of, number, bytes) = self.last.as_ref()?;
        ((*of, *number) == (archive, block)).then(|| Arc::clone(bytes))
    }

    fn keep(&mut self, archive: u64, block: u32, bytes: &Arc<[u8]>) {
        self.last = Some((archive, block, Arc::clone(bytes)));
    }
}
