//! Snapshots as rows: `chunks = 0` for what they hold, and last a header row that counts them.
//!
//! | row | body |
//! |---|---|
//! | chunks | check (32), then chunks as they were written: length (4), bytes |
//! | header | check of the rest (32), begun chain, ended position, ended chain, check of the checks |
//!
//! A snapshot whose header is not there does not count. Each attempt numbers its rows behind those of
//! earlier ones from the same position. Rows are written by a thread of their own, unless the
//! options say otherwise: a book that is being copied does not wait for them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use journal::{Chain, Chunks, SnapshotError, SnapshotId, SnapshotWriter, Snapshots, Tail};

use crate::error::{DatabaseError, Meaning};
use crate::lane::Lane;
use crate::options::Background;
use crate::row::Row;

const ROW_BYTES: usize = 512 * 1024;
/// Rows that may wait for the database.
const QUEUE_ROWS: usize = 32;
const CHECK_BYTES: usize = 32;
const HEADER_BYTES: usize = CHECK_BYTES + 32 + 8 + 32 + CHECK_BYTES;
/// Rows removed at once.
const REMOVE_ROWS: i32 = 64;

pub(crate) struct PostgresSnapshots {
    pub(crate) lane: Arc<Lane>,
    pub(crate) book: i64,
    /// Anchors are kept in the same way, elsewhere.
    pub(crate) table: &'static str,
}

pub(crate) const SNAPSHOTS: &str = "snapshot";

/// A complete snapshot, and the numbers of its rows.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) id: SnapshotId,
    first: i32,
    header: i32,
    check: [u8; CHECK_BYTES],
}

impl PostgresSnapshots {
    /// Complete ones, newest first, at most one from a position; and headers that do not check.
    pub(crate) fn kept(&self) -> Result<(Vec<Kept>, Vec<String>), DatabaseError> {
        let table = self.table;
        let sql = format!(
            "SELECT position, chunk, chunks, body FROM {table} WHERE book = $1 AND chunks > 0 \
             ORDER BY position DESC, chunk DESC"
        );
        let rows = self.lane.with(|session| session.query(&sql, &[&self.book]))?;
        let (mut kept, mut broken) = (Vec::<Kept>::new(), Vec::new());
        for row in &rows {
            match header_of(row) {
                Some(header) if kept.last().is_some_and(|last| last.id.begun == header.id.begun) => {}
                Some(header) => kept.push(header),
                None => {
                    broken.push(format!("{table}, book {}, position {}", self.book, row.get::<i64>(0)));
                }
            }
        }
        kept.truncate(2);
        Ok((kept, broken))
    }

    /// Drops what is older than the newest two. What is not finished stays if it is newer.
    fn remove_old(&self) -> Result<(), DatabaseError> {
        let (kept, _) = self.kept()?;
        let Some(oldest) = kept.get(1) else { return Ok(()) };
        let table = self.table;
        let sql = format!(
            "SELECT position, min(chunk), max(chunk) FROM {table} \
             WHERE book = $1 AND position < $2 GROUP BY position"
        );
        let before = oldest.id.begun.position as i64;
        let rows = self.lane.with(|session| session.query(&sql, &[&self.book, &before]))?;
        let older = rows.iter().map(|row| (row.get::<i64>(0), row.get(1), row.get(2)));
        let earlier = kept.iter().map(|it| (it.id.begun.position as i64, 1, it.first - 1));
        let remove =
            format!("DELETE FROM {table} WHERE book = $1 AND position = $2 AND chunk >= $3 AND chunk <= $4");
        for (position, first, last) in older.chain(earlier) {
            let mut from: i32 = first;
            while from <= last {
                let to = last.min(from.saturating_add(REMOVE_ROWS - 1));
                self.lane.with(|session| session.execute(&remove, &[&self.book, &position, &from, &to]))?;
                from = to + 1;
            }
        }
        Ok(())
    }
}

fn header_of(row: &Row) -> Option<Kept> {
    let (position, header, chunks) = (row.get::<i64>(0) as u64, row.get::<i32>(1), row.get::<i32>(2));
    let body: &[u8; HEADER_BYTES] = row.get::<&[u8]>(3).try_into().ok()?;
    if body[..CHECK_BYTES] != *blake3::hash(&body[CHECK_BYTES..]).as_bytes() {
        return None;
    }
    let chain = |at: usize| Some(Chain(body[at..at + 32].try_into().ok()?));
    let begun = Tail { position, chain: chain(32)? };
    let ended = Tail { position: u64::from_le_bytes(body[64..72].try_into().ok()?), chain: chain(72)? };
    let check = body[104..].try_into().ok()?;
    // The header counts itself.
    Some(Kept { id: SnapshotId { begun, ended }, first: header - chunks + 1, header, check })
}

