//! What stands around an event: when, who, under which idempotency key, and the links of its balances.

use domain::Timestamp;
use journal::Group;
use ledger::{Actor, Cursor, Event, EventRef, Ledger, SKIP_LEVELS};

use super::codec::{Field, Malformed, Reader, Writer, kinds};
use super::{DIGESTS_SINCE, FORMAT};
use crate::seal::{Owner, TextKeys, TextSeal};
use crate::snapshot;

/// A client's name for one intent, hashed together with whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub hash: u128,
    /// When the client made it, where its form says so. Part of what was hashed, so not stored.
    pub made: Option<Timestamp>,
}

impl Key {
    pub const fn new(hash: u128) -> Self {
        Self { hash, made: None }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Key {}

/// Hash of what was asked under a key: the same key with other content is a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content(pub u128);

/// The entries of one balance that stand before an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Link {
    pub previous: EventRef,
    /// The movement before; only in movements.
    pub movement: EventRef,
    /// The landing places before, on the levels on which this entry is one.
    pub skips: [EventRef; SKIP_LEVELS],
}

/// One per image of the event, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Links {
    links: [Link; 2],
    length: usize,
}

impl FromIterator<Link> for Links {
    fn from_iter<I: IntoIterator<Item = Link>>(links: I) -> Self {
        let mut collected = Self::default();
        for link in links {
            collected.links[collected.length] = link;
            collected.length += 1;
        }
        collected
    }
}

impl std::ops::Deref for Links {
    type Target = [Link];
    fn deref(&self) -> &[Link] {
        &self.links[..self.length]
    }
}

/// When, who, and under which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub time: Timestamp,
    pub actor: Actor,
    /// Only the event that answers a command carries its key.
    pub key: Option<(Key, Content)>,
}

/// An event as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub envelope: Envelope,
    pub event: Event,
    pub links: Links,
}

/// What else a group may hold: notes of the engine to itself and to people. They change no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// From here on records of this format may stand in the journal.
    FormatRaised(u32),
    /// Somebody began to lead: what stands before it is durable.
    Barrier { epoch: u64, nonce: u128 },
    /// What these objects of the state hashed to, as this format writes them, for whoever folds the same
    /// events.
    Digest { format: u32, from: Cursor, objects: u32, digest: u128 },
    /// The state at this position, of which the chain and the digest are these, was kept as an anchor: what
    /// stands up to there may be gone.
    Anchored { position: u64, chain: [u8; 32], digest: [u8; 32] },
}

/// One item of a group's body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every item is the large one, and millions are read")]
pub enum Item {
    Record(Record),
    Mark(Mark),
}

const FRAME_BYTES: usize = 2;
const HAS_KEY: u8 = 1;
const HAS_TEXTS: u8 = 2;
const IS_MARK: u8 = 0x80;

impl Mark {
    /// The digest of the next `objects` of the state behind `cursor`, which moves on, and around.
    pub(crate) fn digest(ledger: &Ledger, cursor: &mut Cursor, objects: u32) -> Self {
        let from = *cursor;
        let digest = Self::digest_of(ledger, cursor, objects);
        if *cursor == Cursor::End {
            *cursor = Cursor::Start;
        }
        Self::Digest { format: FORMAT, from, objects, digest }
    }

    fn digest_of(ledger: &Ledger, cursor: &mut Cursor, objects: u32) -> u128 {
        let digest = snapshot::digest_from(ledger, cursor, objects as usize);
        u128::from_le_bytes(*digest.first_chunk().expect("a hash is longer"))
    }

    /// Whether the state is what it was when this was written, as far as this says.
    pub(crate) fn agrees(&self, ledger: &Ledger) -> bool {
        match *self {
            Self::Digest { format: DIGESTS_SINCE..=FORMAT, mut from, objects, digest } => {
                Self::digest_of(ledger, &mut from, objects) == digest
            }
            Self::Digest { .. }
            | Self::FormatRaised(_)
            | Self::Barrier { .. }
            // Of another moment: `verify` holds it against the anchor.
            | Self::Anchored { .. } => true,
        }
    }

