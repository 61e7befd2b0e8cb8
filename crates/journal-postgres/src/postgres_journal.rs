//! The journal itself: one guarded row per group, and what each answer of the database means.
//!
//! | the database says | it means | done |
//! |---|---|---|
//! | 1 row, no warning | durable | answered |
//! | 0 rows | the predecessor is gone or another's | history lost |
//! | 23505 | the position is taken | ours: a barrier behind it; else fenced |
//! | 40001, 40P01, 55P03, 57014 | certainly not done | the same again, a few times |
//! | lost, silent, 08xxx, 57P0x, 40003, 25006, any warning | unknown | another connection, the same again |
//! | 0 rows of a check | somebody appended, or replaced what was | fenced |
//! | 53100 | no room | full |
//! | anything else | a fault | the writer stops |
//!
//! Repeating is safe: the key lets one row stand at a position, and whose it is is asked. A row that an
//! earlier attempt left may be visible and on no standby, so it is acknowledged by what comes behind it:
//! an empty group, whose own acknowledgement makes all before it as durable.

mod eras;
mod looking;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use journal::{AppendError, Chain, Group, Header, Journal, ReadError, Reader, Room, Snapshots, Tail, Vault};

use crate::book::{Book, CLOSED_EVENTS, Era};
use crate::error::{DatabaseError, Meaning};
use crate::lane::Lane;
use crate::nodes;
use crate::options::Options;
use crate::reader::PostgresReader;
use crate::snapshot::PostgresSnapshots;
use crate::vault::PostgresVault;

/// Certain aborts in a row before it is a fault.
const ABORTS_MAX: u32 = 10;
const RETRY: Duration = Duration::from_millis(20);
const RETRY_MAX_DOUBLINGS: u32 = 5;

pub struct PostgresJournal {
    pub(crate) book: Arc<Book>,
    pub(crate) snapshots: Arc<PostgresSnapshots>,
    pub(crate) vault: Arc<PostgresVault>,
    /// Appends have a connection of their own.
    lane: Lane,
    options: Options,
    stopped: bool,
    /// Bytes in the open era, other books' included as they were when it was opened.
    era_bytes: u64,
    next_era_is_made: bool,
    pub(crate) written_anchor: Option<Tail>,
    /// Opening the next era failed: not tried again before this position.
    postponed: u64,
}

/// Which table a book is in, as far as its reader has looked.
#[derive(Clone)]
pub struct Whereabouts(Arc<Book>);

impl Whereabouts {
    pub fn era(&self) -> u32 {
        self.0.index().open_era().number
    }
}

/// A row that is to stand behind its predecessor.
struct Row<'a> {
    position: u64,
    chain: Chain,
    events: i32,
    body: &'a [u8],
    previous: Chain,
}

/// What became of it.
enum Landed {
    Acknowledged,
    /// It stands there, from an attempt whose outcome was unknown.
    Found,
    /// Another writer has closed the table.
    EraClosed,
}

impl PostgresJournal {
    pub(crate) fn new(
        book: Arc<Book>,
        snapshots: Arc<PostgresSnapshots>,
        vault: Arc<PostgresVault>,
        era_bytes: u64,
    ) -> Self {
        let lane = Lane::new(book.lane.connector());
        let options = lane.connector().options;
        Self {
            book,
            snapshots,
            vault,
            lane,
            options,
            stopped: false,
            era_bytes,
            next_era_is_made: false,
            written_anchor: None,
            postponed: 0,
        }
    }

    /// Which table it is in, wherever the journal goes.
    pub fn whereabouts(&self) -> Whereabouts {
        Whereabouts(self.book.clone())
    }

    /// The keys beside the journal.
    pub fn vault(&self) -> Arc<dyn Vault> {
        self.vault.clone()
    }

    fn append_settled(&mut self, group: &Group) -> Result<(), AppendError> {
        let until = self.now() + self.options.settle_timeout;
        self.look_after_era(until)?;
        let mut barrier = None;
        loop {
            let group = barrier.as_ref().unwrap_or(group);
            match self.put(&Row::of(group), until)? {
                Landed::Acknowledged => {
                    self.publish(group);
                    return Ok(());
                }
                Landed::Found => {
                    let behind = Group::seal(Group::buffer(), &group.tail(), group.header().time, 0);
                    barrier = Some(behind);
                }
                Landed::EraClosed => self.cross(until)?,
            }
        }
    }

