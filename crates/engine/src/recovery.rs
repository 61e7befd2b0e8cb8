//! From the journal to its state: load a snapshot, replay what came after it.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use domain::Timestamp;
use journal::{Anchor, Group, Header, ReadError, Reader, SnapshotError, Tail, Vault, VaultError, VaultKey};
use ledger::{EventRef, Ledger};

use crate::book::{Book, BookFault, Options, Parts};
use crate::clock::Entropy;
use crate::follower::Follower;
use crate::record::{FORMAT, Item, Malformed, Mark, keys_in};
use crate::seal::{MasterKey, TextKeys};
use crate::snapshot::{self, Background, LoadError, Loaded};
use crate::window::{KeyFileError, Window};

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("position {position} holds something this release cannot read")]
    Malformed { position: u64, source: Malformed },
    #[error("the journal was written by a newer release (format {0})")]
    NewerFormat(u32),
    #[error("at position {position} the state was another when it was live: a bug, or memory that failed")]
    Diverged { position: u64 },
    #[error("the anchor that the journal begins with cannot be read: restore it from a backup")]
    Anchor(#[source] LoadError),
    #[error(
        "the anchor that the journal begins with holds another state than it says: restore it from a backup"
    )]
    AnchorDiffers,
    #[error("the keys beside the journal are missing: restore the key file that belongs to it")]
    KeysMissing,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("idempotency keys of a sealed stretch cannot be found")]
    Keys(#[source] KeyFileError),
    #[error("listing snapshots failed")]
    Snapshots(#[from] SnapshotError),
    /// What was folded is not what the journal holds.
    #[error("history was lost or replaced at position {position}")]
    Replaced { position: u64 },
    #[error(transparent)]
    Book(#[from] BookFault),
}

/// What a start found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Where the snapshot began that it started from.
    pub snapshot: Option<u64>,
    pub groups: u64,
    pub events: u64,
}

impl Book {
    /// Loads the newest snapshot that checks, replays what came after it, and appends a barrier. What
    /// was read is told to nobody before the barrier is durable.
    pub fn open(parts: Parts) -> Result<(Self, Recovered), OpenError> {
        let is_new = parts.journal.tail().position == 0;
        let master = master_key(&*parts.vault, &*parts.entropy, is_new)?;
        let follower = Follower::load(parts, master)?;
        let found = follower.folded.found;
        Ok((follower.lead()?.0, found))
    }
}

/// What is folded from a journal, up to some position.
pub(crate) struct Folded {
    pub(crate) ledger: Ledger,
    pub(crate) window: Window,
    pub(crate) found: Recovered,
    pub(crate) tail: Tail,
    /// Book time of the newest group.
    pub(crate) newest: Timestamp,
    /// Up to where the snapshot ends, some of its objects are ahead of the events that are replayed.
    level: u64,
    /// Idempotency keys up to here are in key files.
    covered: u64,
    oldest_key: Timestamp,
}

impl Folded {
    /// The newest snapshot that checks, and what came after it.
    pub(crate) fn load(parts: &Parts) -> Result<Self, OpenError> {
        let reader = parts.journal.reader();
        let tail = parts.journal.tail();
        let keys: Arc<dyn Vault> = parts.vault.clone();

        let mut found = Recovered::default();
        let mut level = 0;
        let mut state = Loaded { ledger: Ledger::default(), time: Timestamp::EPOCH };
        let snapshots = parts.journal.snapshots();
        for id in snapshots.list()? {
            if !counts(&*reader, &id) {
                continue;
            }
            // A damaged snapshot costs time, not truth: an older one or the whole journal does as well.
            if let Ok(loaded) = snapshot::load(&*snapshots, &id, &keys) {
                state = loaded;
                found.snapshot = Some(id.begun.position);
                level = id.ended.position;
                break;
            }
        }
        let anchor = reader.anchor();
        let from = match (found.snapshot, &anchor) {
            (Some(begun), _) => begun + 1,
            (None, None) => 1,
            (None, Some(anchor)) => {
                state = load_anchor(&*reader, anchor, &keys)?;
                level = anchor.tail.position;
                level + 1
            }
        };
        let newest =
            if tail.position == 0 { Timestamp::EPOCH } else { reader.group(tail.position)?.header().time };
        let Options { window_secs, background, .. } = parts.options;
        let oldest_key = newest.plus_secs(-window_secs);
        let mut window =
            Window::open(reader.clone(), window_secs, background, newest).map_err(OpenError::Keys)?;
        let covered = window.covered().max(anchor.map_or(0, |anchor| anchor.tail.position));
        remember(&*reader, covered + 1..from, oldest_key, &mut window)?;
        let mut folded =
            Self { ledger: state.ledger, window, found, tail, newest, level, covered, oldest_key };
        let read = fold_to(&*reader, from..=tail.position, &keys, background, |items| folded.fold(items))?;
        if read.tail.is_some_and(|read| read != tail) {
            return Err(OpenError::Replaced { position: tail.position });
        }
        folded.found.groups = read.groups;
        Ok(folded)
    }

    /// The next items, in order.
    pub(crate) fn fold(&mut self, items: &[(Item, EventRef)]) -> Result<(), OpenError> {
        warm(&self.ledger, items);
        for (item, at) in items {
            match item {
                Item::Record(record) => {
                    self.ledger.apply(&record.event, *at);
                    self.found.events += 1;
                    if let Some((key, _)) = record.envelope.key
                        && at.position() > self.covered
                        && record.envelope.time >= self.oldest_key
                    {
                        self.window.insert(key, *at, record.envelope.time);
                    }
                }
                Item::Mark(Mark::FormatRaised(format)) if *format > FORMAT => {
                    return Err(OpenError::NewerFormat(*format));
                }
                Item::Mark(mark) => {
                    let position = at.position();
                    if position > self.level && !mark.agrees(&self.ledger) {
                        return Err(OpenError::Diverged { position });
                    }
                }
            }
        }
        Ok(())
    }
}

/// A snapshot counts only if the journal has the very groups it rests on.
fn counts(reader: &dyn Reader, id: &journal::SnapshotId) -> bool {
    let has = |tail: &journal::Tail| {
        tail.position == 0
            || reader.anchor().is_some_and(|anchor| anchor.tail == *tail)
            || reader.group(tail.position).is_ok_and(|group| group.header().chain == tail.chain)
    };
    has(&id.begun) && has(&id.ended)
}

/// The state that the journal begins with.
pub(crate) fn load_anchor(
    reader: &dyn Reader,
    anchor: &Anchor,
    keys: &dyn TextKeys,
) -> Result<Loaded, OpenError> {
    let chunks = reader.anchor_chunks().map_err(|error| OpenError::Anchor(error.into()))?;
    let loaded = snapshot::load_chunks(chunks, keys).map_err(OpenError::Anchor)?;
    if snapshot::digest(&loaded.ledger) == anchor.digest { Ok(loaded) } else { Err(OpenError::AnchorDiffers) }
}

/// The master key that is there.
pub(crate) fn known_master_key(vault: &dyn Vault) -> Result<MasterKey, OpenError> {
    vault.get(MasterKey::OWNER.0).map(|key| MasterKey(key.0)).ok_or(OpenError::KeysMissing)
}

fn master_key(vault: &dyn Vault, entropy: &dyn Entropy, is_new: bool) -> Result<MasterKey, OpenError> {
    if let Ok(key) = known_master_key(vault) {
        return Ok(key);
    }
    if !is_new {
        return Err(OpenError::KeysMissing);
    }
    let mut key = [0; 32];
    entropy.fill(&mut key);
    vault.put(&[(MasterKey::OWNER.0, VaultKey(key))])?;
    // Another node may have been faster: one key stays.
    Ok(MasterKey(vault.get(MasterKey::OWNER.0).map_or(key, |kept| kept.0)))
}

/// The keys of groups that are in no key file and behind which the snapshot began. They are ordered by
/// time, so those older than `oldest` are not even read.
pub(crate) fn remember(
    reader: &dyn Reader,
    positions: Range<u64>,
    oldest: Timestamp,
    window: &mut Window,
) -> Result<(), OpenError> {
    let (mut from, mut to) = (positions.start, positions.end);
    while from < to {
        let middle = from + (to - from) / 2;
        if reader.group(middle)?.header().time < oldest {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    if from >= positions.end {
        return Ok(());
    }
    for group in reader.scan(from)?.take((positions.end - from) as usize) {
        let group = group?;
        let Header { position, time, .. } = group.header();
        keys_in(&group, |key, at| window.insert(key, at, time))
            .map_err(|source| OpenError::Malformed { position, source })?;
    }
    Ok(())
}

/// How much was folded, and up to where.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Read {
    pub(crate) groups: u64,
    /// None, where there was nothing.
    pub(crate) tail: Option<Tail>,
}

/// Calls `each` with all items from position `from` to the tail, some at a time and in order. Reading, checking hashes and decoding run ahead, on a thread of their own where there are threads.
pub(crate) fn fold(
    reader: &dyn Reader,
    from: u64,
    keys: &(dyn TextKeys + Sync),
    background: Background,
    each: impl FnMut(&[(Item, EventRef)]) -> Result<(), OpenError>,
) -> Result<Read, OpenError> {
    fold_to(reader, from..=reader.tail().position, keys, background, each)
}

/// The same as far as a position.
pub(crate) fn fold_to(
    reader: &dyn Reader,
    positions: RangeInclusive<u64>,
    keys: &(dyn TextKeys + Sync),
    background: Background,
    mut each: impl FnMut(&[(Item, EventRef)]) -> Result<(), OpenError>,
) -> Result<Read, OpenError> {
    let mut read = Read::default();
    if positions.is_empty() {
        return Ok(read);
    }
    let count = positions.end() - positions.start() + 1;
    let scan = reader.scan(*positions.start())?.take(count as usize);
    if background == Background::Inline {
        for group in scan {
            let group = group?;
            decode_and(&group, keys, &mut each)?;
            read.add(group.tail());
        }
        return Ok(read);
    }
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(PIECES_AHEAD);
        scope.spawn(move || {
            for group in scan {
                let decoded = group
                    .map_err(OpenError::from)
                    .and_then(|group| decode(&group, keys, |piece| send.send(Ok(piece)).is_ok()));
                if let Err(error) = decoded {
                    // Nobody listens any more, where that failed already.
                    let _ = send.send(Err(error));
                    return;
                }
            }
        });
        for piece in receive {
            let piece: Piece = piece?;
            each(&piece.items)?;
            piece.ends.into_iter().for_each(|tail| read.add(tail));
        }
        Ok(read)
    })
}

