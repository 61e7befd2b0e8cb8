//! Reads from any thread. What it can find is what the index holds, and that is what was appended durably.

use std::sync::Arc;

use journal::{Anchor, Archive, Chunks, Group, GroupError, ReadError, Reader, Scan, SnapshotError, Tail};

use crate::anchor::removed;
use crate::archive::{ArchiveFile, ArchiveHeader, Blocks, LastBlock};
use crate::cache::BlockKey;
use crate::disk::Disk;
use crate::index::Found;
use crate::ring::Shared;

pub(crate) struct FileReader<D: Disk> {
    pub(crate) shared: Arc<Shared<D>>,
}

impl<D: Disk> Shared<D> {
    fn find(&self, position: u64) -> Result<Found<D::File>, ReadError> {
        let index = self.index();
        // Some of it may still be in the ring: no matter.
        match removed(index.anchor.as_ref(), position) {
            Some(removed) => Err(removed),
            None => index.find(position).ok_or(ReadError::Missing { position }),
        }
    }

    fn archive(&self, header: &Arc<ArchiveHeader>) -> Result<Arc<ArchiveFile<D::File>>, ReadError> {
        let mut cache = self.cache.lock().expect("no holder of this lock panics");
        if let Some(file) = cache.file(header.number) {
            return Ok(file);
        }
        drop(cache);
        let file = Arc::new(ArchiveFile::open(&self.disk, header)?);
        cache = self.cache.lock().expect("no holder of this lock panics");
        cache.keep_file(header.number, &file);
        Ok(file)
    }

    pub(crate) fn group(&self, position: u64, blocks: &mut impl Blocks) -> Result<Group, ReadError> {
        match self.find(position)? {
            Found::Ring(file, place) => file.group(position, place),
            Found::Archive(header) => self.archive(&header)?.group(position, blocks),
        }
    }
}

impl<D: Disk> Reader for FileReader<D> {
    fn tail(&self) -> Tail {
        self.shared.index().tail
    }

    fn group(&self, position: u64) -> Result<Group, ReadError> {
        self.shared.group(position, &mut CachedBlocks { shared: &self.shared })
    }

    fn slice(
        &self,
        position: u64,
        offset: usize,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        match self.shared.find(position)? {
            Found::Ring(file, place) => file.slice(position, place, offset, length, into),
            Found::Archive(header) => {
                let mut blocks = CachedBlocks { shared: &self.shared };
                self.shared.archive(&header)?.slice(position, offset, length, into, &mut blocks)
            }
        }
    }

    fn anchor(&self) -> Option<Anchor> {
        self.shared.index().anchor
    }

    fn anchor_chunks(&self) -> Result<Chunks, SnapshotError> {
        self.shared.anchor_chunks()
    }

    fn scan(&self, from: u64) -> Result<Scan, ReadError> {
        if let Some(removed) = removed(self.anchor().as_ref(), from) {
            return Err(removed);
        }
        let end = self.tail().position;
        if from == 0 || from > end + 1 {
            return Err(ReadError::Missing { position: from });
        }
        let blocks = LastBlock::default();
        Ok(Box::new(Scanning { shared: Arc::clone(&self.shared), next: from, end, tail: None, blocks }))
    }

    fn archives(&self) -> Vec<Archive> {
        self.shared.index().archives.iter().map(|header| header.describe()).collect()
    }

    fn archives_after(&self, number: u64) -> Vec<Archive> {
        let index = self.shared.index();
        let known = index.archives.partition_point(|archive| archive.number <= number);
        index.archives[known..].iter().map(|header| header.describe()).collect()
    }

    fn sidecar(&self, archive: &Archive) -> Result<Vec<u8>, ReadError> {
        self.shared.read_sidecar(archive.number, archive.first)
    }

    fn sidecar_slice(
        &self,
        archive: &Archive,
        offset: u64,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let read = self.shared.read_sidecar_slice(archive.number, offset, length, into);
        read.map_err(|source| ReadError::Fault { position: archive.first, source })
    }
}

struct CachedBlocks<'a, D: Disk> {
    shared: &'a Shared<D>,
}

impl<D: Disk> Blocks for CachedBlocks<'_, D> {
    fn recall(&mut self, archive: u64, block: u32) -> Option<Arc<[u8]>> {
        self.shared.cache.lock().expect("no holder of this lock panics").block(BlockKey { archive, block })
    }

    fn keep(&mut self, archive: u64, block: u32, bytes: &Arc<[u8]>) {
        let mut cache = self.shared.cache.lock().expect("no holder of this lock panics");
        cache.keep_block(BlockKey { archive, block }, bytes);
    }
}

/// The groups up to the tail at the time it began. It ends with the first error.
struct Scanning<D: Disk> {
    shared: Arc<Shared<D>>,
    next: u64,
    end: u64,
    tail: Option<Tail>,
    blocks: LastBlock,
}

impl<D: Disk> Iterator for Scanning<D> {
    type Item = Result<Group, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.end {
            return None;
        }
        let position = self.next;
        self.next += 1;
        let group = self.shared.group(position, &mut self.blocks).and_then(|group| {
            if self.tail.is_some_and(|tail| !group.header().follows(&tail)) {
                let place = format!("behind position {}", position - 1);
                return Err(ReadError::Damaged { position, place, reason: GroupError::Unchained });
            }
            self.tail = Some(group.tail());
            Ok(group)
        });
        if group.is_err() {
            self.next = u64::MAX;
        }
        Some(group)
    }
}