fn fault(error: DatabaseError) -> SnapshotError {
    match error.meaning() {
        Meaning::Full => SnapshotError::Full,
        _ => SnapshotError::Fault(io::Error::from(error)),
    }
}

impl Snapshots for PostgresSnapshots {
    fn begin(&self, begun: Tail) -> Result<Box<dyn SnapshotWriter>, SnapshotError> {
        let position = begun.position as i64;
        let Self { book, table, .. } = *self;
        let rows = Rows { lane: self.lane.clone(), book, table, position, written: None };
        let to = match self.lane.connector().options.background {
            Background::Threads => Behind::start(rows)?,
            Background::Inline => To::Rows(Box::new(rows)),
        };
        let snapshots = Self { lane: self.lane.clone(), book, table };
        Ok(Box::new(PostgresSnapshotWriter { snapshots, begun, buffer: fresh_row(), to }))
    }

    fn list(&self) -> Result<Vec<SnapshotId>, SnapshotError> {
        let (kept, _) = self.kept().map_err(fault)?;
        Ok(kept.iter().map(|kept| kept.id).collect())
    }

    fn read(&self, id: &SnapshotId) -> Result<Chunks, SnapshotError> {
        let place = format!("{}, book {}, position {}", self.table, self.book, id.begun.position);
        let (kept, _) = self.kept().map_err(fault)?;
        let kept = kept.into_iter().find(|kept| kept.id == *id);
        let kept = kept.ok_or(SnapshotError::Damaged { place: place.clone() })?;
        Ok(Box::new(Reading {
            lane: self.lane.clone(),
            book: self.book,
            table: self.table,
            next: kept.first,
            kept,
            place,
            checks: blake3::Hasher::new(),
            chunks: VecDeque::new(),
            is_over: false,
        }))
    }
}

fn fresh_row() -> Vec<u8> {
    vec![0; CHECK_BYTES]
}

struct PostgresSnapshotWriter {
    snapshots: PostgresSnapshots,
    begun: Tail,
    buffer: Vec<u8>,
    to: To,
}

/// Where rows go.
enum To {
    Rows(Box<Rows>),
    Behind(Behind),
}

/// A thread that writes rows.
struct Behind {
    send: SyncSender<Vec<u8>>,
    thread: JoinHandle<Result<Rows, DatabaseError>>,
}

impl Behind {
    fn start(mut rows: Rows) -> io::Result<To> {
        let (send, receive) = sync_channel::<Vec<u8>>(QUEUE_ROWS);
        let thread = std::thread::Builder::new().name("snapshot".to_owned());
        let thread = thread.spawn(move || {
            receive.iter().try_for_each(|row| rows.write(row))?;
            Ok(rows)
        })?;
        Ok(To::Behind(Self { send, thread }))
    }
}

impl To {
    fn write(&mut self, row: Vec<u8>) -> Result<(), SnapshotError> {
        match self {
            Self::Rows(rows) => rows.write(row).map_err(fault),
            Self::Behind(behind) => {
                let stopped = |_| io::Error::other("an earlier row of the snapshot could not be written");
                Ok(behind.send.send(row).map_err(stopped)?)
            }
        }
    }

    /// All of them are there.
    fn finish(self) -> Result<Rows, SnapshotError> {
        match self {
            Self::Rows(rows) => Ok(*rows),
            Self::Behind(Behind { send, thread }) => {
                drop(send);
                let rows = thread.join().map_err(|_| io::Error::other("the thread that writes it ended"))?;
                rows.map_err(fault)
            }
        }
    }
}

/// The rows of one snapshot.
struct Rows {
    lane: Arc<Lane>,
    book: i64,
    table: &'static str,
    position: i64,
    written: Option<Written>,
}

struct Written {
    /// Number of the row to come.
    next: i32,
    rows: i32,
    checks: blake3::Hasher,
}

impl Rows {
    fn write(&mut self, mut row: Vec<u8>) -> Result<(), DatabaseError> {
        let check = seal(&mut row);
        let mut written = self.so_far()?;
        self.insert(written.next, 0, &row)?;
        written.checks.update(&check);
        written.next += 1;
        written.rows += 1;
        self.written = Some(written);
        Ok(())
    }

    /// What was written, numbered behind the rows of earlier attempts.
    fn so_far(&mut self) -> Result<Written, DatabaseError> {
        if let Some(written) = self.written.take() {
            return Ok(written);
        }
        let sql = format!("SELECT max(chunk) FROM {} WHERE book = $1 AND position = $2", self.table);
        let last = self.lane.with(|session| session.query(&sql, &[&self.book, &self.position]))?;
        let last = last.first().and_then(|row| row.get::<Option<i32>>(0)).unwrap_or(0);
        Ok(Written { next: last + 1, rows: 0, checks: blake3::Hasher::new() })
    }

