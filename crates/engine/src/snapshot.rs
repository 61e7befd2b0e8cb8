//! Snapshots taken while charging goes on: a bounded piece between two groups, object by object.
//!
//! The pieces are of different moments. Each object carries the last event it has seen, so replaying
//! from where the snapshot began brings all of them level (`ledger::apply`).
//!
//! ```text
//! chunk = 1, (length, object)*  |  3, book time
//! ```
//!
//! Left out: idempotency keys. Sealed stretches have them in key files, and those of the rest are found
//! again by reading it (`recovery.rs`). Chunks of kind 2 held them once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Timestamp;
use journal::{Chunks, SnapshotError, SnapshotId, SnapshotWriter, Snapshots, Tail, VaultKey};
use ledger::{Balance, BalanceIndex, Cursor, EventRef, Ledger, Object};

use crate::record::{Malformed, Reader, Writer, read_object, write_object};
use crate::seal::{Owner, TextKeys, TextSeal};

const OBJECTS: u8 = 1;
const FORMER_KEYS: u8 = 2;
const TIME: u8 = 3;

/// Objects copied between two groups: about as long as deciding a small group takes.
const PIECE_OBJECTS: usize = 512;

pub(crate) struct Snapshotting {
    every_bytes: u64,
    background: Background,
    written: u64,
    running: Option<Running>,
    /// Begin of the newest complete snapshot, and of the one before it.
    complete: Arc<[AtomicU64; 2]>,
    finished: Arc<AtomicU64>,
    released: u64,
}

/// Where slow work that nobody waits for is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    Threads,
    /// In its turn, so that a simulation repeats itself.
    Inline,
}

struct Running {
    writer: Box<dyn SnapshotWriter>,
    begun: Tail,
    cursor: Cursor,
    chunk: Vec<u8>,
}

impl Snapshotting {
    pub(crate) fn new(every_bytes: u64, background: Background) -> Self {
        Self {
            every_bytes,
            background,
            written: 0,
            running: None,
            complete: Arc::new([0.into(), 0.into()]),
            finished: Arc::default(),
            released: 0,
        }
    }

