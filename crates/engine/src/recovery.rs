//! From the journal to a book that may speak: load, replay, append a barrier.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use domain::Timestamp;
use journal::{Group, Header, ReadError, Reader, SnapshotError, Vault, VaultError, VaultKey};
use ledger::{EventRef, Ledger};

use crate::book::{Book, BookFault, Options, Parts};
use crate::clock::{BookTime, Entropy};
use crate::record::{FORMAT, Item, Malformed, Mark, keys_in};
use crate::seal::{MasterKey, Owner, TextKeys};
use crate::snapshot::{self, Loaded};
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
        let from = found.snapshot.map_or(1, |begun| begun + 1);
        let newest =
            if tail.position == 0 { Timestamp::EPOCH } else { reader.group(tail.position)?.header().time };
        let Options { window_secs, background, .. } = parts.options;
        let oldest_key = newest.plus_secs(-window_secs);
        let mut window =
            Window::open(reader.clone(), window_secs, background, newest).map_err(OpenError::Keys)?;
        let covered = window.covered();
        remember(&*reader, covered + 1..from, oldest_key, &mut window)?;
        fold(&*reader, from, &keys, |item, at| {
            match item {
                Item::Record(record) => {
                    state.ledger.apply(&record.event, at);
                    found.events += 1;
                    if let Some((key, _)) = record.envelope.key
                        && at.position() > covered
                        && record.envelope.time >= oldest_key
                    {
                        window.insert(key, at, record.envelope.time);
                    }
                }
                Item::Mark(Mark::FormatRaised(format)) if format > FORMAT => {
                    return Err(OpenError::NewerFormat(format));
                }
                Item::Mark(mark) => {
                    let position = at.position();
                    if position > level && !mark.agrees(&state.ledger) {
                        return Err(OpenError::Diverged { position });
                    }
                }
            }
            Ok(())
        })
        .map(|groups| found.groups = groups)?;
        let book = Self::assemble(parts, &master, state.ledger, window, BookTime::new(newest))?;
        Ok((book, found))
    }
}

/// A snapshot counts only if the journal has the very groups it rests on.
fn counts(reader: &dyn Reader, id: &journal::SnapshotId) -> bool {
    let has = |tail: &journal::Tail| {
        tail.position == 0
            || reader.group(tail.position).is_ok_and(|group| group.header().chain == tail.chain)
    };
    has(&id.begun) && has(&id.ended)
}

/// Whose key all sealing derives from: an owner that no account or person ever is.
const MASTER: Owner = Owner(u64::MAX);

fn master_key(vault: &dyn Vault, entropy: &dyn Entropy, is_new: bool) -> Result<MasterKey, OpenError> {
    if let Some(key) = vault.get(MASTER.0) {
        return Ok(MasterKey(key.0));
    }
    if !is_new {
        return Err(OpenError::KeysMissing);
    }
    let mut key = [0; 32];
    entropy.fill(&mut key);
    vault.put(&[(MASTER.0, VaultKey(key))])?;
    // Another node may have been faster: one key stays.
    Ok(MasterKey(vault.get(MASTER.0).map_or(key, |kept| kept.0)))
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

/// Calls `each` for every item from position `from` to the tail; how many groups there were.
///
/// Reading and checking hashes run ahead on a thread of their own; items come in order.
pub(crate) fn fold(
    reader: &dyn Reader,
    from: u64,
    keys: &dyn TextKeys,
    mut each: impl FnMut(Item, EventRef) -> Result<(), OpenError>,
) -> Result<u64, OpenError> {
    if from > reader.tail().position {
        return Ok(0);
    }
    let scan = reader.scan(from)?;
    let mut groups = 0;
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel::<Result<Group, ReadError>>(16);
        scope.spawn(move || {
            for group in scan {
                if send.send(group).is_err() {
                    break;
                }
            }
        });
        for group in receive {
            let group = group?;
            groups += 1;
            items(&group, keys, &mut each)?;
        }
        Ok(groups)
    })
}

pub(crate) fn items(
    group: &Group,
    keys: &dyn TextKeys,
    each: &mut impl FnMut(Item, EventRef) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let position = group.header().position;
    let body = group.body();
    let mut offset = 0;
    while offset < body.len() {
        let at = EventRef::new(position, offset);
        let (item, length) = Item::read(&body[offset..], at, keys)
            .map_err(|source| OpenError::Malformed { position, source })?;
        each(item, at)?;
        offset += length;
    }
    Ok(())
}
