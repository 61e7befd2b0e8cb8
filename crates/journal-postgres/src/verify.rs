//! Reads everything there is of a book, row by row, and says what is not as it was written. Goes on behind
//! damage, so that one run names all of it. Changes nothing, and a server may run meanwhile.

use journal::{Damage, SnapshotId, Snapshots, Tail};
use tokio_postgres::error::SqlState;

use crate::book::{CLOSED_EVENTS, group_of};
use crate::database::Database;
use crate::error::{DatabaseError, OpenError};
use crate::lane::Lane;
use crate::row::Row;
use crate::schema;
use crate::snapshot::{PostgresSnapshots, SNAPSHOTS};

/// Rows read at once: no more than half of this in MiB.
const PAGE: i64 = 64;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The last group that could be read.
    pub tail: Tail,
    pub groups: u64,
    pub eras: usize,
    /// Whole ones, newest first.
    pub snapshots: Vec<SnapshotId>,
    /// Empty when all is well.
    pub damage: Vec<Damage>,
}

impl Verified {
    fn damaged(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        self.damage.push(Damage::new(place, reason));
    }
}

impl Database {
    /// Checks every group, the chain over all tables, every snapshot and key of a book.
    pub fn verify(&self, book: u32) -> Result<Verified, OpenError> {
        let session = self.session()?;
        schema::check(&*session)?;
        let rows = session.query("SELECT era FROM identity WHERE one = 1", &[])?;
        let newest = rows.first().ok_or(OpenError::NotInitialised)?.get::<i32>(0);
        let mut verified = Verified::default();
        let mut reading = Reading { lane: self.lane(), book: i64::from(book), is_closed: false };
        for era in 1..=newest {
            reading.era(era, &mut verified)?;
        }
        if verified.eras == 0 {
            return Err(OpenError::NoSuchBook(book));
        }
        reading.snapshots(&mut verified)?;
        reading.keys(&mut verified)?;
        Ok(verified)
    }
}

struct Reading<'a> {
    lane: &'a std::sync::Arc<Lane>,
    book: i64,
    /// The table that was read last ends with the row that closes it.
    is_closed: bool,
}

impl Reading<'_> {
    fn era(&mut self, era: i32, verified: &mut Verified) -> Result<(), DatabaseError> {
        let table = format!("journal_{era}");
        let sql = format!(
            "SELECT position, chain, events, body FROM {table} WHERE book = $1 AND position >= $2 \
             ORDER BY position LIMIT {PAGE}"
        );
        let (mut from, mut is_first) = (0i64, true);
        loop {
            let rows = self.lane.with(|session| session.query(&sql, &[&self.book, &from]));
            let rows = match rows {
                // Archived and dropped by the operator.
                Err(error) if error.has_code(&SqlState::UNDEFINED_TABLE) => return Ok(()),
                rows => rows?,
            };
            for row in &rows {
                self.row(row, &table, std::mem::take(&mut is_first), verified);
            }
            let Some(last) = rows.last() else { break };
            from = last.get::<i64>(0) + 1;
        }
        verified.eras += usize::from(!is_first);
        Ok(())
    }

    fn row(&mut self, row: &Row, table: &str, is_first: bool, verified: &mut Verified) {
        let position = row.get::<i64>(0) as u64;
        let place = format!("{table}, book {}, position {position}", self.book);
        if is_first {
            if verified.eras > 0 && !self.is_closed {
                verified.damaged(&place, "the table before it is not closed");
            }
            self.is_closed = false;
        } else if self.is_closed {
            verified.damaged(&place, "it stands behind the row that closes the table");
        }
        if row.get::<i32>(2) == CLOSED_EVENTS {
            self.is_closed = true;
            return;
        }
        if position == 0 {
            return;
        }
        let group = match group_of(row, 1, position, table, self.book) {
            Ok(group) => group,
            Err(error) => return verified.damaged(&place, reason_of(&error)),
        };
        if is_first && (verified.eras == 0 || group.tail() == verified.tail) {
            // A copy of the last group of the table before it.
            verified.tail = group.tail();
            return;
        }
        if !group.header().follows(&verified.tail) {
            let reason = match position.saturating_sub(verified.tail.position) {
                1 => "it does not follow the group before it".to_owned(),
                _ => format!("the group before it is position {}", verified.tail.position),
            };
            verified.damaged(&place, reason);
        }
        verified.groups += 1;
        verified.tail = group.tail();
    }

    fn snapshots(&self, verified: &mut Verified) -> Result<(), DatabaseError> {
        let snapshots = PostgresSnapshots { lane: self.lane.clone(), book: self.book, table: SNAPSHOTS };
        let (kept, broken) = snapshots.kept()?;
        for place in broken {
            verified.damaged(place, "its header does not check");
        }
        for kept in kept {
            let whole =
                snapshots.read(&kept.id).and_then(|mut chunks| chunks.try_for_each(|it| it.map(drop)));
            match whole {
                Ok(()) => verified.snapshots.push(kept.id),
                Err(error) => {
                    let place = format!("snapshot, book {}, position {}", self.book, kept.id.begun.position);
                    verified.damaged(place, error.to_string());
                }
            }
        }
        Ok(())
    }

    fn keys(&self, verified: &mut Verified) -> Result<(), DatabaseError> {
        let sql = "SELECT owner FROM vault WHERE book = $1 AND length(key) NOT IN (0, 32)";
        for row in self.lane.with(|session| session.query(sql, &[&self.book]))? {
            let place = format!("vault, book {}, owner {}", self.book, row.get::<i64>(0));
            verified.damaged(place, "its key is not as long as a key");
        }
        Ok(())
    }
}

/// What is wrong, without the place, which is said beside it.
fn reason_of(error: &journal::ReadError) -> String {
    match error {
        journal::ReadError::Damaged { reason, .. } => reason.to_string(),
        error => error.to_string(),
    }
}