    /// Only now may readers find it, and what stands before it.
    fn publish(&mut self, group: &Group) {
        self.book.keep(group);
        self.era_bytes += group.bytes().len() as u64;
        self.book.index_mut().tail = group.tail();
    }

    /// Puts a row until it is known what became of it.
    fn put(&mut self, row: &Row<'_>, until: Duration) -> Result<Landed, AppendError> {
        let position = row.position;
        let (mut attempt, mut aborts, mut in_doubt) = (0, 0, false);
        loop {
            let error = match self.insert(row) {
                Ok(1) => return Ok(Landed::Acknowledged),
                Ok(_) => return Err(AppendError::HistoryLost { position: position - 1 }),
                Err(error) => error,
            };
            match error.meaning() {
                Meaning::Taken => match self.whose(row) {
                    Ok(Some(landed)) => return landed,
                    // It is gone again: the host was replaced by one that never had it.
                    Ok(None) => {}
                    Err(error) => return Err(unknown(position, error)),
                },
                Meaning::Aborted if aborts < ABORTS_MAX => aborts += 1,
                Meaning::Unknown => in_doubt = true,
                _ if in_doubt => return Err(unknown(position, error)),
                Meaning::Full => return Err(AppendError::Full { position }),
                Meaning::Aborted | Meaning::Fault => {
                    return Err(AppendError::Fault { position, source: error.into() });
                }
            }
            if self.is_over(until) {
                return Err(match in_doubt {
                    true => unknown(position, error),
                    false => AppendError::Fault { position, source: error.into() },
                });
            }
            self.pause(self.delay(row, attempt));
            attempt += 1;
        }
    }

    fn now(&self) -> Duration {
        self.lane.connector().hosts.now()
    }

    fn pause(&self, time: Duration) {
        self.lane.connector().hosts.pause(time);
    }

    fn is_over(&self, until: Duration) -> bool {
        self.now() >= until || self.lane.connector().has_given_up()
    }

    /// One attempt: prepared, a single statement, its own transaction. The predecessor is bound as a
    /// parameter: as an expression over a column the planner chose badly.
    fn insert(&self, row: &Row<'_>) -> Result<u64, DatabaseError> {
        let session = self.lane.session()?;
        let table = self.era().table();
        let done = session.execute(
            &guarded_insert(&table),
            &[
                &self.book.number,
                &(row.position as i64),
                &row.chain.0.as_slice(),
                &row.events,
                &row.body,
                &(row.position as i64 - 1),
                &row.previous.0.as_slice(),
            ],
        );
        if done.as_ref().is_err_and(DatabaseError::ends_session) {
            self.lane.drop_session(&session);
        }
        done
    }

    /// Counts a check where the book still ends as this writer knows it; whether it does. It is a write,
    /// acknowledged like an append: a primary that was cut off answers plain reads for ever.
    fn check(&self) -> Result<bool, DatabaseError> {
        let tail = self.tail();
        let (position, session) = (tail.position as i64, self.lane.session()?);
        let sql = counted_check(&self.era().table());
        let done = match session.execute(&sql, &[&self.book.number, &position, &tail.chain.0.as_slice()]) {
            // There may be no row to count in yet.
            Ok(0) => nodes::ensure_lead(&*session, self.book.number).and_then(|()| {
                session.execute(&sql, &[&self.book.number, &position, &tail.chain.0.as_slice()])
            }),
            done => done,
        };
        if done.as_ref().is_err_and(DatabaseError::ends_session) {
            self.lane.drop_session(&session);
        }
        Ok(done? > 0)
    }

    /// Checks until there is an answer: a check may be repeated, for it changes nothing but a count.
    fn prove_settled(&self, until: Duration) -> Result<(), AppendError> {
        let position = self.tail().position;
        let mut attempt = 0;
        loop {
            let error = match self.check() {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(AppendError::Fenced { position }),
                Err(error) => error,
            };
            match error.meaning() {
                Meaning::Fault => return Err(AppendError::Fault { position, source: error.into() }),
                _ if self.is_over(until) => return Err(unknown(position, error)),
                _ => self.pause(RETRY * (1 << attempt.min(RETRY_MAX_DOUBLINGS))),
            }
            attempt += 1;
        }
    }

