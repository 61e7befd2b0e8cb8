//! Snapshots as files: what they begin and end with is in their sectors, the state in chunks between them.
//!
//! A file is named `<begun>-<ended>.snapshot` only when all of it is durable.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use journal::{Chunks, SnapshotError, SnapshotId, SnapshotWriter, Snapshots, Tail};

use crate::chunks::{ChunkWriter, Extent, ReadingChunks, damaged, full_or_fault, read_ends};
use crate::disk::Disk;
use crate::format::{Incarnation, PARTIAL, SNAPSHOT_END_MAGIC, SNAPSHOT_MAGIC, SNAPSHOTS, SectorWriter};
use crate::options::Counters;
use crate::ring::Shared;

/// Complete snapshots that are kept.
const KEPT: usize = 2;
pub(crate) struct FileSnapshots<D: Disk> {
    shared: Arc<Shared<D>>,
    /// Tells unfinished files of one process apart.
    begun: AtomicU64,
    damaged: Arc<Mutex<BTreeSet<String>>>,
}

fn path(id: &SnapshotId) -> String {
    format!("{SNAPSHOTS}/{:020}-{:020}.snapshot", id.begun.position, id.ended.position)
}

impl<D: Disk> FileSnapshots<D> {
    /// Removes what was never finished.
    pub(crate) fn open(shared: &Arc<Shared<D>>) -> io::Result<Self> {
        for name in shared.disk.list(SNAPSHOTS)?.iter().filter(|name| name.ends_with(PARTIAL)) {
            shared.disk.remove(&format!("{SNAPSHOTS}/{name}"))?;
        }
        let (shared, damaged) = (Arc::clone(shared), Arc::default());
        Ok(Self { shared, begun: AtomicU64::new(0), damaged })
    }

    /// Files that look complete and are not as they were written. They count as absent.
    pub(crate) fn damaged(&self) -> Vec<String> {
        self.damaged.lock().expect("no holder of this lock panics").iter().cloned().collect()
    }

    fn paths(&self) -> Result<Vec<String>, SnapshotError> {
        let names = self.shared.disk.list(SNAPSHOTS)?;
        let complete = names.iter().rev().filter(|name| name.ends_with(".snapshot"));
        Ok(complete.map(|name| format!("{SNAPSHOTS}/{name}")).collect())
    }

