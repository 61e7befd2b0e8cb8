//! Where a book begins whose oldest tables were dropped.
//!
//! An anchor is kept like a snapshot, in a table of its own: first what an anchor says besides its position,
//! then the state. It counts once the row of the book names it.

use std::sync::Arc;

use domain::Timestamp;
use journal::{Anchor, Chunks, ReadError, Retention, SnapshotError, SnapshotId, Snapshots, Tail};

use crate::Database;
use crate::error::{DatabaseError, OpenError};
use crate::hosts::Session;
use crate::lane::Lane;
use crate::postgres_journal::PostgresJournal;
use crate::snapshot::PostgresSnapshots;

const ANCHORS: &str = "anchor";
/// Era, time, digest.
const WORD_BYTES: usize = 8 + 8 + 32;

/// The anchors of one book.
pub(crate) fn anchors(lane: Arc<Lane>, book: i64) -> PostgresSnapshots {
    PostgresSnapshots { lane, book, table: ANCHORS }
}

/// The anchor that a book begins at, if its oldest tables were dropped.
pub(crate) fn load(session: &dyn Session, lane: &Arc<Lane>, book: i64) -> Result<Option<Anchor>, OpenError> {
    let rows = session.query("SELECT anchor FROM book WHERE book = $1", &[&book])?;
    let position = rows.first().map_or(0, |row| row.get::<i64>(0) as u64);
    if position == 0 {
        return Ok(None);
    }
    let damaged = |reason: String| OpenError::Damaged {
        place: format!("{ANCHORS}, book {book}, position {position}"),
        reason,
    };
    match find(&anchors(lane.clone(), book), position) {
        Ok(Some((anchor, _))) => Ok(Some(anchor)),
        Ok(None) => Err(damaged("the book begins there, and it is not there".to_owned())),
        Err(error) => Err(damaged(error.to_string())),
    }
}

/// The anchor at a position, and the state there.
fn find(anchors: &PostgresSnapshots, position: u64) -> Result<Option<(Anchor, Chunks)>, SnapshotError> {
    let found = anchors.list()?.into_iter().find(|id| id.begun.position == position);
    found.map(|id| read(anchors, &id)).transpose()
}

fn read(anchors: &PostgresSnapshots, id: &SnapshotId) -> Result<(Anchor, Chunks), SnapshotError> {
    let place = || format!("{ANCHORS}, book {}, position {}", anchors.book, id.begun.position);
    let mut chunks = anchors.read(id)?;
    let word = chunks.next().transpose()?.filter(|word| word.len() == WORD_BYTES);
    let word = word.ok_or_else(|| SnapshotError::Damaged { place: place() })?;
    let number = |at: usize| u64::from_le_bytes(word[at..at + 8].try_into().expect("eight bytes"));
    let anchor = Anchor {
        tail: id.begun,
        archive: number(0),
        time: Timestamp::from_micros(number(8) as i64),
        digest: word[16..].try_into().expect("what is left"),
    };
    Ok((anchor, chunks))
}

/// The state at the anchor of a book.
pub(crate) fn chunks(lane: &Arc<Lane>, book: i64, anchor: &Anchor) -> Result<Chunks, SnapshotError> {
    let found = find(&anchors(lane.clone(), book), anchor.tail.position)?;
    let place = || format!("{ANCHORS}, book {book}, position {}", anchor.tail.position);
    let (found, chunks) = found.ok_or_else(|| SnapshotError::Damaged { place: place() })?;
    if found == *anchor { Ok(chunks) } else { Err(SnapshotError::Damaged { place: place() }) }
}

/// Why a position is not there, if it was removed.
pub(crate) fn removed(anchor: Option<&Anchor>, position: u64) -> Option<ReadError> {
    let anchor = anchor.filter(|anchor| position <= anchor.tail.position && position > 0)?;
    Some(ReadError::Removed { position, anchor: *anchor })
}

impl Database {
    /// Anchors that wait for whoever leads a book to name them in its journal: above the one that it begins at.
    pub fn asked_anchors(&self) -> Result<Vec<(u32, Anchor)>, SnapshotError> {
        let sql = "SELECT anchor.book, anchor.position FROM anchor JOIN book ON book.book = anchor.book \
                   WHERE anchor.chunks > 0 AND anchor.position > book.anchor";
        let rows = self.lane().with(|session| session.query(sql, &[]));
        let rows = rows.map_err(|error| SnapshotError::Fault(error.into()))?;
        let mut asked = Vec::new();
        for row in &rows {
            let (book, position) = (row.get::<i64>(0), row.get::<i64>(1) as u64);
            if let Some((anchor, _)) = find(&anchors(self.lane().clone(), book), position)? {
                asked.push((book as u32, anchor));
            }
        }
        Ok(asked)
    }
}

impl Retention for PostgresJournal {
    fn write_anchor(
        &mut self,
        anchor: &Anchor,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), SnapshotError> {
        let anchors = anchors(self.snapshots.lane.clone(), self.book.number);
        let mut word = Vec::with_capacity(WORD_BYTES);
        word.extend_from_slice(&anchor.archive.to_le_bytes());
        word.extend_from_slice(&anchor.time.as_micros().to_le_bytes());
        word.extend_from_slice(&anchor.digest);
        let mut writer = anchors.begin(anchor.tail)?;
        writer.chunk(&word)?;
        for chunk in chunks {
            writer.chunk(&chunk)?;
        }
        writer.finish(anchor.tail)?;
        self.written_anchor = Some(anchor.tail);
        Ok(())
    }

    /// The tables themselves are dropped once all books begin behind them.
    fn cut(&mut self) -> Result<(), SnapshotError> {
        let nothing = || std::io::Error::other("no anchor was written");
        let Tail { position, .. } = self.written_anchor.take().ok_or_else(nothing)?;
        self.name_anchor(position).map_err(|error| SnapshotError::Fault(error.into()))
    }
}

impl PostgresJournal {
    fn name_anchor(&self, position: u64) -> Result<(), DatabaseError> {
        let sql = "UPDATE book SET anchor = $2 WHERE book = $1 AND anchor < $2";
        let lane = &self.snapshots.lane;
        lane.with(|session| session.execute(sql, &[&self.book.number, &(position as i64)])).map(drop)
    }
}