    pub(crate) fn written(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    pub(crate) fn request(&mut self) {
        self.written = self.every_bytes;
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(crate) fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    /// Does a piece of work; the position before which the journal is not needed for recovery any more,
    /// when that has changed.
    pub(crate) fn step(
        &mut self,
        ledger: &Ledger,
        now: Timestamp,
        tail: Tail,
        snapshots: &dyn Snapshots,
        keys: &dyn TextKeys,
    ) -> Option<u64> {
        match self.running.take() {
            None if self.written >= self.every_bytes => {
                self.written = 0;
                // No room or a fault: the older snapshots stay, the next one is tried later.
                let mut writer = snapshots.begin(tail).ok()?;
                writer.chunk(&time_chunk(now)).ok()?;
                let cursor = Cursor::default();
                self.running = Some(Running { writer, begun: tail, cursor, chunk: Vec::new() });
            }
            None => {}
            Some(mut running) => match running.piece(ledger, keys) {
                Err(_) => {}
                Ok(false) => self.running = Some(running),
                Ok(true) => self.finish(running, tail),
            },
        }
        let release = self.complete[1].load(Ordering::Acquire);
        (release > self.released).then(|| {
            self.released = release;
            release
        })
    }

    /// Making it durable takes as long as the disk takes: not on the thread that decides charges.
    fn finish(&self, running: Running, tail: Tail) {
        let (complete, finished) = (self.complete.clone(), self.finished.clone());
        let finish = move || {
            if running.writer.finish(tail).is_ok() {
                // One that was begun earlier may be finished later.
                let begun = running.begun.position;
                let newest = complete[0].fetch_max(begun, Ordering::AcqRel);
                complete[1].fetch_max(newest.min(begun), Ordering::AcqRel);
                finished.fetch_add(1, Ordering::Relaxed);
            }
        };
        match self.background {
            Background::Threads => drop(std::thread::spawn(finish)),
            Background::Inline => finish(),
        }
    }
}

impl Running {
    /// True when nothing is left to copy.
    fn piece(&mut self, ledger: &Ledger, keys: &dyn TextKeys) -> Result<bool, SnapshotError> {
        let is_finished = !put_objects(&mut self.chunk, ledger, &mut self.cursor, keys);
        if !is_finished {
            self.writer.chunk(&self.chunk)?;
        }
        Ok(is_finished)
    }
}

/// The state as it is now, in the chunks of a snapshot.
pub(crate) fn chunks(ledger: &Ledger, time: Timestamp, keys: &dyn TextKeys) -> impl Iterator<Item = Vec<u8>> {
    let mut cursor = Cursor::default();
    let objects = std::iter::from_fn(move || {
        let mut chunk = Vec::new();
        put_objects(&mut chunk, ledger, &mut cursor, keys).then_some(chunk)
    });
    std::iter::once(time_chunk(time)).chain(objects)
}

fn time_chunk(time: Timestamp) -> Vec<u8> {
    let mut chunk = vec![TIME];
    chunk.extend_from_slice(&time.as_micros().to_le_bytes());
    chunk
}

/// Fills a chunk with the next piece of the state. False when nothing is left.
fn put_objects(chunk: &mut Vec<u8>, ledger: &Ledger, cursor: &mut Cursor, keys: &dyn TextKeys) -> bool {
    chunk.clear();
    chunk.push(OBJECTS);
    for _ in 0..PIECE_OBJECTS {
        let Some(object) = ledger.next_object(cursor) else { break };
        put_object(chunk, &object, slot_of(cursor), keys);
    }
    chunk.len() > 1
}

/// The place among its kind of the object drawn last.
fn slot_of(cursor: &Cursor) -> usize {
    match cursor {
        Cursor::Organizations(next)
        | Cursor::Users(next)
        | Cursor::Credentials(next)
        | Cursor::Names(next)
        | Cursor::Accounts(next)
        | Cursor::Families(next)
        | Cursor::Balances(next)
        | Cursor::Memberships(next)
        | Cursor::Invitations(next)
        | Cursor::PermissionSets(next) => next.saturating_sub(1),
        _ => 0,
    }
}

fn stamp(object: &Object) -> EventRef {
    match object {
        Object::User(it) => it.last,
        Object::Credential(it) => it.last,
        Object::Account(it) => it.last,
        Object::Handle(_, it) => it.last,
        Object::Hold(_, it) => it.last,
        Object::Settings(_, it) => it.last,
        Object::Number(_, it) => it.last,
        Object::Reload(_, it) => it.last,
        Object::Invitation(it) => it.last,
        Object::Provider(_, it) => it.last,
        // A name never changes, and its key is its own.
        _ => EventRef::NONE,
    }
}

fn kind(object: &Object) -> u8 {
    match object {
        Object::User(_) => 1,
        Object::Credential(_) => 2,
        Object::Name(_) => 3,
        Object::Account(_) => 4,
        Object::Handle(..) => 5,
        Object::Hold(..) => 6,
        Object::Settings(..) => 7,
        Object::Number(..) => 8,
        Object::Reload(..) => 9,
        Object::Invitation(_) => 10,
        Object::Provider(..) => 11,
        _ => 7,
    }
}

/// `length, kind, owner + 1, stamp, object`: what its texts are sealed with stands before it.
fn put_object(chunk: &mut Vec<u8>, object: &Object, slot: usize, keys: &dyn TextKeys) {
    let start = chunk.len();
    chunk.extend_from_slice(&[0; 4]);
    let owner = Owner::of_object(object, slot);
    let key: Option<VaultKey> = owner.and_then(|owner| keys.text_key(owner));
    let (stamp, kind) = (stamp(object), kind(object));
    let seal = key.map(|key| TextSeal::object(&key, stamp, kind));
    let mut writer = Writer { bytes: chunk, seal };
    writer.bytes.push(kind);
    writer.varint(owner.map_or(0, |owner| u128::from(owner.0) + 1));
    writer.varint(u128::from(stamp.raw()));
    write_object(&mut writer, object);
    let length = (chunk.len() - start - 4) as u32;
    chunk[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn take_object(bytes: &[u8], keys: &dyn TextKeys) -> Result<(Object, usize), Malformed> {
    let mut reader = Reader::new(bytes);
    let length = u32::from_le_bytes(reader.raw(4)?.try_into().expect("four bytes")) as usize;
    let mut reader = Reader::new(reader.raw(length)?);
    let kind = reader.byte()?;
    let owner: u64 = reader.small()?;
    let stamp = EventRef::from_raw(reader.small()?);
    let key = owner.checked_sub(1).and_then(|owner| keys.text_key(Owner(owner)));
    reader.seal = key.map(|key| TextSeal::object(&key, stamp, kind));
    let object = read_object(&mut reader)?;
    reader.finished()?;
    Ok((object, 4 + length))
}

/// What a snapshot holds.
pub(crate) struct Loaded {
    pub(crate) ledger: Ledger,
    pub(crate) time: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

pub(crate) fn load(
    snapshots: &dyn Snapshots,
    id: &SnapshotId,
    keys: &dyn TextKeys,
) -> Result<Loaded, LoadError> {
    load_chunks(snapshots.read(id)?, keys)
}

pub(crate) fn load_chunks(chunks: Chunks, keys: &dyn TextKeys) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded { ledger: Ledger::default(), time: Timestamp::EPOCH };
    for chunk in chunks {
        let chunk = chunk?;
        match chunk.split_first() {
            Some((&OBJECTS, mut rest)) => {
                while !rest.is_empty() {
                    let (object, length) = take_object(rest, keys)?;
                    loaded.ledger.restore(object);
                    rest = &rest[length..];
                }
            }
            Some((&FORMER_KEYS, _)) => {}
            Some((&TIME, rest)) => {
                loaded.time = Timestamp::from_micros(i64::from_le_bytes(eight(&mut Reader::new(rest))?));
            }
            _ => return Err(Malformed("an unknown kind of chunk").into()),
        }
    }
    Ok(loaded)
}

/// One balance, without the rest of the state: its kind is stored in the order of their indices.
pub(crate) fn find_balance(
    chunks: Chunks,
    index: BalanceIndex,
    keys: &dyn TextKeys,
) -> Result<Option<Balance>, LoadError> {
    let mut slot = 0;
    for chunk in chunks {
        let chunk = chunk?;
        let Some((&OBJECTS, mut rest)) = chunk.split_first() else { continue };
        while !rest.is_empty() {
            let (object, length) = take_object(rest, keys)?;
            rest = &rest[length..];
            if let Object::Balance(balance) = object {
                if slot == index.slot() {
                    return Ok(Some(balance));
                }
                slot += 1;
            }
        }
    }
    Ok(None)
}

fn eight(reader: &mut Reader<'_>) -> Result<[u8; 8], Malformed> {
    Ok(reader.raw(8)?.try_into().expect("eight bytes"))
}

/// A hash over the whole state in its defined order, without texts: equal states have equal digests.
pub fn digest(ledger: &Ledger) -> [u8; 32] {
    digest_from(ledger, &mut Cursor::default(), usize::MAX)
}

/// The same over `objects` objects behind `cursor`, which moves on.
pub(crate) fn digest_from(ledger: &Ledger, cursor: &mut Cursor, objects: usize) -> [u8; 32] {
    struct NoKeys;
    impl TextKeys for NoKeys {
        fn text_key(&self, _owner: Owner) -> Option<VaultKey> {
            None
        }
    }
    let mut hasher = blake3::Hasher::new();
    let mut bytes = Vec::new();
    for _ in 0..objects {
        let Some(object) = ledger.next_object(cursor) else { break };
        bytes.clear();
        put_object(&mut bytes, &object, slot_of(cursor), &NoKeys);
        hasher.update(&bytes);
    }
    *hasher.finalize().as_bytes()
}
