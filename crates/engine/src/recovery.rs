//! From the journal to a book that may speak: load, replay, append a barrier.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use domain::Timestamp;
use journal::{Anchor, Group, Header, ReadError, Reader, SnapshotError, Vault, VaultError, VaultKey};
use ledger::{EventRef, Ledger};

use crate::book::{Book, BookFault, Options, Parts};
use crate::clock::{BookTime, Entropy};
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
        let reader = parts.journal.reader();
        let tail = parts.journal.tail();
        let master = master_key(&*parts.vault, &*parts.entropy, tail.position == 0)?;
        let keys: Arc<dyn Vault> = parts.vault.clone();

        let mut found = Recovered::default();
        // Up to where the snapshot ends, some of its objects are ahead of the events that are replayed.
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
        found.groups = fold(&*reader, from, &keys, background, |items| {
            warm(&state.ledger, items);
            for (item, at) in items {
                match item {
                    Item::Record(record) => {
                        state.ledger.apply(&record.event, *at);
                        found.events += 1;
                        if let Some((key, _)) = record.envelope.key
                            && at.position() > covered
                            && record.envelope.time >= oldest_key
                        {
                            window.insert(key, *at, record.envelope.time);
                        }
                    }
                    Item::Mark(Mark::FormatRaised(format)) if *format > FORMAT => {
                        return Err(OpenError::NewerFormat(*format));
                    }
                    Item::Mark(mark) => {
                        let position = at.position();
                        if position > level && !mark.agrees(&state.ledger) {
                            return Err(OpenError::Diverged { position });
                        }
                    }
                }
            }
            Ok(())
        })?;
        let book = Self::assemble(parts, &master, state.ledger, window, BookTime::new(newest))?;
        Ok((book, found))
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

fn master_key(vault: &dyn Vault, entropy: &dyn Entropy, is_new: bool) -> Result<MasterKey, OpenError> {
    if let Some(key) = vault.get(MasterKey::OWNER.0) {
        return Ok(MasterKey(key.0));
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

/// Calls `each` with all items from position `from` to the tail, some at a time and in order; how many
/// groups there were. Reading, checking hashes and decoding run ahead, on a thread of their own where there are threads.
pub(crate) fn fold(
    reader: &dyn Reader,
    from: u64,
    keys: &(dyn TextKeys + Sync),
    background: Background,
    each: impl FnMut(&[(Item, EventRef)]) -> Result<(), OpenError>,
) -> Result<u64, OpenError> {
    fold_to(reader, from..=reader.tail().position, keys, background, each)
}

/// The same as far as a position.
pub(crate) fn fold_to(
    reader: &dyn Reader,
    positions: RangeInclusive<u64>,
    keys: &(dyn TextKeys + Sync),
    background: Background,
    mut each: impl FnMut(&[(Item, EventRef)]) -> Result<(), OpenError>,
) -> Result<u64, OpenError> {
    if positions.is_empty() {
        return Ok(0);
    }
    let count = positions.end() - positions.start() + 1;
    let scan = reader.scan(*positions.start())?.take(count as usize);
    if background == Background::Inline {
        for group in scan {
            let mut folded = Ok(());
            decode(&group?, keys, |piece| {
                folded = each(&piece.items);
                folded.is_ok()
            })?;
            folded?;
        }
        return Ok(count);
    }
    let mut groups = 0;
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
            groups += u64::from(piece.ends_group);
            each(&piece.items)?;
        }
        Ok(groups)
    })
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
    ends_group: bool,
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
        let ends_group = offset >= body.len();
        if !take(Piece { items, ends_group }) || ends_group {
            return Ok(());
        }
    }
}