    /// Who stands at the row's position; None when nobody does.
    fn whose(&self, row: &Row<'_>) -> Result<Option<Result<Landed, AppendError>>, DatabaseError> {
        let sql =
            format!("SELECT chain, events FROM {} WHERE book = $1 AND position = $2", self.era().table());
        let rows =
            self.lane.with(|session| session.query(&sql, &[&self.book.number, &(row.position as i64)]))?;
        Ok(rows.first().map(|there| {
            if there.get::<&[u8]>(0) == row.chain.0 {
                Ok(Landed::Found)
            } else if there.get::<i32>(1) == CLOSED_EVENTS {
                Ok(Landed::EraClosed)
            } else {
                Err(AppendError::Fenced { position: row.position - 1 })
            }
        }))
    }

    /// Longer from attempt to attempt, and different for two writers: no two build the same group.
    fn delay(&self, row: &Row<'_>, attempt: u32) -> Duration {
        let doublings = attempt.min(RETRY_MAX_DOUBLINGS);
        let share = u32::from(row.chain.0[attempt as usize % row.chain.0.len()]);
        RETRY * (1 << doublings) * (128 + share) / 384
    }

    fn era(&self) -> Era {
        self.book.index().open_era()
    }

    /// Why a group that does not follow the tail was built: who stands there instead?
    fn misplaced(&self, header: &Header) -> AppendError {
        let position = header.position.saturating_sub(1);
        let ours = match position {
            0 => Chain::default(),
            _ if position > self.tail().position => return AppendError::HistoryLost { position },
            _ => match self.book.group(position) {
                Ok(group) => group.header().chain,
                Err(error) => {
                    return AppendError::Fault { position: header.position, source: io::Error::other(error) };
                }
            },
        };
        let is_ours = ours == header.previous && position < self.tail().position;
        if is_ours { AppendError::Fenced { position } } else { AppendError::HistoryLost { position } }
    }
}

impl<'a> Row<'a> {
    fn of(group: &'a Group) -> Self {
        let header = group.header();
        Self {
            position: header.position,
            chain: header.chain,
            events: i32::try_from(header.events).unwrap_or(i32::MAX),
            body: group.bytes(),
            previous: header.previous,
        }
    }
}

/// The statement that everything rests on.
pub(crate) fn guarded_insert(table: &str) -> String {
    format!(
        "INSERT INTO {table} (book, position, chain, events, body) \
         SELECT $1::int8, $2::int8, $3::bytea, $4::int4, $5::bytea \
         WHERE EXISTS (SELECT 1 FROM {table} WHERE book = $1 AND position = $6 AND chain = $7)"
    )
}

/// The predecessor is looked for by its hash too: another history may be as long as ours.
pub(crate) fn counted_check(table: &str) -> String {
    format!(
        "UPDATE lead SET checks = checks + 1 WHERE book = $1 \
         AND (SELECT max(position) FROM {table} WHERE book = $1) = $2 \
         AND EXISTS (SELECT 1 FROM {table} WHERE book = $1 AND position = $2 AND chain = $3)"
    )
}

fn over() -> io::Error {
    io::Error::other("an earlier append failed: open the journal again")
}

fn unknown(position: u64, error: DatabaseError) -> AppendError {
    AppendError::Unknown { position, source: error.into() }
}

impl Journal for PostgresJournal {
    fn tail(&self) -> Tail {
        self.book.index().tail
    }

    fn append(&mut self, group: &Group) -> Result<(), AppendError> {
        let header = group.header();
        let position = header.position;
        if self.stopped {
            return Err(AppendError::Fault { position, source: over() });
        }
        let done = if header.follows(&self.tail()) {
            self.append_settled(group)
        } else {
            Err(self.misplaced(&header))
        };
        self.stopped = !matches!(done, Ok(()) | Err(AppendError::Full { .. }));
        done
    }

    fn prove(&mut self) -> Result<(), AppendError> {
        let position = self.tail().position;
        if self.stopped {
            return Err(AppendError::Fault { position, source: over() });
        }
        let proven = self.prove_settled(self.now() + self.options.settle_timeout);
        self.stopped = proven.is_err();
        proven
    }

    fn look(&mut self) -> Result<Tail, ReadError> {
        self.look_again()
    }

    fn room(&self) -> Room {
        Room::Ample
    }

    /// Tables are closed and archived whole, by the operator.
    fn release_before(&mut self, _position: u64) {}

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(PostgresReader(self.book.clone()))
    }

    fn snapshots(&self) -> Arc<dyn Snapshots> {
        self.snapshots.clone()
    }
}

#[cfg(test)]
mod tests;
