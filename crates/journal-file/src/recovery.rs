//! What opening a directory believes: archives by their headers, full segments by their chain of headers,
//! the open segment by every byte, read past the page cache.
//!
//! A group that does not check ends the journal only if no whole group of a higher position follows it.
//! One append was in flight at most, so everything above the tail is either that one, in pieces, or
//! was acknowledged and then damaged. A new segment is begun in one write with its first group, so the
//! blank slots are looked at where that one would be.

use std::collections::VecDeque;
use std::sync::Arc;

use journal::{Anchor, HEADER_BYTES, Header, Tail};

use crate::anchor::{find_anchor, first_archive, sweep};
use crate::archive::ArchiveHeader;
use crate::disk::{Disk, DiskFile, PastCache};
use crate::error::OpenError;
use crate::file_journal::Opened;
use crate::format::{
    ARCHIVE, IDENTITY, IDENTITY_MAGIC, Incarnation, PARTIAL, RING, SECTOR, SectorError, SectorReader,
    archive_path, is_blank, numbered, segment_path, sidecar_path,
};
use crate::index::Index;
use crate::options::Options;
use crate::ring::Slots;
use crate::segment::{Segment, SegmentFile, SegmentHeader, Slot, Walk, group_above, group_in, walk};

pub(crate) struct Recovered<F> {
    pub(crate) incarnation: Incarnation,
    pub(crate) index: Index<F>,
    pub(crate) slots: Slots<F>,
    /// Where the next group of the open segment begins.
    pub(crate) end: u64,
    pub(crate) opened: Opened,
}

pub(crate) fn recover<D: Disk>(disk: &D, options: &Options) -> Result<Recovered<D::File>, OpenError> {
    let incarnation = read_identity(disk)?;
    let Archives { anchor, archives, sidecars } =
        read_archives(disk, &incarnation, options.sidecar.is_some())?;
    let found = read_slots(disk, &incarnation)?;
    let mut slots = Slots {
        ready: Vec::new(),
        unzeroed: found.unzeroed,
        released: Vec::new(),
        slot_next: found.slot_next,
        sidecars,
    };
    let mut index = Index { tail: Tail::default(), ring: VecDeque::new(), anchor, archives };
    let archived = index.archives.last().map_or(index.anchored(), |last| (last.number, last.last));
    let ring = consecutive(found.segments, archived, &found.doubtful, &mut slots)?;
    let mut opened =
        Opened { tail: Tail::default(), past_cache: None, leftover_bytes: 0, segments: 0, archives: 0 };
    let mut end = 0;
    let mut followers = ring.iter().skip(1).map(|file| file.header.previous).collect::<Vec<_>>().into_iter();
    for file in ring {
        let segment = match followers.next() {
            Some(follower) => full_segment(file, &follower)?,
            None => {
                let last = LastSegment::read(file)?;
                last.is_torn_or_whole()?;
                let tail = last.walk.tail;
                opened.past_cache = Some(last.past_cache);
                check_doubtful(&found.doubtful, &tail, options)?;
                opened.leftover_bytes = last.clear(options)?;
                (opened.tail, end) = (tail, last.walk.end);
                Segment { file: Arc::new(last.file), places: last.walk.places }
            }
        };
        index.ring.push_back(segment);
    }
    if index.ring.is_empty() {
        check_doubtful(&found.doubtful, &Tail::default(), options)?;
    }
    for doubtful in found.doubtful {
        discard(disk, doubtful, options, &mut slots, &mut opened)?;
    }
    index.tail = opened.tail;
    opened.segments = index.ring.len();
    opened.archives = index.archives.len();
    Ok(Recovered { incarnation, index, slots, end, opened })
}

pub(crate) fn read_identity<D: Disk>(disk: &D) -> Result<Incarnation, OpenError> {
    let file = disk.open(IDENTITY).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => OpenError::NotInitialised,
        _ => OpenError::fault(IDENTITY)(error),
    })?;
    let mut sector = [0; SECTOR];
    file.read_exact_at(&mut sector, 0).map_err(OpenError::fault(IDENTITY))?;
    let reader = SectorReader::new(&sector, IDENTITY_MAGIC).map_err(|error| unreadable(IDENTITY, error))?;
    Ok(reader.incarnation)
}

fn unreadable(file: impl Into<String>, error: SectorError) -> OpenError {
    OpenError::Unreadable { file: file.into(), reason: error.to_string() }
}

struct Archives {
    anchor: Option<Anchor>,
    archives: Vec<Arc<ArchiveHeader>>,
    /// Those without one.
    sidecars: Vec<u64>,
}

