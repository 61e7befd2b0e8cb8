//! Anchors as files: the state where the journal begins whose oldest archives were removed.
//!
//! ```text
//! archive/0000000007.anchor    header sector (number, tail, time, digest), chunks, trailer sector
//! ```
//! The name is what counts. Before it, the file is `.partial`: complete and synced, but no archive is missed
//! less for it. Once it is named, everything that it covers is on its way out, and whoever opens the
//! directory removes what is left of it.

use std::io;

use journal::{Anchor, Chunks, ReadError, Retention, SnapshotError};

use crate::archive::ArchiveHeader;
use crate::chunks::{ChunkWriter, Extent, ReadingChunks, damaged, full_or_fault, read_ends};
use crate::disk::{Disk, DiskFile};
use crate::error::OpenError;
use crate::file_journal::FileJournal;
use crate::format::{
    ANCHOR_END_MAGIC, ANCHOR_MAGIC, ARCHIVE, Incarnation, PARTIAL, SECTOR, SectorWriter, anchor_path,
    numbered, sidecar_path,
};
use crate::ring::Shared;

impl<D: Disk> Retention for FileJournal<D> {
    fn write_anchor(
        &mut self,
        anchor: &Anchor,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), SnapshotError> {
        self.written_anchor = None;
        self.shared.write_anchor(anchor, chunks)?;
        self.written_anchor = Some(*anchor);
        Ok(())
    }

    fn cut(&mut self) -> Result<(), SnapshotError> {
        let anchor = self.written_anchor.take().ok_or_else(|| io::Error::other("no anchor was written"))?;
        Ok(self.shared.cut(anchor)?)
    }
}

impl<D: Disk> FileJournal<D> {
    /// Bytes on the disk of the archives up to this number, with what is beside them.
    pub fn archived_bytes(&self, to: u64) -> io::Result<u64> {
        let archives: Vec<_> = self.shared.index().archives.clone();
        let mut bytes = 0;
        for archive in archives.iter().take_while(|archive| archive.number <= to) {
            bytes += archive.file_bytes();
            match self.shared.disk.open(&sidecar_path(archive.number)) {
                Ok(sidecar) => bytes += sidecar.size()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
    }
}

impl<D: Disk> Shared<D> {
    /// Written, synced, and read again from the disk.
    fn write_anchor(
        &self,
        anchor: &Anchor,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), SnapshotError> {
        let ends_there = |archive: &ArchiveHeader| {
            (archive.number, archive.last, archive.last_time) == (anchor.archive, anchor.tail, anchor.time)
        };
        if !self.index().archives.iter().any(|archive| ends_there(archive)) {
            return Err(io::Error::other("no archive ends where the anchor stands").into());
        }
        let partial = partial_path(anchor.archive);
        let file = self.disk.create(&partial).map_err(full_or_fault)?;
        let mut writer = ChunkWriter::new(file, header(anchor, &self.incarnation));
        for chunk in chunks {
            writer.chunk(&chunk)?;
        }
        writer.finish(|chunks, checks| {
            let trailer = SectorWriter::new(ANCHOR_END_MAGIC, &self.incarnation);
            trailer.tail(&anchor.tail).number(chunks).put(checks).finish()
        })?;
        // Where the cache cannot be dropped, what was written is still compared.
        let _ = self.disk.open(&partial)?.drop_cached();
        let (found, extent) = read_anchor(&self.disk, &self.incarnation, &partial)?;
        if found != *anchor {
            return Err(damaged(&partial, 0));
        }
        ReadingChunks::open(&self.disk, &partial, extent)?.try_for_each(|chunk| chunk.map(drop))
    }

    fn cut(&self, anchor: Anchor) -> io::Result<()> {
        self.disk.rename(&partial_path(anchor.archive), &anchor_path(anchor.archive))?;
        let mut index = self.index_mut();
        index.archives.retain(|archive| archive.number > anchor.archive);
        index.anchor = Some(anchor);
        drop(index);
        self.forget_sidecars(anchor.archive);
        sweep(&self.disk, anchor.archive)
    }

    pub(crate) fn anchor_chunks(&self) -> Result<Chunks, SnapshotError> {
        let anchor = self.index().anchor.ok_or_else(|| io::Error::other("the journal has no anchor"))?;
        let path = anchor_path(anchor.archive);
        let (_, extent) = read_anchor(&self.disk, &self.incarnation, &path)?;
        Ok(Box::new(ReadingChunks::open(&self.disk, &path, extent)?))
    }
}

fn partial_path(number: u64) -> String {
    format!("{}.{PARTIAL}", anchor_path(number))
}

fn header(anchor: &Anchor, incarnation: &Incarnation) -> [u8; SECTOR] {
    SectorWriter::new(ANCHOR_MAGIC, incarnation)
        .number(anchor.archive)
        .tail(&anchor.tail)
        .number(anchor.time.as_micros() as u64)
        .put(&anchor.digest)
        .finish()
}

fn read_anchor<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    path: &str,
) -> Result<(Anchor, Extent), SnapshotError> {
    let magics = [ANCHOR_MAGIC, ANCHOR_END_MAGIC];
    read_ends(disk, path, incarnation, magics, |mut header, mut trailer, trailer_at| {
        let archive = header.number();
        let tail = header.tail();
        let time = domain::Timestamp::from_micros(header.number() as i64);
        let anchor = Anchor { tail, archive, time, digest: header.take() };
        if trailer.tail() != tail {
            return None;
        }
        Some((anchor, Extent { chunks: trailer.number(), checks: trailer.take(), trailer_at }))
    })
}

/// The newest anchor among the names of the archive's directory. An older one was covered by it.
pub(crate) fn find_anchor<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    names: &[String],
) -> Result<Option<Anchor>, OpenError> {
    let Some(number) = names.iter().filter_map(|name| numbered(name, "anchor")).max() else {
        return Ok(None);
    };
    let path = anchor_path(number);
    let damaged = |offset, reason: &str| OpenError::Damaged {
        file: path.clone(),
        offset,
        from: 1,
        to: u64::MAX,
        reason: reason.to_owned(),
    };
    match read_anchor(disk, incarnation, &path) {
        Ok((anchor, _)) if anchor.archive == number => Ok(Some(anchor)),
        Ok(_) => Err(damaged(0, "it is the anchor of another archive")),
        Err(SnapshotError::Fault(error)) => Err(OpenError::fault(path)(error)),
        Err(_) => Err(damaged(0, "its first and its last sector do not check")),
    }
}

