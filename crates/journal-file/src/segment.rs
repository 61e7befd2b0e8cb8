//! One file of the ring: a header sector, then groups, each beginning on a sector.

use std::sync::Arc;

use journal::{Group, GroupError, HEADER_BYTES, Header, ReadError, Tail};

use crate::disk::DiskFile;
use crate::format::{
    Incarnation, SECTOR, SEGMENT_MAGIC, SectorError, SectorReader, SectorWriter, segment_path,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Counts segments from 1.
    pub(crate) number: u64,
    /// The history that its first group stands behind.
    pub(crate) previous: Tail,
}

impl SegmentHeader {
    pub(crate) fn write(&self, incarnation: &Incarnation) -> [u8; SECTOR] {
        SectorWriter::new(SEGMENT_MAGIC, incarnation).number(self.number).tail(&self.previous).finish()
    }

    pub(crate) fn read(bytes: &[u8], incarnation: &Incarnation) -> Result<Self, SectorError> {
        let mut reader = SectorReader::of(bytes, SEGMENT_MAGIC, incarnation)?;
        Ok(Self { number: reader.number(), previous: reader.tail() })
    }
}

/// A file that is blank as far as its first append reaches, ready to become a segment.
pub(crate) struct Slot<F> {
    pub(crate) slot: u32,
    pub(crate) size: u64,
    pub(crate) file: F,
}

/// Readers hold it by an `Arc`: while they do, its file is not used again.
pub(crate) struct SegmentFile<F> {
    pub(crate) header: SegmentHeader,
    pub(crate) slot: Slot<F>,
}

impl<F: DiskFile> SegmentFile<F> {
    pub(crate) fn path(&self) -> String {
        segment_path(self.slot.slot)
    }

    pub(crate) fn group(&self, position: u64, place: Place) -> Result<Group, ReadError> {
        self.read(position, place, Group::parse)
    }

    /// For a reader who checks the hash elsewhere.
    pub(crate) fn unchecked_group(&self, position: u64, place: Place) -> Result<Group, ReadError> {
        self.read(position, place, Group::parse_unchecked)
    }

    fn read(
        &self,
        position: u64,
        place: Place,
        parse: fn(Vec<u8>) -> Result<Group, GroupError>,
    ) -> Result<Group, ReadError> {
        let mut bytes = vec![0; place.bytes as usize];
        let read = self.slot.file.read_exact_at(&mut bytes, u64::from(place.offset));
        read.map_err(|source| ReadError::Fault { position, source })?;
        let damaged = |reason| self.damaged(position, place, reason);
        let group = parse(bytes).map_err(damaged)?;
        if group.header().position != position { Err(damaged(GroupError::Unchained)) } else { Ok(group) }
    }

    /// Reads a part of the body, which `place` bounds.
    pub(crate) fn slice(
        &self,
        position: u64,
        place: Place,
        offset: usize,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let body_bytes = place.bytes as usize - HEADER_BYTES;
        let start = offset.min(body_bytes);
        let length = length.min(body_bytes - start);
        let kept = into.len();
        into.resize(kept + length, 0);
        let from = u64::from(place.offset) + (HEADER_BYTES + start) as u64;
        self.slot.file.read_exact_at(&mut into[kept..], from).map_err(|source| {
            into.truncate(kept);
            ReadError::Fault { position, source }
        })
    }

    fn damaged(&self, position: u64, place: Place, reason: GroupError) -> ReadError {
        ReadError::Damaged { position, place: format!("{} at byte {}", self.path(), place.offset), reason }
    }
}

/// Where in its segment a group lies, header included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u32,
    pub(crate) bytes: u32,
}

impl Place {
    /// Where the next group begins.
    pub(crate) fn end(&self) -> u64 {
        (u64::from(self.offset) + u64::from(self.bytes)).next_multiple_of(SECTOR as u64)
    }
}

/// A segment and where its groups lie. The group behind `header.previous` is the first.
pub(crate) struct Segment<F> {
    pub(crate) file: Arc<SegmentFile<F>>,
    pub(crate) places: Vec<Place>,
}

/// How far a segment's bytes are a chain of groups.
pub(crate) struct Walk {
    pub(crate) places: Vec<Place>,
    pub(crate) tail: Tail,
    /// Where the chain ends, and why it goes no further.
    pub(crate) end: u64,
    pub(crate) reason: GroupError,
}

/// Follows the groups of a segment by `header_at`, which reads a header at an offset and checks as much
/// of the group as it sees fit.
pub(crate) fn walk<E>(
    previous: Tail,
    mut header_at: impl FnMut(u64) -> Result<Result<Header, GroupError>, E>,
) -> Result<Walk, E> {
    let mut walk =
        Walk { places: Vec::new(), tail: previous, end: SECTOR as u64, reason: GroupError::NoMagic };
    loop {
        let header = match header_at(walk.end)? {
            Ok(header) if header.follows(&walk.tail) => header,
            Ok(_) => {
                walk.reason = GroupError::Unchained;
                return Ok(walk);
            }
            Err(reason) => {
                walk.reason = reason;
                return Ok(walk);
            }
        };
        let place = Place { offset: walk.end as u32, bytes: header.group_bytes() as u32 };
        walk.places.push(place);
        walk.tail = Tail { position: header.position, chain: header.chain };
        walk.end = place.end();
    }
}

/// The whole group at an offset of a segment that was read into memory, checked against its hash.
pub(crate) fn group_in(bytes: &[u8], offset: u64) -> Result<Group, GroupError> {
    let rest = bytes.get(offset as usize..).unwrap_or_default();
    let header = Header::parse(rest)?;
    let group = rest.get(..header.group_bytes()).ok_or(GroupError::Short)?;
    Group::parse(group.to_vec())
}

/// The first whole group above a position, wherever it begins. What the slot held before lies below.
pub(crate) fn group_above(bytes: &[u8], from: u64, position: u64) -> Option<(u64, Group)> {
    let is_above = |offset: &u64| {
        let header = Header::parse(bytes.get(*offset as usize..).unwrap_or_default());
        header.is_ok_and(|header| header.position > position)
    };
    (from..bytes.len() as u64)
        .step_by(SECTOR)
        .filter(is_above)
        .find_map(|offset| Some((offset, group_in(bytes, offset).ok()?)))
}
