//! Reads everything there is of a stopped journal, from the first position to the last, and says what is
//! not as it was written. Goes on behind damage, so that one run names all of it. Changes nothing.

use std::io;
use std::sync::Arc;

use journal::{Anchor, Damage, Group, ReadError, SnapshotId, Tail};

use crate::anchor::{find_anchor, first_archive, verify_anchor};
use crate::archive::{ArchiveFile, LastBlock};
use crate::disk::{Disk, DiskFile, Hold};
use crate::error::OpenError;
use crate::file_journal::lock;
use crate::format::{
    ARCHIVE, Incarnation, SECTOR, SNAPSHOTS, SectorReader, VAULT, VAULT_MAGIC, archive_path, numbered,
    segment_path,
};
use crate::recovery::{read_archive_header, read_identity, read_slots};
use crate::segment::{SegmentFile, group_above, group_in};
use crate::snapshot::verify_snapshots;
use crate::vault::read_records;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Where the journal begins, if not at its first group.
    pub anchor: Option<Anchor>,
    /// The last group that could be read.
    pub tail: Tail,
    /// Groups read and checked; one that is both in the archive and in the ring counts once.
    pub groups: u64,
    pub archives: usize,
    pub segments: usize,
    /// Whole ones, newest first.
    pub snapshots: Vec<SnapshotId>,
    /// Empty when all is well.
    pub damage: Vec<Damage>,
}

impl Verified {
    fn damaged(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        self.damage.push(Damage::new(place, reason));
    }

    /// Takes one group into account. Groups of the ring that were seen in the archive are only compared.
    fn group(&mut self, group: &Group, place: &str) {
        let header = group.header();
        if header.position <= self.tail.position {
            return;
        }
        if !header.follows(&self.tail) {
            let reason = match header.position - self.tail.position {
                1 => format!("position {} does not follow the group before it", header.position),
                _ => format!(
                    "positions {} to {} are missing before it",
                    self.tail.position + 1,
                    header.position - 1
                ),
            };
            self.damaged(place, reason);
        }
        self.groups += 1;
        self.tail = group.tail();
    }
}

/// Needs the journal to be stopped, and any number may verify at once.
pub fn verify<D: Disk>(disk: &D) -> Result<Verified, OpenError> {
    let _lock = lock(disk, Hold::Shared)?;
    let incarnation = read_identity(disk)?;
    let mut verified = Verified::default();
    verify_archives(disk, &incarnation, &mut verified)?;
    verify_ring(disk, &incarnation, &mut verified)?;
    verify_vault(disk, &incarnation, &mut verified)?;
    let (snapshots, broken) = verify_snapshots(disk, &incarnation).map_err(OpenError::fault(SNAPSHOTS))?;
    verified.snapshots = snapshots;
    for place in broken {
        verified.damaged(place, "the snapshot does not check");
    }
    Ok(verified)
}

fn verify_archives<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    verified: &mut Verified,
) -> Result<(), OpenError> {
    let names = disk.list(ARCHIVE).map_err(OpenError::fault(ARCHIVE))?;
    let anchor = find_anchor(disk, incarnation, &names)?;
    if let Some(anchor) = &anchor {
        let damage = verify_anchor(disk, incarnation, anchor).map_err(OpenError::fault(ARCHIVE))?;
        damage.into_iter().for_each(|place| verified.damaged(place, "the anchor does not check"));
        verified.tail = anchor.tail;
    }
    verified.anchor = anchor;
    // What the anchor covers may not be removed yet.
    let first = first_archive(anchor.as_ref());
    let numbers = names.iter().filter_map(|name| numbered(name, "archive"));
    let mut numbers: Vec<u64> = numbers.filter(|number| *number >= first).collect();
    numbers.sort_unstable();
    let mut behind = Some(verified.tail);
    for number in numbers {
        let path = archive_path(number);
        verified.archives += 1;
        let header = match read_archive_header(disk, incarnation, number, behind.as_ref()) {
            Ok(header) => Arc::new(header),
            Err(OpenError::Damaged { offset, reason, .. }) => {
                verified.damaged(format!("{path} at byte {offset}"), reason);
                behind = None;
                continue;
            }
            Err(error) => return Err(error),
        };
        behind = Some(header.last);
        match ArchiveFile::open(disk, &header) {
            Ok(archive) => verify_archive(&archive, &path, verified)?,
            Err(error) => report(verified, &path, error)?,
        }
        // What comes next is judged by what this archive says of itself.
        verified.tail = header.last;
    }
    Ok(())
}