    fn list_with_paths(&self) -> Result<Vec<(SnapshotId, String)>, SnapshotError> {
        let mut known = self.damaged.lock().expect("no holder of this lock panics");
        let mut listed = Vec::new();
        for path in self.paths()? {
            if known.contains(&path) {
                continue;
            }
            match read_id(&self.shared.disk, &self.shared.incarnation, &path) {
                Ok((id, _)) => listed.push((id, path)),
                Err(SnapshotError::Damaged { .. }) => {
                    known.insert(path);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    fn forget(&self, path: &str) {
        self.damaged.lock().expect("no holder of this lock panics").remove(path);
    }

    /// Keeps the newest two that are whole.
    fn drop_older(&self) -> Result<(), SnapshotError> {
        let kept = self.list_with_paths()?;
        let Some((_, oldest)) = kept.iter().take(KEPT).next_back() else {
            return Ok(());
        };
        for path in self.paths()?.iter().filter(|path| *path < oldest) {
            self.shared.disk.remove(path)?;
            self.forget(path);
        }
        Ok(self.shared.disk.sync_directory(SNAPSHOTS)?)
    }
}

/// Which snapshot a file is, and where its chunks are.
fn read_id<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    path: &str,
) -> Result<(SnapshotId, Extent), SnapshotError> {
    let magics = [SNAPSHOT_MAGIC, SNAPSHOT_END_MAGIC];
    read_ends(disk, path, incarnation, magics, |mut header, mut trailer, trailer_at| {
        let begun = header.tail();
        if trailer.tail() != begun {
            return None;
        }
        let id = SnapshotId { begun, ended: trailer.tail() };
        Some((id, Extent { chunks: trailer.number(), checks: trailer.take(), trailer_at }))
    })
}

impl<D: Disk> Snapshots for FileSnapshots<D> {
    fn begin(&self, begun: Tail) -> Result<Box<dyn SnapshotWriter>, SnapshotError> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let partial = format!("{SNAPSHOTS}/{:020}-{number}.{PARTIAL}", begun.position);
        let file = self.shared.disk.create(&partial).map_err(full_or_fault)?;
        let header = SectorWriter::new(SNAPSHOT_MAGIC, &self.shared.incarnation).tail(&begun).finish();
        Ok(Box::new(FileSnapshotWriter {
            snapshots: Self {
                shared: Arc::clone(&self.shared),
                begun: AtomicU64::new(0),
                damaged: Arc::clone(&self.damaged),
            },
            begun,
            partial,
            writer: Some(ChunkWriter::new(file, header)),
        }))
    }

    fn list(&self) -> Result<Vec<SnapshotId>, SnapshotError> {
        Ok(self.list_with_paths()?.into_iter().map(|(id, _)| id).take(KEPT).collect())
    }

    fn read(&self, id: &SnapshotId) -> Result<Chunks, SnapshotError> {
        let path = path(id);
        let (found, extent) = read_id(&self.shared.disk, &self.shared.incarnation, &path)?;
        if found != *id {
            return Err(damaged(&path, 0));
        }
        let known = Arc::clone(&self.damaged);
        let chunks = ReadingChunks::open(&self.shared.disk, &path, extent)?;
        Ok(Box::new(chunks.inspect(move |chunk| {
            if let Err(SnapshotError::Damaged { place }) = chunk {
                let file = place.split(" at byte").next().unwrap_or(place);
                known.lock().expect("no holder of this lock panics").insert(file.to_owned());
            }
        })))
    }
}

/// Reads every chunk of every snapshot, for verification. Returns what is damaged.
pub(crate) fn verify_snapshots<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
) -> io::Result<(Vec<SnapshotId>, Vec<String>)> {
    let (mut whole, mut broken) = (Vec::new(), Vec::new());
    for name in disk.list(SNAPSHOTS)?.iter().rev().filter(|name| name.ends_with(".snapshot")) {
        let path = format!("{SNAPSHOTS}/{name}");
        let read = || {
            let (id, extent) = read_id(disk, incarnation, &path)?;
            for chunk in ReadingChunks::open(disk, &path, extent)? {
                chunk?;
            }
            Ok(id)
        };
        match read() {
            Ok(id) => whole.push(id),
            Err(SnapshotError::Damaged { place }) => broken.push(place),
            Err(SnapshotError::Full) => unreachable!("nothing is written"),
            Err(SnapshotError::Fault(error)) => return Err(error),
        }
    }
    Ok((whole, broken))
}

struct FileSnapshotWriter<D: Disk> {
    snapshots: FileSnapshots<D>,
    begun: Tail,
    partial: String,
    /// None once it is finished.
    writer: Option<ChunkWriter<D::File>>,
}

impl<D: Disk> SnapshotWriter for FileSnapshotWriter<D> {
    fn chunk(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.writer.as_mut().expect("finishing consumes it").chunk(bytes)
    }

    fn finish(mut self: Box<Self>, ended: Tail) -> Result<SnapshotId, SnapshotError> {
        let id = SnapshotId { begun: self.begun, ended };
        let path = path(&id);
        let shared = Arc::clone(&self.snapshots.shared);
        let trailer = |chunks, checks: &[u8; 16]| {
            let trailer = SectorWriter::new(SNAPSHOT_END_MAGIC, &shared.incarnation);
            trailer.tail(&id.begun).tail(&id.ended).number(chunks).put(checks).finish()
        };
        let writer = self.writer.take().expect("finishing consumes it");
        let written = match writer.finish(trailer) {
            Ok(written) => written,
            Err(error) => {
                self.discard();
                return Err(error);
            }
        };
        Counters::add(&shared.counters.snapshot_bytes, written as usize);
        shared.disk.rename(&self.partial, &path)?;
        shared.disk.sync_directory(SNAPSHOTS)?;
        self.snapshots.forget(&path);
        self.snapshots.drop_older()?;
        Ok(id)
    }
}

impl<D: Disk> FileSnapshotWriter<D> {
    fn discard(&self) {
        // Left behind, it is removed when the journal is opened next.
        let _ = self.snapshots.shared.disk.remove(&self.partial);
    }
}

impl<D: Disk> Drop for FileSnapshotWriter<D> {
    fn drop(&mut self) {
        if self.writer.is_some() {
            self.discard();
        }
    }
}
