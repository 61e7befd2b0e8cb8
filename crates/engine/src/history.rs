//! What happened to a balance: a walk back along the links that its events carry. There is no index.
//!
//! Each entry points to the one before; every 64th also to the 64th before it, every 4,096th to the
//! 4,096th before, and so on, so any entry or instant is some two hundred hops away. A hop reads a slice.

use std::sync::Arc;

use domain::Timestamp;
use journal::{ReadError, Reader, SnapshotError, Vault};
use ledger::{Balance, BalanceIndex, EventRef, Image};

use crate::record::{Item, Link, Malformed, Record};
use crate::snapshot::{self, LoadError};

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error(transparent)]
    Read(ReadError),
    /// An operator had the journal cut: what is later than this is still there.
    #[error("history up to {until:?} was removed")]
    Removed { until: Timestamp },
    #[error("the state that history begins with cannot be read")]
    Anchor(#[from] LoadError),
    #[error("an entry cannot be read")]
    Malformed(#[from] Malformed),
    #[error("a link leads to something that is not an entry of the balance")]
    Broken,
}

impl From<ReadError> for HistoryError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Removed { anchor, .. } => Self::Removed { until: anchor.time },
            error => Self::Read(error),
        }
    }
}

impl From<SnapshotError> for HistoryError {
    fn from(error: SnapshotError) -> Self {
        Self::Anchor(error.into())
    }
}

/// One line of a balance's history.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: EventRef,
    pub record: Record,
    /// Which of the event's images is the balance's.
    which: usize,
}

impl Entry {
    pub fn image(&self) -> &Image {
        self.record.event.images().nth(self.which).expect("an entry has the image it was found by")
    }

    pub fn number(&self) -> u64 {
        self.image().entry
    }

    pub fn time(&self) -> Timestamp {
        self.record.envelope.time
    }

    fn link(&self) -> &Link {
        &self.record.links[self.which]
    }
}

/// Where the walks through one balance start: taken from the state.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub balance: BalanceIndex,
    pub entries: u64,
    pub last: EventRef,
    pub last_movement: EventRef,
    pub skips: [EventRef; ledger::SKIP_LEVELS],
}

impl Head {
    pub fn of(index: BalanceIndex, balance: &Balance) -> Self {
        Self {
            balance: index,
            entries: balance.entries,
            last: balance.last_entry(),
            last_movement: balance.last_movement,
            skips: balance.skips,
        }
    }
}

/// Reads durable events, from any thread.
#[derive(Clone)]
pub struct History {
    reader: Arc<dyn Reader>,
    vault: Arc<dyn Vault>,
}

/// Most records are shorter; a longer one is read again.
const SLICE_BYTES: usize = 256;

impl History {
    pub fn new(reader: Arc<dyn Reader>, vault: Arc<dyn Vault>) -> Self {
        Self { reader, vault }
    }

    pub fn reader(&self) -> &Arc<dyn Reader> {
        &self.reader
    }

    pub(crate) fn keys(&self) -> &dyn crate::seal::TextKeys {
        &self.vault
    }

    pub(crate) fn vault(&self) -> &Arc<dyn Vault> {
        &self.vault
    }

    /// The event that stands at `at`.
    pub fn record(&self, at: EventRef) -> Result<Record, HistoryError> {
        let mut bytes = Vec::with_capacity(SLICE_BYTES);
        self.reader.slice(at.position(), at.offset(), SLICE_BYTES, &mut bytes)?;
        let length = Record::length(&bytes)?;
        if length > bytes.len() {
            bytes.clear();
            self.reader.slice(at.position(), at.offset(), length, &mut bytes)?;
        }
        match Item::read(&bytes, at, &self.vault)?.0 {
            Item::Record(record) => Ok(record),
            Item::Mark(_) => Err(HistoryError::Broken),
        }
    }

    fn entry(&self, balance: BalanceIndex, at: EventRef) -> Result<Entry, HistoryError> {
        let record = self.record(at)?;
        let which = record.event.images().position(|image| image.balance == balance);
        let which = which.ok_or(HistoryError::Broken)?;
        Ok(Entry { at, record, which })
    }