/// The headers of all archives, which must be consecutive from the first, or from the one behind the
/// anchor. What the anchor covers was being removed, and is.
fn read_archives<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    sidecars: bool,
) -> Result<Archives, OpenError> {
    let names = disk.list(ARCHIVE).map_err(OpenError::fault(ARCHIVE))?;
    for partial in names.iter().filter(|name| name.ends_with(PARTIAL)) {
        let path = format!("{ARCHIVE}/{partial}");
        disk.remove(&path).map_err(OpenError::fault(path))?;
    }
    let anchor = find_anchor(disk, incarnation, &names)?;
    if let Some(anchor) = &anchor {
        sweep(disk, anchor.archive).map_err(OpenError::fault(ARCHIVE))?;
    }
    let first = first_archive(anchor.as_ref());
    let numbers = names.iter().filter_map(|name| numbered(name, "archive"));
    let mut numbers: Vec<u64> = numbers.filter(|number| *number >= first).collect();
    numbers.sort_unstable();
    let mut archives: Vec<Arc<ArchiveHeader>> = Vec::with_capacity(numbers.len());
    let mut bare = Vec::new();
    let begin = anchor.map(|anchor| anchor.tail).unwrap_or_default();
    for number in numbers {
        let tail = archives.last().map_or(begin, |archive| archive.last);
        let expected = archives.len() as u64 + first;
        if number != expected {
            return Err(OpenError::Missing { file: archive_path(expected), behind: tail.position });
        }
        archives.push(Arc::new(read_archive_header(disk, incarnation, number, Some(&tail))?));
        let sidecar = sidecar_path(number);
        if sidecars && !names.iter().any(|name| sidecar.ends_with(name.as_str())) {
            bare.push(number);
        }
    }
    Ok(Archives { anchor, archives, sidecars: bare })
}

/// `behind` is the history it must follow, if that is known.
pub(crate) fn read_archive_header<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
    number: u64,
    behind: Option<&Tail>,
) -> Result<ArchiveHeader, OpenError> {
    let path = archive_path(number);
    let file = disk.open(&path).map_err(OpenError::fault(&path))?;
    let mut sector = [0; SECTOR];
    let size = file.size().map_err(OpenError::fault(&path))?;
    let damaged = |reason: String| OpenError::Damaged {
        file: path.clone(),
        offset: 0,
        from: behind.map_or(1, |tail| tail.position + 1),
        to: u64::MAX,
        reason,
    };
    if size < SECTOR as u64 {
        return Err(damaged("it is cut off".into()));
    }
    file.read_exact_at(&mut sector, 0).map_err(OpenError::fault(&path))?;
    let header = match ArchiveHeader::read(&sector, incarnation) {
        Ok(header) => header,
        Err(error @ (SectorError::Version(_) | SectorError::Foreign)) => {
            return Err(unreadable(&path, error));
        }
        Err(error) => return Err(damaged(error.to_string())),
    };
    if header.number != number || behind.is_some_and(|tail| header.previous != *tail) {
        return Err(damaged("it does not follow the archive before it".into()));
    }
    if header.file_bytes() != size {
        return Err(damaged("it is cut off".into()));
    }
    Ok(header)
}

/// The ring's files by what their first sector says.
pub(crate) struct FoundSlots<F> {
    /// By number.
    pub(crate) segments: Vec<SegmentFile<F>>,
    /// Without a valid header: blank, torn or damaged.
    pub(crate) doubtful: Vec<Doubtful<F>>,
    unzeroed: Vec<u32>,
    slot_next: u32,
}

pub(crate) struct Doubtful<F> {
    pub(crate) slot: Slot<F>,
    pub(crate) blank: bool,
}

pub(crate) fn read_slots<D: Disk>(
    disk: &D,
    incarnation: &Incarnation,
) -> Result<FoundSlots<D::File>, OpenError> {
    let names = disk.list(RING).map_err(OpenError::fault(RING))?;
    let of = |extension| names.iter().filter_map(move |name| numbered(name, extension));
    let unzeroed: Vec<u32> = of("zeroing").map(|slot| slot as u32).collect();
    let slot_next = of("zeroing").chain(of("segment")).max().map_or(0, |slot| slot as u32 + 1);
    let mut found = FoundSlots { segments: Vec::new(), doubtful: Vec::new(), unzeroed, slot_next };
    for slot in of("segment") {
        let path = segment_path(slot as u32);
        let file = disk.open(&path).map_err(OpenError::fault(&path))?;
        let size = file.size().map_err(OpenError::fault(&path))?;
        let mut sector = [0; SECTOR];
        if size >= SECTOR as u64 {
            file.read_past_cache(&mut sector, 0).map_err(OpenError::fault(&path))?;
        }
        let slot = Slot { slot: slot as u32, size, file };
        match SegmentHeader::read(&sector, incarnation) {
            Ok(header) => found.segments.push(SegmentFile { header, slot }),
            Err(SectorError::Blank) => found.doubtful.push(Doubtful { slot, blank: true }),
            Err(SectorError::Check) => found.doubtful.push(Doubtful { slot, blank: false }),
            Err(error) => return Err(unreadable(path, error)),
        }
    }
    found.segments.sort_by_key(|segment| segment.header.number);
    Ok(found)
}

