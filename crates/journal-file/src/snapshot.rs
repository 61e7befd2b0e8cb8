//! Snapshots as files.
//!
//! ```text
//! header sector (begun) │ length, check, chunk │ length, check, chunk │ … │ trailer sector (ended, chunks, check of checks)
//! ```
//! A file is named `<begun>-<ended>.snapshot` only when all of it is durable.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use journal::{Chunks, SnapshotError, SnapshotId, SnapshotWriter, Snapshots, Tail};

use crate::disk::{Disk, DiskFile};
use crate::format::{
    Incarnation, PARTIAL, SECTOR, SNAPSHOT_END_MAGIC, SNAPSHOT_MAGIC, SNAPSHOTS, SectorReader, SectorWriter,
    check,
};
use crate::options::Counters;
use crate::ring::Shared;

/// Complete snapshots that are kept.
const KEPT: usize = 2;
/// Written at once, and synced, so that appends are not stalled for long.
const WRITE_BYTES: usize = 1 << 20;
const CHUNK_HEADER_BYTES: usize = 24;

pub(crate) struct FileSnapshots<D: Disk> {
    shared: Arc<Shared<D>>,
    /// Tells unfinished files of one process apart.
    begun: AtomicU64,
    damaged: Arc<Mutex<BTreeSet<String>>>,
}

fn path(id: &SnapshotId) -> String {
    format!("{SNAPSHOTS}/{:020}-{:020}.snapshot", id.begun.position, id.ended.position)
}

fn damaged(path: &str, offset: u64) -> SnapshotError {
    SnapshotError::Damaged { place: format!("{path} at byte {offset}") }
}

