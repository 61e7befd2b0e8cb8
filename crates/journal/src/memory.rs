//! The journal of tests: everything a journal promises, except that it outlives the process.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{
    AppendError, Archive, Chunks, Group, Journal, ReadError, Reader, Room, Scan, SnapshotError, SnapshotId,
    SnapshotWriter, Snapshots, Tail, Vault, VaultError, VaultKey,
};

/// What a [`MemoryJournal`] writes to: the disk, as it were. Clones share it, so a store opened
/// again finds what was appended, and a store opened twice has two writers.
#[derive(Clone, Default)]
pub struct MemoryStore {
    kept: Arc<RwLock<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// The group of position `n` is at `n - 1`.
    groups: Vec<Group>,
    /// Oldest first.
    snapshots: Vec<(SnapshotId, Arc<Vec<Vec<u8>>>)>,
}

pub struct MemoryJournal {
    store: MemoryStore,
    stopped: bool,
}

impl MemoryStore {
    pub fn open(&self) -> MemoryJournal {
        MemoryJournal { store: self.clone(), stopped: false }
    }

    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().expect("no holder of this lock panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().expect("no holder of this lock panics")
    }
}

impl Kept {
    fn tail(&self) -> Tail {
        self.groups.last().map(Group::tail).unwrap_or_default()
    }

    fn group(&self, position: u64) -> Result<&Group, ReadError> {
        let at = position.checked_sub(1).ok_or(ReadError::Missing { position })?;
        self.groups.get(at as usize).ok_or(ReadError::Missing { position })
    }

    fn append(&mut self, group: &Group) -> Result<(), AppendError> {
        let header = group.header();
        if header.follows(&self.tail()) {
            self.groups.push(group.clone());
            return Ok(());
        }
        let position = header.position - 1;
        let ours = match position {
            0 => Tail::default(),
            _ => self.group(position).map(Group::tail).map_err(|_| AppendError::HistoryLost { position })?,
        };
        if ours.chain == header.previous {
            Err(AppendError::Fenced { position })
        } else {
            Err(AppendError::HistoryLost { position })
        }
    }
}

impl Journal for MemoryJournal {
    fn tail(&self) -> Tail {
        self.store.read().tail()
    }

    fn append(&mut self, group: &Group) -> Result<(), AppendError> {
        if self.stopped {
            let source = std::io::Error::other("an earlier append failed: open the journal again");
            return Err(AppendError::Fault { position: group.header().position, source });
        }
        let result = self.store.write().append(group);
        self.stopped = result.is_err();
        result
    }

    fn room(&self) -> Room {
        Room::Ample
    }

    fn release_before(&mut self, _position: u64) {}

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.store.clone())
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(self.store.clone())
    }
}

impl Reader for MemoryStore {
    fn tail(&self) -> Tail {
        self.read().tail()
    }

    fn group(&self, position: u64) -> Result<Group, ReadError> {
        self.read().group(position).cloned()
    }

    fn slice(
        &self,
        position: u64,
        offset: usize,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let kept = self.read();
        let body = kept.group(position)?.body();
        let start = offset.min(body.len());
        let end = start.saturating_add(length).min(body.len());
        into.extend_from_slice(&body[start..end]);
        Ok(())
    }

    fn scan(&self, from: u64) -> Result<Scan, ReadError> {
        let end = self.read().tail().position;
        if from == 0 || from > end + 1 {
            return Err(ReadError::Missing { position: from });
        }
        let store = self.clone();
        Ok(Box::new((from..=end).map(move |position| store.group(position))))
    }

    fn archives(&self) -> Vec<Archive> {
        Vec::new()
    }

    fn sidecar(&self, archive: &Archive) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Missing { position: archive.first })
    }
}

struct MemorySnapshotWriter {
    store: MemoryStore,
    begun: Tail,
    chunks: Vec<Vec<u8>>,
}

impl Snapshots for MemoryStore {
    fn begin(&self, begun: Tail) -> Result<Box<dyn SnapshotWriter>, SnapshotError> {
        Ok(Box::new(MemorySnapshotWriter { store: self.clone(), begun, chunks: Vec::new() }))
    }

    fn list(&self) -> Result<Vec<SnapshotId>, SnapshotError> {
        Ok(self.read().snapshots.iter().rev().map(|(id, _)| *id).collect())
    }

    fn read(&self, id: &SnapshotId) -> Result<Chunks, SnapshotError> {
        let kept = Self::read(self);
        let (_, chunks) = kept.snapshots.iter().find(|(kept, _)| kept == id).ok_or_else(|| {
            SnapshotError::Damaged { place: format!("no snapshot from position {}", id.begun.position) }
        })?;
        let chunks = Arc::clone(chunks);
        Ok(Box::new((0..chunks.len()).map(move |at| Ok(chunks[at].clone()))))
    }
}

impl SnapshotWriter for MemorySnapshotWriter {
    fn chunk(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.chunks.push(bytes.to_vec());
        Ok(())
    }

    fn finish(self: Box<Self>, ended: Tail) -> Result<SnapshotId, SnapshotError> {
        let id = SnapshotId { begun: self.begun, ended };
        let snapshots = &mut self.store.write().snapshots;
        snapshots.retain(|(kept, _)| *kept != id);
        snapshots.push((id, Arc::new(self.chunks)));
        snapshots.sort_by_key(|(id, _)| (id.begun.position, id.ended.position));
        let excess = snapshots.len().saturating_sub(2);
        snapshots.drain(..excess);
        Ok(id)
    }
}

/// Keys that live as long as the process. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryVault {
    /// A destroyed key stays as `None`, so that its owner gets no other.
    keys: Arc<RwLock<BTreeMap<u64, Option<VaultKey>>>>,
}

impl Vault for MemoryVault {
    fn get(&self, owner: u64) -> Option<VaultKey> {
        self.keys.read().expect("no holder of this lock panics").get(&owner).copied().flatten()
    }

    fn all(&self) -> Vec<(u64, Option<VaultKey>)> {
        let kept = self.keys.read().expect("no holder of this lock panics");
        kept.iter().map(|(owner, key)| (*owner, *key)).collect()
    }

    fn put(&self, keys: &[(u64, VaultKey)]) -> Result<(), VaultError> {
        let mut kept = self.keys.write().expect("no holder of this lock panics");
        for (owner, key) in keys {
            kept.entry(*owner).or_insert(Some(*key));
        }
        Ok(())
    }

    fn destroy(&self, owner: u64) -> Result<(), VaultError> {
        self.keys.write().expect("no holder of this lock panics").insert(owner, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