/// The segments from the last archive on. Older ones that lie before a gap were on their way out.
fn consecutive<F: DiskFile>(
    segments: Vec<SegmentFile<F>>,
    archived: (u64, Tail),
    doubtful: &[Doubtful<F>],
    slots: &mut Slots<F>,
) -> Result<Vec<SegmentFile<F>>, OpenError> {
    let mut ring: Vec<SegmentFile<F>> = Vec::new();
    for segment in segments {
        let header = segment.header;
        match ring.last().map(|before| before.header.number) {
            Some(before) if before + 1 == header.number => ring.push(segment),
            Some(before) if before == header.number => {
                return Err(OpenError::Unreadable {
                    file: segment.path(),
                    reason: format!("{} holds the same segment", ring[ring.len() - 1].path()),
                });
            }
            Some(before) if before > archived.0 => {
                let behind = ring[ring.len() - 1].header.previous.position;
                return Err(missing(before + 1, behind, doubtful));
            }
            _ => {
                slots.released.extend(ring.drain(..).map(Arc::new));
                ring.push(segment);
            }
        }
    }
    let reaches = ring.last().map_or(0, |segment| segment.header.number);
    let begins = ring.first().map_or(u64::MAX, |segment| segment.header.number);
    // Whatever is archived has a segment behind it, because that is what made it full.
    if begins > archived.0 + 1 && reaches > archived.0 || (reaches <= archived.0 && archived.0 > 0) {
        return Err(missing(archived.0 + 1, archived.1.position, doubtful));
    }
    let first = ring.first().filter(|segment| segment.header.number == archived.0 + 1);
    if let Some(first) = first.filter(|first| first.header.previous != archived.1) {
        return Err(damaged_segment(first, 0, archived.1.position + 1, "it does not follow the archive"));
    }
    Ok(ring)
}

/// A segment that should be there and is not may be there with a damaged header.
fn missing<F: DiskFile>(number: u64, behind: u64, doubtful: &[Doubtful<F>]) -> OpenError {
    match doubtful.iter().find(|doubtful| !doubtful.blank) {
        Some(doubtful) => OpenError::Damaged {
            file: segment_path(doubtful.slot.slot),
            offset: 0,
            from: behind + 1,
            to: u64::MAX,
            reason: format!("its first sector does not check; it may be segment {number}, which is missing"),
        },
        None => OpenError::Missing { file: format!("{RING}/ (segment {number})"), behind },
    }
}

fn damaged_segment<F: DiskFile>(file: &SegmentFile<F>, offset: u64, from: u64, reason: &str) -> OpenError {
    OpenError::Damaged { file: file.path(), offset, from, to: u64::MAX, reason: reason.into() }
}

/// A segment with another behind it: all its groups were acknowledged, and its headers must chain up to there.
fn full_segment<F: DiskFile>(file: SegmentFile<F>, follower: &Tail) -> Result<Segment<F>, OpenError> {
    let walked = walk(file.header.previous, |offset| {
        let mut header = [0; HEADER_BYTES];
        if offset + HEADER_BYTES as u64 > file.slot.size {
            return Ok(Err(journal::GroupError::NoMagic));
        }
        file.slot.file.read_exact_at(&mut header, offset)?;
        Ok(Header::parse(&header))
    });
    let walk: Walk = walked.map_err(OpenError::fault(file.path()))?;
    let reaches = walk.places.last().map_or(0, |place| u64::from(place.offset) + u64::from(place.bytes));
    if walk.tail != *follower || reaches > file.slot.size {
        return Err(OpenError::Damaged {
            file: file.path(),
            offset: walk.end,
            from: walk.tail.position + 1,
            to: follower.position,
            reason: walk.reason.to_string(),
        });
    }
    Ok(Segment { file: Arc::new(file), places: walk.places })
}