    pub fn write(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(&[0; FRAME_BYTES]);
        bytes.push(IS_MARK);
        self.put(&mut Writer { bytes, seal: None });
        frame(bytes, start);
    }
}

kinds!(Mark {
    1 => FormatRaised(format),
    2 => Barrier { epoch, nonce },
    3 => Digest { format, from, objects, digest },
    4 => Anchored { position, chain, digest },
});

impl Item {
    /// Reads the item at the front of `bytes`, which stands at `at`; also how long it is.
    pub fn read(bytes: &[u8], at: EventRef, keys: &dyn TextKeys) -> Result<(Self, usize), Malformed> {
        let length = Record::length(bytes)?;
        let item = bytes.get(FRAME_BYTES..length).ok_or(Malformed("it ends early"))?;
        if item.first() != Some(&IS_MARK) {
            let (record, length) = Record::read(bytes, at, keys)?;
            return Ok((Self::Record(record), length));
        }
        let mut reader = Reader::new(&item[1..]);
        let mark = Mark::take(&mut reader)?;
        reader.finished()?;
        Ok((Self::Mark(mark), length))
    }
}

impl Record {
    /// Appends the record of `event`, which will stand at `at`.
    pub fn write(
        envelope: &Envelope,
        event: &Event,
        links: &Links,
        at: EventRef,
        keys: &dyn TextKeys,
        bytes: &mut Vec<u8>,
    ) {
        let owner = Owner::of_event(event);
        let start = bytes.len();
        bytes.extend_from_slice(&[0; FRAME_BYTES]);
        let has_key = if envelope.key.is_some() { HAS_KEY } else { 0 };
        let has_texts = if owner.is_some() { HAS_TEXTS } else { 0 };
        bytes.push(has_key | has_texts);
        let seal = owner.and_then(|owner| keys.text_key(owner)).map(|key| TextSeal::event(&key, at));
        let mut writer = Writer { bytes, seal };
        envelope.time.put(&mut writer);
        envelope.actor.put(&mut writer);
        if let Some((key, content)) = envelope.key {
            key.hash.put(&mut writer);
            content.0.put(&mut writer);
        }
        if let Some(owner) = owner {
            writer.varint(u128::from(owner.0));
        }
        event.put(&mut writer);
        for link in links.iter() {
            put_link(&mut writer, link, at);
        }
        frame(bytes, start);
    }

    /// Reads the record at the front of `bytes`, which stands at `at`; also how long it is.
    pub fn read(bytes: &[u8], at: EventRef, keys: &dyn TextKeys) -> Result<(Self, usize), Malformed> {
        let length = Self::length(bytes)?;
        let record = bytes.get(FRAME_BYTES..length).ok_or(Malformed("it ends early"))?;
        let mut reader = Reader::new(record);
        let flags = reader.byte()?;
        if flags & !(HAS_KEY | HAS_TEXTS) != 0 {
            return Err(Malformed("an unknown part of an envelope"));
        }
        let time = Field::take(&mut reader)?;
        let actor = Field::take(&mut reader)?;
        let key = if flags & HAS_KEY != 0 {
            Some((Key::new(Field::take(&mut reader)?), Content(Field::take(&mut reader)?)))
        } else {
            None
        };
        if flags & HAS_TEXTS != 0 {
            let owner = Owner(reader.small()?);
            reader.seal = keys.text_key(owner).map(|key| TextSeal::event(&key, at));
        }
        let event = Event::take(&mut reader)?;
        let mut links = Links::default();
        for _ in event.images() {
            links.links[links.length] = take_link(&mut reader, at)?;
            links.length += 1;
        }
        reader.finished()?;
        Ok((Self { envelope: Envelope { time, actor, key }, event, links }, length))
    }

    /// The key of the record in this frame, read no further than to there. Marks have none.
    fn key(frame: &[u8]) -> Result<Option<Key>, Malformed> {
        let mut reader = Reader::new(frame);
        let flags = reader.byte()?;
        if flags & IS_MARK != 0 || flags & HAS_KEY == 0 {
            return Ok(None);
        }
        let _time: Timestamp = Field::take(&mut reader)?;
        let _actor: Actor = Field::take(&mut reader)?;
        Ok(Some(Key::new(Field::take(&mut reader)?)))
    }

