//! The body of a file of state, which snapshots and anchors share: between two sectors that say what the
//! file is, chunks.
//!
//! ```text
//! header sector │ length, check, chunk │ length, check, chunk │ … │ trailer sector (…, chunks, check of checks)
//! ```

use std::io;

use journal::SnapshotError;

use crate::disk::{Disk, DiskFile};
use crate::format::{Incarnation, SECTOR, SectorReader, check};

/// Written at once, and synced, so that appends are not stalled for long.
const WRITE_BYTES: usize = 1 << 20;
const CHUNK_HEADER_BYTES: usize = 24;

pub(crate) fn damaged(path: &str, offset: u64) -> SnapshotError {
    SnapshotError::Damaged { place: format!("{path} at byte {offset}") }
}

pub(crate) fn full_or_fault(error: io::Error) -> SnapshotError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SnapshotError::Full,
        _ => SnapshotError::Fault(error),
    }
}

/// What a trailer says of the chunks before it.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) chunks: u64,
    pub(crate) checks: [u8; 16],
    pub(crate) trailer_at: u64,
}

pub(crate) struct ChunkWriter<F> {
    file: F,
    buffer: Vec<u8>,
    written: u64,
    chunks: u64,
    checks: blake3::Hasher,
}

impl<F: DiskFile> ChunkWriter<F> {
    pub(crate) fn new(file: F, header: [u8; SECTOR]) -> Self {
        Self { file, buffer: header.to_vec(), written: 0, chunks: 0, checks: blake3::Hasher::new() }
    }

    pub(crate) fn chunk(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let check = check(bytes);
        self.buffer.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(&check);
        self.buffer.extend_from_slice(bytes);
        self.checks.update(&check);
        self.chunks += 1;
        if self.buffer.len() >= WRITE_BYTES { self.write_out().map_err(full_or_fault) } else { Ok(()) }
    }

    /// All of it is durable, and how long it is. `trailer` gets the number of chunks and the check of theirs.
    pub(crate) fn finish(
        mut self,
        trailer: impl FnOnce(u64, &[u8; 16]) -> [u8; SECTOR],
    ) -> Result<u64, SnapshotError> {
        let checks = first_half(&self.checks);
        self.buffer.extend_from_slice(&trailer(self.chunks, &checks));
        self.write_out().map_err(full_or_fault)?;
        Ok(self.written)
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        self.file.sync_data()
    }
}

fn first_half(checks: &blake3::Hasher) -> [u8; 16] {
    checks.finalize().as_bytes()[..16].try_into().expect("sixteen bytes")
}

/// What reads the first and the last sector; where the last one is.
pub(crate) fn read_ends<T, D: Disk>(
    disk: &D,
    path: &str,
    incarnation: &Incarnation,
    magics: [[u8; 4]; 2],
    read: impl FnOnce(SectorReader<'_>, SectorReader<'_>, u64) -> Option<T>,
) -> Result<T, SnapshotError> {
    let file = disk.open(path)?;
    let size = file.size()?;
    if size < 2 * SECTOR as u64 {
        return Err(damaged(path, size));
    }
    let trailer_at = size - SECTOR as u64;
    let (mut first, mut last) = ([0; SECTOR], [0; SECTOR]);
    file.read_exact_at(&mut first, 0)?;
    file.read_exact_at(&mut last, trailer_at)?;
    let header = SectorReader::of(&first, magics[0], incarnation).map_err(|_| damaged(path, 0))?;
    let trailer = SectorReader::of(&last, magics[1], incarnation).map_err(|_| damaged(path, trailer_at))?;
    read(header, trailer, trailer_at).ok_or_else(|| damaged(path, trailer_at))
}

/// Each chunk checked, and in the end all of them together. It ends with the first error.
pub(crate) struct ReadingChunks<F> {
    file: F,
    path: String,
    extent: Extent,
    at: u64,
    read: u64,
    checks: blake3::Hasher,
}

impl<F: DiskFile> ReadingChunks<F> {
    pub(crate) fn open<D: Disk<File = F>>(disk: &D, path: &str, extent: Extent) -> io::Result<Self> {
        let (file, checks) = (disk.open(path)?, blake3::Hasher::new());
        Ok(Self { file, path: path.to_owned(), extent, at: SECTOR as u64, read: 0, checks })
    }

    fn chunk(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let trailer_at = self.extent.trailer_at;
        let here = damaged(&self.path, self.at);
        let mut header = [0; CHUNK_HEADER_BYTES];
        let body_at = self.at + CHUNK_HEADER_BYTES as u64;
        if body_at > trailer_at {
            return Err(here);
        }
        self.file.read_exact_at(&mut header, self.at)?;
        let (length, expected) = header.split_at(8);
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        if length > trailer_at - body_at {
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
        let last = self.read == self.extent.chunks;
        if last && (self.at != trailer_at || first_half(&self.checks) != self.extent.checks) {
            return Err(damaged(&self.path, trailer_at));
        }
        Ok(bytes)
    }
}

impl<F: DiskFile> Iterator for ReadingChunks<F> {
    type Item = Result<Vec<u8>, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read >= self.extent.chunks {
            return None;
        }
        let chunk = self.chunk();
        if chunk.is_err() {
            self.read = u64::MAX;
        }
        Some(chunk)
    }
}