struct LastSegment<F> {
    file: SegmentFile<F>,
    bytes: Vec<u8>,
    walk: Walk,
    past_cache: PastCache,
}

impl<F: DiskFile> LastSegment<F> {
    fn read(file: SegmentFile<F>) -> Result<Self, OpenError> {
        let mut bytes = vec![0; file.slot.size as usize];
        let past_cache =
            file.slot.file.read_past_cache(&mut bytes, 0).map_err(OpenError::fault(file.path()))?;
        let walked = walk(file.header.previous, |offset| {
            Ok::<_, std::convert::Infallible>(group_in(&bytes, offset).map(|group| group.header()))
        });
        let Ok(walk) = walked;
        Ok(Self { file, bytes, walk, past_cache })
    }

    fn is_torn_or_whole(&self) -> Result<(), OpenError> {
        let Some((offset, group)) = group_above(&self.bytes, self.walk.end, self.walk.tail.position) else {
            return Ok(());
        };
        let above = group.header().position;
        Err(OpenError::Damaged {
            file: self.file.path(),
            offset: self.walk.end,
            from: self.walk.tail.position + 1,
            to: above - 1,
            reason: format!("{}, but position {above} follows at byte {offset}", self.walk.reason),
        })
    }

    /// Overwrites what an unacknowledged append left, on the disk and in the page cache: whatever is there
    /// as far as one append reaches, be it of that or of the segment that the slot held before.
    fn clear(&self, options: &Options) -> Result<u64, OpenError> {
        let rest = &self.bytes[self.walk.end as usize..];
        let reach = &rest[..rest.len().min(options.first_write_bytes() as usize)];
        let leftover = reach.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let zeros = vec![0; reach.len()];
        let file = &self.file.slot.file;
        let cleared = file.write_all_at(&zeros, self.walk.end).and_then(|()| file.sync_data());
        cleared.map_err(OpenError::fault(self.file.path()))?;
        Ok(leftover as u64)
    }
}

/// A group above the tail in a slot without a header was acknowledged there: the header is damaged.
fn check_doubtful<F: DiskFile>(
    doubtful: &[Doubtful<F>],
    tail: &Tail,
    options: &Options,
) -> Result<(), OpenError> {
    for Doubtful { slot, blank } in doubtful {
        let bytes = if *blank { slot.size.min(options.first_write_bytes()) } else { slot.size };
        let bytes = read_start(slot, bytes)?;
        if let Some((offset, group)) = group_above(&bytes, 0, tail.position) {
            let header = group.header();
            // The append that was in flight, whole but for the header of its segment: never acknowledged.
            if *blank
                && offset == SECTOR as u64
                && header.follows(tail)
                && group_above(&bytes, offset, header.position).is_none()
            {
                continue;
            }
            return Err(OpenError::Damaged {
                file: segment_path(slot.slot),
                offset: 0,
                from: tail.position + 1,
                to: header.position,
                reason: format!("its first sector does not check, but position {} follows", header.position),
            });
        }
    }
    Ok(())
}

fn read_start<F: DiskFile>(slot: &Slot<F>, length: u64) -> Result<Vec<u8>, OpenError> {
    let mut bytes = vec![0; length as usize];
    slot.file.read_past_cache(&mut bytes, 0).map_err(OpenError::fault(segment_path(slot.slot)))?;
    Ok(bytes)
}

/// A slot that is blank on the disk and in the page cache is ready; any other is zeroed again.
fn discard<D: Disk>(
    disk: &D,
    doubtful: Doubtful<D::File>,
    options: &Options,
    slots: &mut Slots<D::File>,
    opened: &mut Opened,
) -> Result<(), OpenError> {
    let slot = doubtful.slot;
    let path = segment_path(slot.slot);
    if slot.size == options.segment_bytes {
        let mut start = read_start(&slot, slot.size.min(options.first_write_bytes()))?;
        let on_disk = start.iter().filter(|byte| **byte != 0).count() as u64;
        opened.leftover_bytes += on_disk;
        slot.file.read_exact_at(&mut start, 0).map_err(OpenError::fault(&path))?;
        if on_disk == 0 && is_blank(&start) {
            slots.ready.push(slot);
            return Ok(());
        }
    }
    let zeroing = crate::format::zeroing_path(slot.slot);
    disk.rename(&path, &zeroing).map_err(OpenError::fault(&path))?;
    disk.sync_directory(RING).map_err(OpenError::fault(RING))?;
    slots.unzeroed.push(slot.slot);
    Ok(())
}