impl Read {
    fn add(&mut self, tail: Tail) {
        self.groups += 1;
        self.tail = Some(tail);
    }
}

/// Decodes a group, here and now.
pub(crate) fn decode_and(
    group: &Group,
    keys: &dyn TextKeys,
    mut each: impl FnMut(&[(Item, EventRef)]) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let mut folded = Ok(());
    decode(group, keys, |piece| {
        folded = each(&piece.items);
        folded.is_ok()
    })?;
    folded
}

/// Fetches what folding these items will read.
pub(crate) fn warm(ledger: &Ledger, items: &[(Item, EventRef)]) {
    let events = items.iter().filter_map(|(item, _)| match item {
        Item::Record(record) => Some(&record.event),
        Item::Mark(_) => None,
    });
    std::hint::black_box(ledger.warm_events(events));
}

/// As many items are handed over at once: for each alone it would cost more than folding it.
const PIECE_ITEMS: usize = 64;
const PIECES_AHEAD: usize = 64;

struct Piece {
    items: Vec<(Item, EventRef)>,
    /// The group, where it ends here.
    ends: Option<Tail>,
}

/// Until all of it was taken, or `take` wants no more.
fn decode(group: &Group, keys: &dyn TextKeys, mut take: impl FnMut(Piece) -> bool) -> Result<(), OpenError> {
    let position = group.header().position;
    let body = group.body();
    let mut offset = 0;
    loop {
        let mut items = Vec::with_capacity(PIECE_ITEMS);
        while offset < body.len() && items.len() < PIECE_ITEMS {
            let at = EventRef::new(position, offset);
            let (item, length) = Item::read(&body[offset..], at, keys)
                .map_err(|source| OpenError::Malformed { position, source })?;
            items.push((item, at));
            offset += length;
        }
        let is_last = offset >= body.len();
        let ends = is_last.then(|| group.tail());
        if !take(Piece { items, ends }) || is_last {
            return Ok(());
        }
    }
}