fn full_or_fault(error: io::Error) -> SnapshotError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SnapshotError::Full,
        _ => SnapshotError::Fault(error),
    }
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
            match read_ends(&self.shared.disk, &self.shared.incarnation, &path) {
                Ok(ends) => listed.push((ends.id, path)),
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

/// What the first and the last sector say.
struct Ends {
    id: SnapshotId,
    chunks: u64,
    checks: [u8; 16],
    trailer_at: u64,
}

fn read_ends<D: Disk>(disk: &D, incarnation: &Incarnation, path: &str) -> Result<Ends, SnapshotError> {
    let file = disk.open(path)?;
    let size = file.size()?;
    if size < 2 * SECTOR as u64 {
        return Err(damaged(path, size));
    }
    let trailer_at = size - SECTOR as u64;
    let (mut first, mut last) = ([0; SECTOR], [0; SECTOR]);
    file.read_exact_at(&mut first, 0)?;
    file.read_exact_at(&mut last, trailer_at)?;
    let mut header = SectorReader::of(&first, SNAPSHOT_MAGIC, incarnation).map_err(|_| damaged(path, 0))?;
    let mut trailer =
        SectorReader::of(&last, SNAPSHOT_END_MAGIC, incarnation).map_err(|_| damaged(path, trailer_at))?;
    let begun = header.tail();
    if trailer.tail() != begun {
        return Err(damaged(path, trailer_at));
    }
    let id = SnapshotId { begun, ended: trailer.tail() };
    Ok(Ends { id, chunks: trailer.number(), checks: trailer.take(), trailer_at })
}

impl<D: Disk> Snapshots for FileSnapshots<D> {
    fn begin(&self, begun: Tail) -> Result<Box<dyn SnapshotWriter>, SnapshotError> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let partial = format!("{SNAPSHOTS}/{:020}-{number}.{PARTIAL}", begun.position);
        let file = self.shared.disk.create(&partial).map_err(full_or_fault)?;
        let buffer =
            SectorWriter::new(SNAPSHOT_MAGIC, &self.shared.incarnation).tail(&begun).finish().to_vec();
        Ok(Box::new(FileSnapshotWriter {
            snapshots: Self {
                shared: Arc::clone(&self.shared),
                begun: AtomicU64::new(0),
                damaged: Arc::clone(&self.damaged),
            },
            begun,
            partial,
            file,
            buffer,
            written: 0,
            chunks: 0,
            checks: blake3::Hasher::new(),
            finished: false,
        }))
    }

    fn list(&self) -> Result<Vec<SnapshotId>, SnapshotError> {
        Ok(self.list_with_paths()?.into_iter().map(|(id, _)| id).take(KEPT).collect())
    }

    fn read(&self, id: &SnapshotId) -> Result<Chunks, SnapshotError> {
        let path = path(id);
        let ends = read_ends(&self.shared.disk, &self.shared.incarnation, &path)?;
        if ends.id != *id {
            return Err(damaged(&path, 0));
        }
        let file = self.shared.disk.open(&path)?;
        let known = Arc::clone(&self.damaged);
        let chunks =
            ReadingChunks { file, path, ends, at: SECTOR as u64, read: 0, checks: blake3::Hasher::new() };
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
            let ends = read_ends(disk, incarnation, &path)?;
            let id = ends.id;
            let file = disk.open(&path)?;
            let checks = blake3::Hasher::new();
            for chunk in
                (ReadingChunks { file, path: path.clone(), ends, at: SECTOR as u64, read: 0, checks })
            {
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

struct ReadingChunks<F> {
    file: F,
    path: String,
    ends: Ends,
    at: u64,
    read: u64,
    checks: blake3::Hasher,
}

impl<F: DiskFile> ReadingChunks<F> {
    fn chunk(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let here = damaged(&self.path, self.at);
        let mut header = [0; CHUNK_HEADER_BYTES];
        let body_at = self.at + CHUNK_HEADER_BYTES as u64;
        if body_at > self.ends.trailer_at {
            return Err(here);
        }
        self.file.read_exact_at(&mut header, self.at)?;
        let (length, expected) = header.split_at(8);
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        if length > self.ends.trailer_at - body_at {
            return Err(here);
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, body_at)?;
        if check(&bytes) != expected {
            return Err(here);
        }
        self.checks.update(expected);
        self.at = body_at + length;
        self.read += 1;
        let last = self.read == self.ends.chunks;
        if last
            && (self.at != self.ends.trailer_at
                || self.checks.finalize().as_bytes()[..16] != self.ends.checks)
        {
            return Err(damaged(&self.path, self.ends.trailer_at));
        }
        Ok(bytes)
    }
}

impl<F: DiskFile> Iterator for ReadingChunks<F> {
    type Item = Result<Vec<u8>, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read >= self.ends.chunks {
            return None;
        }
        let chunk = self.chunk();
        if chunk.is_err() {
            self.read = u64::MAX;
        }
        Some(chunk)
    }
}

struct FileSnapshotWriter<D: Disk> {
    snapshots: FileSnapshots<D>,
    begun: Tail,
    partial: String,
    file: D::File,
    buffer: Vec<u8>,
    written: u64,
    chunks: u64,
    checks: blake3::Hasher,
    finished: bool,
}

impl<D: Disk> FileSnapshotWriter<D> {
    fn write_out(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.written)?;
        Counters::add(&self.snapshots.shared.counters.snapshot_bytes, self.buffer.len());
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        self.file.sync_data()
    }
}

impl<D: Disk> SnapshotWriter for FileSnapshotWriter<D> {
    fn chunk(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let check = check(bytes);
        self.buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(&check);
        self.buffer.extend_from_slice(bytes);
        self.checks.update(&check);
        self.chunks += 1;
        if self.buffer.len() >= WRITE_BYTES { self.write_out().map_err(full_or_fault) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>, ended: Tail) -> Result<SnapshotId, SnapshotError> {
        let id = SnapshotId { begun: self.begun, ended };
        let path = path(&id);
        let shared = Arc::clone(&self.snapshots.shared);
        let checks: [u8; 16] = self.checks.finalize().as_bytes()[..16].try_into().expect("sixteen bytes");
        let trailer = SectorWriter::new(SNAPSHOT_END_MAGIC, &shared.incarnation)
            .tail(&id.begun)
            .tail(&id.ended)
            .number(self.chunks)
            .put(&checks)
            .finish();
        self.buffer.extend_from_slice(&trailer);
        self.write_out().map_err(full_or_fault)?;
        shared.disk.rename(&self.partial, &path)?;
        self.finished = true;
        shared.disk.sync_directory(SNAPSHOTS)?;
        self.snapshots.forget(&path);
        self.snapshots.drop_older()?;
        Ok(id)
    }
}

impl<D: Disk> Drop for FileSnapshotWriter<D> {
    fn drop(&mut self) {
        if !self.finished {
            // Left behind, it is removed when the journal is opened next.
            let _ = self.snapshots.shared.disk.remove(&self.partial);
        }
    }
}
