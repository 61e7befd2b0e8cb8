//! Copies a directory while its journal is being written: what had been answered when the copy began is in it.
//!
//! Copying file by file from outside cannot do this: the open segment grows while it is read, and a copy
//! with a hole in it is rightly taken for damage. Here each segment is copied as far as its chain is whole.
//!
//! | in this order | because |
//! |---|---|
//! | snapshots | one counts only if the journal has its last group, which is copied later |
//! | ring, behind the archives that are there | what is sealed and used again meanwhile is missed, and all is read again |
//! | archives | they never change |
//! | vault | the key of a text is there before the text |
//! | identity | without it, it is no journal yet |

use std::io;

use journal::Tail;

use crate::disk::{Disk, DiskFile, Hold};
use crate::error::OpenError;
use crate::file_journal::lock;
use crate::format::{
    ARCHIVE, IDENTITY, Incarnation, LOCK, PARTIAL, RING, SNAPSHOTS, VAULT, numbered, segment_path,
};
use crate::recovery::{read_identity, read_slots};
use crate::segment::{SegmentFile, SegmentHeader, group_in, walk};
use crate::vault::read_records;

/// Copied at once.
const PIECE_BYTES: usize = 1 << 20;
/// Each further attempt finds more of it in the archive.
const ATTEMPTS_MAX: usize = 100;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    pub tail: Tail,
    pub archives: usize,
    pub segments: usize,
}

/// Copies the journal on `from`, which may be in use, to `to`, where there is none. The lock is taken if it
/// is free, so that nobody prunes meanwhile.
pub fn backup<D: Disk>(from: &D, to: &D) -> Result<Backup, OpenError> {
    let incarnation = read_identity(from)?;
    let _from = from.lock(LOCK, Hold::Shared).ok();
    for directory in ["", RING, ARCHIVE, SNAPSHOTS] {
        to.create_directory(directory).map_err(OpenError::fault(directory))?;
    }
    let _to = lock(to, Hold::Exclusive)?;
    if to.list("").map_err(OpenError::fault(""))?.iter().any(|name| name == IDENTITY) {
        return Err(OpenError::AlreadyInitialised);
    }
    copy_snapshots(from, to).map_err(OpenError::fault(SNAPSHOTS))?;
    let (archived, ring) = copy_ring(from, to, &incarnation)?;
    let archives = copy_archives(from, to, archived).map_err(OpenError::fault(ARCHIVE))?;
    copy_vault(from, to)?;
    let finish = || {
        for directory in [RING, ARCHIVE, SNAPSHOTS, ""] {
            to.sync_directory(directory)?;
        }
        let partial = format!("{IDENTITY}.{PARTIAL}");
        copy(&from.open(IDENTITY)?, to, &partial)?;
        to.rename(&partial, IDENTITY)?;
        to.sync_directory("")
    };
    finish().map_err(OpenError::fault(IDENTITY))?;
    Ok(Backup { tail: ring.tail, archives, segments: ring.segments })
}

fn copy<D: Disk>(from: &D::File, to: &D, path: &str) -> io::Result<()> {
    let (size, file) = (from.size()?, to.create(path)?);
    let mut at = 0;
    let mut piece = vec![0; PIECE_BYTES];
    while at < size {
        let length = piece.len().min((size - at) as usize);
        from.read_exact_at(&mut piece[..length], at)?;
        file.write_all_at(&piece[..length], at)?;
        at += length as u64;
    }
    file.sync_data()
}

