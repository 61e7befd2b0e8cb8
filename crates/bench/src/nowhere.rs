//! A journal that keeps nothing: what is left of a measurement is the book.

use std::sync::Arc;

use journal::{
    AppendError, Archive, Group, Journal, MemoryStore, ReadError, Reader, Room, Scan, Snapshots, Tail,
};

#[derive(Default)]
pub struct Nowhere {
    tail: Tail,
}

impl Journal for Nowhere {
    fn tail(&self) -> Tail {
        self.tail
    }
    fn append(&mut self, group: &Group) -> Result<(), AppendError> {
        self.tail = group.tail();
        Ok(())
    }
    fn room(&self) -> Room {
        Room::Ample
    }
    fn release_before(&mut self, _position: u64) {}
    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(Nothing)
    }
    fn snapshots(&self) -> Arc<dyn Snapshots> {
        MemoryStore::default().open().snapshots()
    }
}

struct Nothing;

impl Reader for Nothing {
    fn tail(&self) -> Tail {
        Tail::default()
    }
    fn group(&self, position: u64) -> Result<Group, ReadError> {
        Err(ReadError::Missing { position })
    }
    fn slice(&self, position: u64, _: usize, _: usize, _: &mut Vec<u8>) -> Result<(), ReadError> {
        Err(ReadError::Missing { position })
    }
    fn scan(&self, from: u64) -> Result<Scan, ReadError> {
        Err(ReadError::Missing { position: from })
    }
    fn archives(&self) -> Vec<Archive> {
        Vec::new()
    }
    fn sidecar(&self, archive: &Archive) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Missing { position: archive.first })
    }
}