    /// Entries from newest to oldest, beginning with number `from` (or the newest).
    pub fn entries(&self, head: &Head, from: Option<u64>) -> Result<Walk<'_>, HistoryError> {
        let next = match from {
            Some(from) if from < head.entries => self.seek_start(head, |entry| entry.number() <= from)?,
            _ => Next::from(head.last),
        };
        Ok(Walk { history: self, balance: head.balance, next, along: Along::Entries })
    }

    /// Entries from newest to oldest, beginning with the newest not later than `until`.
    pub fn entries_until(&self, head: &Head, until: Timestamp) -> Result<Walk<'_>, HistoryError> {
        let next = self.seek_start(head, |entry| entry.time() <= until)?;
        Ok(Walk { history: self, balance: head.balance, next, along: Along::Entries })
    }

    /// Movements alone, from newest to oldest.
    pub fn movements(&self, head: &Head) -> Walk<'_> {
        let next = Next::from(head.last_movement);
        Walk { history: self, balance: head.balance, next, along: Along::Movements }
    }

    /// Movements alone, beginning with the one before the movement of this number.
    pub fn movements_before(&self, head: &Head, number: u64) -> Result<Walk<'_>, HistoryError> {
        let entry = self.entry_number(head, number)?;
        let next = Next::from(entry.map_or(EventRef::NONE, |entry| entry.link().movement));
        Ok(Walk { history: self, balance: head.balance, next, along: Along::Movements })
    }

    /// The entry of this number.
    pub fn entry_number(&self, head: &Head, number: u64) -> Result<Option<Entry>, HistoryError> {
        if number == 0 || number > head.entries {
            return Ok(None);
        }
        Ok(self.seek(head, |entry| entry.number() <= number)?.filter(|entry| entry.number() == number))
    }

    /// The newest entry not later than `instant`: the balance as it was then. Where that entry was removed,
    /// and `instant` is not before history begins, the balance was as [`History::anchored`] says.
    pub fn as_of(&self, head: &Head, instant: Timestamp) -> Result<Option<Entry>, HistoryError> {
        self.seek(head, |entry| entry.time() <= instant)
    }

    /// The balance as it was where history begins, if it begins later than the first event and the balance
    /// is that old. Reads the whole anchor: slow, and seldom needed.
    pub fn anchored(&self, balance: BalanceIndex) -> Result<Option<Balance>, HistoryError> {
        if self.reader.anchor().is_none() {
            return Ok(None);
        }
        Ok(snapshot::find_balance(self.reader.anchor_chunks()?, balance, &self.vault)?)
    }

    /// Where a walk starts. One that would start in what was removed ends there at once, and says so.
    fn seek_start(&self, head: &Head, reached: impl Fn(&Entry) -> bool) -> Result<Next, HistoryError> {
        match self.seek(head, reached) {
            Ok(entry) => Ok(Next::from(entry.map_or(EventRef::NONE, |entry| entry.at))),
            Err(HistoryError::Removed { until }) => Ok(Next::Removed(until)),
            Err(error) => Err(error),
        }
    }

    /// The newest entry for which `reached` holds, given that it holds for all before it: skips as far
    /// as it can without passing it, then hops.
    fn seek(&self, head: &Head, reached: impl Fn(&Entry) -> bool) -> Result<Option<Entry>, HistoryError> {
        let Some(last) = some(head.last) else { return Ok(None) };
        let mut here = self.entry(head.balance, last)?;
        if reached(&here) {
            return Ok(Some(here));
        }
        let mut skips = head.skips;
        loop {
            // The farthest landing place that is still short of the target.
            let mut landed = None;
            for skip in skips.iter().rev().copied().filter_map(some) {
                if skip >= here.at {
                    continue;
                }
                let there = match self.entry(head.balance, skip) {
                    // Too far, whether it is the target or not.
                    Err(HistoryError::Removed { .. }) => continue,
                    there => there?,
                };
                if !reached(&there) {
                    landed = Some(there);
                    break;
                }
            }
            if let Some(there) = landed {
                skips = there.link().skips;
                here = there;
                continue;
            }
            let Some(previous) = some(here.link().previous) else { return Ok(None) };
            let there = self.entry(head.balance, previous)?;
            if reached(&there) {
                return Ok(Some(there));
            }
            skips = there.link().skips;
            here = there;
        }
    }
}

fn some(at: EventRef) -> Option<EventRef> {
    (!at.is_none()).then_some(at)
}

/// Where a walk goes on.
#[derive(Clone, Copy)]
enum Next {
    At(EventRef),
    /// There was something, up to this instant.
    Removed(Timestamp),
    End,
}

impl From<EventRef> for Next {
    fn from(at: EventRef) -> Self {
        some(at).map_or(Self::End, Self::At)
    }
}

enum Along {
    Entries,
    Movements,
}

/// A walk towards the beginning. Where that was removed it ends with [`HistoryError::Removed`].
pub struct Walk<'a> {
    history: &'a History,
    balance: BalanceIndex,
    next: Next,
    along: Along,
}

impl Iterator for Walk<'_> {
    type Item = Result<Entry, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = match std::mem::replace(&mut self.next, Next::End) {
            Next::At(at) => at,
            Next::Removed(until) => return Some(Err(HistoryError::Removed { until })),
            Next::End => return None,
        };
        let entry = match self.history.entry(self.balance, at) {
            Ok(entry) => entry,
            Err(error) => return Some(Err(error)),
        };
        self.next = Next::from(match self.along {
            Along::Entries => entry.link().previous,
            Along::Movements => entry.link().movement,
        });
        Some(Ok(entry))
    }
}
