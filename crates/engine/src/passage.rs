//! All events in the order of the journal, for whoever derives something from them.

use std::sync::Arc;

use domain::Timestamp;
use journal::{Anchor, Group, Tail, Vault};
use ledger::{EventRef, Ledger};

use crate::History;
use crate::history::HistoryError;
use crate::record::{Item, Record};
use crate::snapshot;

/// The events of one group.
#[derive(Debug)]
pub struct Passage {
    /// The group itself, as a predecessor.
    pub tail: Tail,
    pub time: Timestamp,
    pub records: Vec<Record>,
}

/// Groups from one on, up to the tail as it was when this was made.
pub type Passages = Box<dyn Iterator<Item = Result<Passage, HistoryError>> + Send>;

impl History {
    /// The events of the group at `from` and of all that follow.
    pub fn passages(&self, from: u64) -> Result<Passages, HistoryError> {
        let vault = self.vault().clone();
        let scan = self.reader().scan(from)?;
        Ok(Box::new(scan.map(move |group| read(&group?, &vault))))
    }

    /// The state where the journal begins, if its oldest groups were removed: what later events say is
    /// said of this.
    pub fn beginning(&self) -> Result<Option<(Anchor, Ledger)>, HistoryError> {
        let Some(anchor) = self.reader().anchor() else { return Ok(None) };
        let loaded = snapshot::load_chunks(self.reader().anchor_chunks()?, self.vault())?;
        Ok(Some((anchor, loaded.ledger)))
    }
}

fn read(group: &Group, vault: &Arc<dyn Vault>) -> Result<Passage, HistoryError> {
    let header = group.header();
    let body = group.body();
    let (mut records, mut offset) = (Vec::with_capacity(header.events as usize), 0);
    while offset < body.len() {
        let at = EventRef::new(header.position, offset);
        let (item, length) = Item::read(&body[offset..], at, vault)?;
        if let Item::Record(record) = item {
            records.push(record);
        }
        offset += length;
    }
    Ok(Passage { tail: group.tail(), time: header.time, records })
}