/// Reads every chunk, for verification: where it is damaged.
pub(crate) fn verify_anchor<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    anchor: &Anchor,
) -> io::Result<Option<String>> {
    let path = anchor_path(anchor.archive);
    let read = || {
        let (_, extent) = read_anchor(disk, incarnation, &path)?;
        ReadingChunks::open(disk, &path, extent)?.try_for_each(|chunk| chunk.map(drop))
    };
    match read() {
        Ok(()) => Ok(None),
        Err(SnapshotError::Damaged { place }) => Ok(Some(place)),
        Err(SnapshotError::Full) => unreachable!("nothing is written"),
        Err(SnapshotError::Fault(error)) => Err(error),
    }
}

/// Removes what the anchor of archive `number` covers.
pub(crate) fn sweep<D: Disk>(disk: &D, number: u64) -> io::Result<()> {
    let is_covered = |name: &String| {
        let archive = numbered(name, "archive").or_else(|| numbered(name, "sidecar"));
        archive.is_some_and(|archive| archive <= number)
            || numbered(name, "anchor").is_some_and(|anchor| anchor < number)
    };
    let mut covered = disk.list(ARCHIVE)?;
    covered.retain(is_covered);
    if covered.is_empty() {
        return Ok(());
    }
    // The anchor's name before anything is missing.
    disk.sync_directory(ARCHIVE)?;
    for name in covered {
        disk.remove(&format!("{ARCHIVE}/{name}"))?;
    }
    disk.sync_directory(ARCHIVE)
}

/// Number of the archive that the journal begins with.
pub(crate) fn first_archive(anchor: Option<&Anchor>) -> u64 {
    anchor.map_or(0, |anchor| anchor.archive) + 1
}

/// Whether a position is before the journal begins.
pub(crate) fn removed(anchor: Option<&Anchor>, position: u64) -> Option<ReadError> {
    let anchor = anchor.filter(|anchor| position <= anchor.tail.position && position > 0)?;
    Some(ReadError::Removed { position, anchor: *anchor })
}
