//! The group that is being filled.

use domain::Timestamp;
use journal::{Group, HEADER_BYTES, Journal, Room};
use ledger::{Event, EventRef};

use super::KeyRing;
use crate::clock::ClockFault;
use crate::record::{Envelope, Links, RECORD_BYTES_MAX, Record};

pub(super) struct OpenGroup {
    pub(super) buffer: Vec<u8>,
    pub(super) events: u32,
    position: u64,
    pub(super) now: Result<Timestamp, ClockFault>,
    pub(super) room: Room,
    /// What the directory has to be told once it is durable.
    pub(super) published: Vec<Event>,
}

impl OpenGroup {
    pub(super) fn new() -> Self {
        Self {
            buffer: Group::buffer(),
            events: 0,
            position: 0,
            now: Ok(Timestamp::EPOCH),
            room: Room::Ample,
            published: Vec::new(),
        }
    }

    /// Begins it behind what the journal ends with.
    pub(super) fn begin(&mut self, journal: &dyn Journal, now: Result<Timestamp, ClockFault>) {
        self.position = journal.tail().position + 1;
        self.room = journal.room();
        self.now = now;
    }

    /// Where the next record stands.
    pub(super) fn end(&self) -> EventRef {
        EventRef::new(self.position, self.buffer.len() - HEADER_BYTES)
    }

    pub(super) fn has_room(&self) -> bool {
        self.buffer.len() + 2 * RECORD_BYTES_MAX <= journal::GROUP_BYTES_MAX
    }

    /// Writes a record at [`OpenGroup::end`].
    pub(super) fn write(&mut self, envelope: &Envelope, event: &Event, links: &Links, keys: &KeyRing) {
        let at = self.end();
        Record::write(envelope, event, links, at, keys, &mut self.buffer);
        self.events += 1;
    }
}