    /// Whoever the texts of the record in this frame are sealed for, read no further than to there.
    fn owner(frame: &[u8]) -> Result<Option<Owner>, Malformed> {
        let mut reader = Reader::new(frame);
        let flags = reader.byte()?;
        if flags & IS_MARK != 0 || flags & HAS_TEXTS == 0 {
            return Ok(None);
        }
        let _time: Timestamp = Field::take(&mut reader)?;
        let _actor: Actor = Field::take(&mut reader)?;
        if flags & HAS_KEY != 0 {
            let _hash: u128 = Field::take(&mut reader)?;
            let _content: u128 = Field::take(&mut reader)?;
        }
        Ok(Some(Owner(reader.small()?)))
    }

    /// How long the record at the front of `bytes` is, of which the first two must be there.
    pub fn length(bytes: &[u8]) -> Result<usize, Malformed> {
        let frame = bytes.get(..FRAME_BYTES).ok_or(Malformed("it ends early"))?;
        Ok(FRAME_BYTES + usize::from(u16::from_le_bytes([frame[0], frame[1]])))
    }
}

/// Calls `each` with the keys in a group, without reading what else is there.
pub fn keys_in(group: &Group, mut each: impl FnMut(Key, EventRef)) -> Result<(), Malformed> {
    let (position, body) = (group.header().position, group.body());
    let mut offset = 0;
    while offset < body.len() {
        let length = Record::length(&body[offset..])?;
        let frame = body.get(offset + FRAME_BYTES..offset + length).ok_or(Malformed("it ends early"))?;
        if let Some(key) = Record::key(frame)? {
            each(key, EventRef::new(position, offset));
        }
        offset += length;
    }
    Ok(())
}

/// Calls `each` with whoever texts in a group are sealed for, without reading what else is there.
pub fn owners_in(group: &Group, mut each: impl FnMut(Owner)) -> Result<(), Malformed> {
    let body = group.body();
    let mut offset = 0;
    while offset < body.len() {
        let length = Record::length(&body[offset..])?;
        let frame = body.get(offset + FRAME_BYTES..offset + length).ok_or(Malformed("it ends early"))?;
        Record::owner(frame)?.into_iter().for_each(&mut each);
        offset += length;
    }
    Ok(())
}

/// Fills in the length before what was written since `start`: two bytes were left for it.
fn frame(bytes: &mut [u8], start: usize) {
    let length = bytes.len() - start - FRAME_BYTES;
    let length = u16::try_from(length).expect("names and texts are bounded where they enter");
    bytes[start..start + FRAME_BYTES].copy_from_slice(&length.to_le_bytes());
}

/// References are stored as distances: what is near is short, none is zero.
fn put_link(writer: &mut Writer<'_>, link: &Link, at: EventRef) {
    let mut distance = |back: EventRef| {
        let distance = if back.is_none() { 0 } else { at.raw() - back.raw() };
        writer.varint(u128::from(distance));
    };
    distance(link.previous);
    distance(link.movement);
    let levels = link.skips.iter().filter(|skip| !skip.is_none()).count();
    writer.bytes.push(levels as u8);
    for skip in &link.skips[..levels] {
        writer.varint(u128::from(at.raw() - skip.raw()));
    }
}

fn take_link(reader: &mut Reader<'_>, at: EventRef) -> Result<Link, Malformed> {
    fn back(reader: &mut Reader<'_>, at: EventRef) -> Result<EventRef, Malformed> {
        let distance: u64 = reader.small()?;
        if distance == 0 {
            return Ok(EventRef::NONE);
        }
        at.raw().checked_sub(distance).map(EventRef::from_raw).ok_or(Malformed("a link before the beginning"))
    }
    let mut link =
        Link { previous: back(reader, at)?, movement: back(reader, at)?, skips: Default::default() };
    let levels = usize::from(reader.byte()?);
    for skip in link.skips.get_mut(..levels).ok_or(Malformed("too many links"))? {
        *skip = back(reader, at)?;
    }
    Ok(link)
}