fn verify_archive<F: DiskFile>(
    archive: &ArchiveFile<F>,
    path: &str,
    verified: &mut Verified,
) -> Result<(), OpenError> {
    let mut blocks = LastBlock::default();
    for position in archive.header.previous.position + 1..=archive.header.last.position {
        match archive.group(position, &mut blocks) {
            Ok(group) => verified.group(&group, path),
            Err(error) => report(verified, path, error)?,
        }
    }
    Ok(())
}

fn report(verified: &mut Verified, path: &str, error: ReadError) -> Result<(), OpenError> {
    match error {
        ReadError::Damaged { position, place, reason } => {
            verified.damaged(place, format!("position {position}: {reason}"));
            Ok(())
        }
        ReadError::Missing { position } | ReadError::Removed { position, .. } => {
            verified.damaged(path, format!("position {position} is missing"));
            Ok(())
        }
        ReadError::Fault { source, .. } => Err(OpenError::Fault { file: path.into(), source }),
    }
}

fn verify_ring<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    verified: &mut Verified,
) -> Result<(), OpenError> {
    let slots = read_slots(disk, incarnation)?;
    for segment in &slots.segments {
        verified.segments += 1;
        let bytes =
            read_whole(&segment.slot.file, segment.slot.size).map_err(OpenError::fault(segment.path()))?;
        verify_segment(segment, &bytes, verified);
    }
    for doubtful in &slots.doubtful {
        let path = segment_path(doubtful.slot.slot);
        let bytes = read_whole(&doubtful.slot.file, doubtful.slot.size).map_err(OpenError::fault(&path))?;
        let mut from = 0;
        while let Some((offset, group)) = group_above(&bytes, from, verified.tail.position) {
            if from == 0
                && !(doubtful.blank && offset == SECTOR as u64 && group.header().follows(&verified.tail))
            {
                verified.damaged(
                    format!("{path} at byte 0"),
                    "it holds groups and its first sector does not check",
                );
            }
            from = offset + SECTOR as u64;
            verified.group(&group, &format!("{path} at byte {offset}"));
        }
    }
    Ok(())
}

fn read_whole<F: DiskFile>(file: &F, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size as usize];
    file.read_past_cache(&mut bytes, 0)?;
    Ok(bytes)
}

fn verify_segment<F: DiskFile>(segment: &SegmentFile<F>, bytes: &[u8], verified: &mut Verified) {
    let mut at = SECTOR as u64;
    let mut reached = segment.header.previous.position;
    loop {
        let place = format!("{} at byte {at}", segment.path());
        match group_in(bytes, at) {
            Ok(group) if group.header().position > reached => {
                verified.group(&group, &place);
                reached = group.header().position;
                at = (at + group.bytes().len() as u64).next_multiple_of(SECTOR as u64);
            }
            found => {
                // Behind the last group there is nothing, or the leftover of an append that was not acknowledged.
                let Some((offset, group)) = group_above(bytes, at, reached) else {
                    return;
                };
                let reason = found.err().map_or("an old group".to_owned(), |error| error.to_string());
                let next = group.header().position;
                verified.damaged(place, format!("{reason}, but position {next} follows at byte {offset}"));
                at = offset;
            }
        }
    }
}

fn verify_vault<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    verified: &mut Verified,
) -> Result<(), OpenError> {
    let read = || {
        let file = disk.open(VAULT)?;
        read_whole(&file, file.size()?)
    };
    let bytes = read().map_err(OpenError::fault(VAULT))?;
    match SectorReader::of(&bytes, VAULT_MAGIC, incarnation) {
        Err(error) => verified.damaged(format!("{VAULT} at byte 0"), error.to_string()),
        Ok(_) => {
            if let Err(error) = read_records(&bytes[SECTOR..]) {
                verified.damaged(VAULT, error.to_string());
            }
        }
    }
    Ok(())
}