/// Those that are there. One that is dropped meanwhile was not needed.
fn copy_snapshots<D: Disk>(from: &D, to: &D) -> io::Result<()> {
    for name in from.list(SNAPSHOTS)?.iter().filter(|name| name.ends_with(".snapshot")) {
        let path = format!("{SNAPSHOTS}/{name}");
        match from.open(&path) {
            Ok(file) => copy(&file, to, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

struct Copied {
    tail: Tail,
    segments: usize,
}

/// The segments behind the archives that are there, and the number of the last of these.
fn copy_ring<D: Disk>(from: &D, to: &D, incarnation: &Incarnation) -> Result<(u64, Copied), OpenError> {
    for _ in 0..ATTEMPTS_MAX {
        let names = from.list(ARCHIVE).map_err(OpenError::fault(ARCHIVE))?;
        let of = |extension| names.iter().filter_map(move |name| numbered(name, extension)).max();
        let archived = of("archive").max(of("anchor")).unwrap_or(0);
        let mut segments = match read_slots(from, incarnation) {
            // One got another name between listing and opening.
            Err(OpenError::Fault { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
            slots => slots?.segments,
        };
        segments.retain(|segment| segment.header.number > archived);
        let is_whole = segments.iter().zip(archived + 1..).all(|(it, number)| it.header.number == number)
            && (archived == 0 || !segments.is_empty());
        if is_whole && let Some(copied) = copy_segments(&segments, to, incarnation)? {
            return Ok((archived, copied));
        }
    }
    let reason = "its segments were used again faster than they could be copied";
    Err(OpenError::Unreadable { file: RING.to_owned(), reason: reason.to_owned() })
}

/// Nothing, where one of them changed its content meanwhile.
fn copy_segments<D: Disk>(
    segments: &[SegmentFile<D::File>],
    to: &D,
    incarnation: &Incarnation,
) -> Result<Option<Copied>, OpenError> {
    let mut copied = Copied { tail: Tail::default(), segments: segments.len() };
    for (slot, segment) in segments.iter().enumerate() {
        let follower = segments.get(slot + 1).map(|follower| follower.header.previous);
        let file = &segment.slot.file;
        let mut bytes = vec![0; segment.slot.size as usize];
        file.read_exact_at(&mut bytes, 0).map_err(OpenError::fault(segment.path()))?;
        let is_same = SegmentHeader::read(&bytes, incarnation).is_ok_and(|header| header == segment.header);
        let Ok(walked) = walk(segment.header.previous, |offset| {
            Ok::<_, std::convert::Infallible>(group_in(&bytes, offset).map(|group| group.header()))
        });
        if !is_same || follower.is_some_and(|follower| follower != walked.tail) {
            return Ok(None);
        }
        // Whatever is behind is of an append that the copy has only a part of.
        bytes[walked.end as usize..].fill(0);
        let path = segment_path(slot as u32);
        let write = || {
            let file = to.create(&path)?;
            file.write_all_at(&bytes, 0)?;
            file.sync_data()
        };
        write().map_err(OpenError::fault(&path))?;
        copied.tail = walked.tail;
    }
    Ok(Some(copied))
}

/// Those up to a number, with what is beside them.
fn copy_archives<D: Disk>(from: &D, to: &D, archived: u64) -> io::Result<usize> {
    let mut archives = 0;
    for name in from.list(ARCHIVE)? {
        let number = ["archive", "sidecar", "anchor"].iter().find_map(|kind| numbered(&name, kind));
        if number.is_some_and(|number| number <= archived) {
            let path = format!("{ARCHIVE}/{name}");
            copy(&from.open(&path)?, to, &path)?;
            archives += usize::from(name.ends_with(".archive"));
        }
    }
    Ok(archives)
}

/// Read again where a key was being destroyed at that moment.
fn copy_vault<D: Disk>(from: &D, to: &D) -> Result<(), OpenError> {
    let fault = OpenError::fault;
    for _ in 0..ATTEMPTS_MAX {
        let file = from.open(VAULT).map_err(fault(VAULT))?;
        let mut bytes = vec![0; file.size().map_err(fault(VAULT))? as usize];
        file.read_exact_at(&mut bytes, 0).map_err(fault(VAULT))?;
        if read_records(bytes.get(crate::format::SECTOR..).unwrap_or_default()).is_ok() {
            let write = || {
                let file = to.create(VAULT)?;
                file.write_all_at(&bytes, 0)?;
                file.sync_data()
            };
            return write().map_err(fault(VAULT));
        }
    }
    Err(OpenError::Unreadable { file: VAULT.to_owned(), reason: "it is damaged".to_owned() })
}

#[cfg(test)]
mod tests;
