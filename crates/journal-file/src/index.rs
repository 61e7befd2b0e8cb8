//! Which file holds a position. One lock around it, held for lookups and never while reading a file.

use std::collections::VecDeque;
use std::sync::Arc;

use journal::{Anchor, Tail};

use crate::archive::ArchiveHeader;
use crate::segment::{Place, Segment, SegmentFile};

pub(crate) struct Index<F> {
    /// The last group whose append returned.
    pub(crate) tail: Tail,
    /// Consecutive segments, oldest first; the last is the open one.
    pub(crate) ring: VecDeque<Segment<F>>,
    /// Where the journal begins, if not at its first group.
    pub(crate) anchor: Option<Anchor>,
    /// Consecutive archives from number 1, or behind the anchor, on. The ring may still hold the last of them.
    pub(crate) archives: Vec<Arc<ArchiveHeader>>,
}

pub(crate) enum Found<F> {
    Ring(Arc<SegmentFile<F>>, Place),
    Archive(Arc<ArchiveHeader>),
}

impl<F> Index<F> {
    /// Of what was not removed. The ring before the archive, because reading there is cheaper.
    pub(crate) fn find(&self, position: u64) -> Option<Found<F>> {
        if position == 0 || position > self.tail.position {
            return None;
        }
        let behind = self.ring.partition_point(|segment| segment.file.header.previous.position < position);
        if let Some(segment) = behind.checked_sub(1).map(|at| &self.ring[at]) {
            let at = position - segment.file.header.previous.position - 1;
            return Some(Found::Ring(Arc::clone(&segment.file), segment.places[at as usize]));
        }
        let at = self.archives.partition_point(|archive| archive.last.position < position);
        self.archives.get(at).map(|archive| Found::Archive(Arc::clone(archive)))
    }

    pub(crate) fn archived(&self) -> u64 {
        self.archives.last().map_or(self.anchored().0, |archive| archive.number)
    }

    /// The archive that was the last to be removed, and how far it reached.
    pub(crate) fn anchored(&self) -> (u64, Tail) {
        self.anchor.map_or_else(Default::default, |anchor| (anchor.archive, anchor.tail))
    }

    /// Everything that is archived and no longer wanted in the ring.
    pub(crate) fn take_released(&mut self, before: u64) -> Vec<Arc<SegmentFile<F>>> {
        let archived = self.archived();
        let mut released = Vec::new();
        while self.ring.len() > 1
            && self.ring[0].file.header.number <= archived
            && self.ring[1].file.header.previous.position < before
        {
            released.extend(self.ring.pop_front().map(|segment| segment.file));
        }
        released
    }
}