    /// A row that is there already is an earlier attempt's of ours, or somebody else's: then it differs.
    fn insert(&self, chunk: i32, chunks: i32, body: &[u8]) -> Result<(), DatabaseError> {
        let table = self.table;
        let insert =
            format!("INSERT INTO {table} (book, position, chunk, chunks, body) VALUES ($1, $2, $3, $4, $5)");
        let there = format!(
            "SELECT substring(body FROM 1 FOR 32) FROM {table} \
             WHERE book = $1 AND position = $2 AND chunk = $3"
        );
        self.lane.with(|session| {
            let done = session.execute(&insert, &[&self.book, &self.position, &chunk, &chunks, &body]);
            let Err(taken) = done else { return Ok(()) };
            if taken.meaning() != Meaning::Taken {
                return Err(taken);
            }
            let rows = session.query(&there, &[&self.book, &self.position, &chunk])?;
            let is_ours = rows.first().is_some_and(|row| row.get::<&[u8]>(0) == &body[..CHECK_BYTES]);
            if is_ours { Ok(()) } else { Err(taken) }
        })
    }
}

/// Puts the check of what follows in front of it.
fn seal(row: &mut [u8]) -> [u8; CHECK_BYTES] {
    let check = *blake3::hash(&row[CHECK_BYTES..]).as_bytes();
    row[..CHECK_BYTES].copy_from_slice(&check);
    check
}

impl SnapshotWriter for PostgresSnapshotWriter {
    fn chunk(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < ROW_BYTES {
            return Ok(());
        }
        self.to.write(std::mem::replace(&mut self.buffer, fresh_row()))
    }

    fn finish(self: Box<Self>, ended: Tail) -> Result<SnapshotId, SnapshotError> {
        let Self { snapshots, begun, buffer, mut to } = *self;
        if buffer.len() > CHECK_BYTES {
            to.write(buffer)?;
        }
        let mut rows = to.finish()?;
        let written = rows.so_far().map_err(fault)?;
        let mut header = fresh_row();
        header.extend_from_slice(&begun.chain.0);
        header.extend_from_slice(&ended.position.to_le_bytes());
        header.extend_from_slice(&ended.chain.0);
        header.extend_from_slice(written.checks.finalize().as_bytes());
        seal(&mut header);
        rows.insert(written.next, written.rows + 1, &header).map_err(fault)?;
        // It is complete. What could not be removed now is removed after the next one.
        drop(snapshots.remove_old());
        Ok(SnapshotId { begun, ended })
    }
}

struct Reading {
    lane: Arc<Lane>,
    book: i64,
    table: &'static str,
    kept: Kept,
    next: i32,
    place: String,
    checks: blake3::Hasher,
    chunks: VecDeque<Vec<u8>>,
    is_over: bool,
}

impl Reading {
    fn damaged(&self) -> SnapshotError {
        SnapshotError::Damaged { place: format!("{}, chunk {}", self.place, self.next) }
    }

    /// The next chunk; None behind the last.
    fn step(&mut self) -> Result<Option<Vec<u8>>, SnapshotError> {
        while self.chunks.is_empty() {
            if self.next == self.kept.header {
                let whole = *self.checks.finalize().as_bytes() == self.kept.check;
                return if whole { Ok(None) } else { Err(self.damaged()) };
            }
            self.fetch()?;
            self.next += 1;
        }
        Ok(self.chunks.pop_front())
    }

    fn fetch(&mut self) -> Result<(), SnapshotError> {
        let sql = format!("SELECT body FROM {} WHERE book = $1 AND position = $2 AND chunk = $3", self.table);
        let position = self.kept.id.begun.position as i64;
        let rows = self.lane.with(|session| session.query(&sql, &[&self.book, &position, &self.next]));
        let rows = rows.map_err(fault)?;
        let body: &[u8] = rows.first().map(|row| row.get(0)).ok_or_else(|| self.damaged())?;
        let (check, mut rest) = body.split_at_checked(CHECK_BYTES).ok_or_else(|| self.damaged())?;
        if check != blake3::hash(rest).as_bytes() {
            return Err(self.damaged());
        }
        self.checks.update(check);
        while let Some((length, more)) = rest.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            let (chunk, more) = more.split_at_checked(length).ok_or_else(|| self.damaged())?;
            self.chunks.push_back(chunk.to_vec());
            rest = more;
        }
        Ok(())
    }
}

impl Iterator for Reading {
    type Item = Result<Vec<u8>, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let step = self.step();
        self.is_over = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}
