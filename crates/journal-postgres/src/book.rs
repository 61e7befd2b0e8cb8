//! What is known of one book: where it ends, and which table holds which position.

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use journal::{Anchor, Chain, Group, GroupError, ReadError, Tail};
use tokio_postgres::error::SqlState;

use crate::anchor;
use crate::cache::Cache;
use crate::error::{DatabaseError, OpenError};
use crate::hosts::Session;
use crate::lane::Lane;
use crate::local_copy::LocalCopy;
use crate::row::Row;

/// Stands in `events` of the row that closes a table for its book.
pub(crate) const CLOSED_EVENTS: i32 = -1;
/// Stands in `chain` of that row: no group hashes to it.
pub(crate) const CLOSED: Chain = Chain([0xff; 32]);

/// Shared by a journal and its readers.
pub(crate) struct Book {
    pub(crate) lane: Arc<Lane>,
    pub(crate) number: i64,
    pub(crate) cache: Cache,
    pub(crate) copy: Option<Arc<LocalCopy>>,
    index: RwLock<Index>,
}

#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) tail: Tail,
    /// In order; the last is the one that is appended to.
    pub(crate) eras: Vec<Era>,
    /// The newest table there was when the book was opened.
    pub(crate) newest: u32,
    /// Where it begins, if its oldest tables were dropped.
    pub(crate) anchor: Option<Anchor>,
}

/// A table, from the book's point of view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Era {
    pub(crate) number: u32,
    /// Its first row: a copy of the last group of the era before, so that the guard holds; in the
    /// first era the row of position 0.
    pub(crate) guard: u64,
}

impl Era {
    pub(crate) fn table(self) -> String {
        format!("journal_{}", self.number)
    }
}

impl Index {
    pub(crate) fn open_era(&self) -> Era {
        *self.eras.last().expect("a book has an era")
    }

    /// The era that holds a position above its guard, and the last position it can hold.
    pub(crate) fn era_of(&self, position: u64) -> Option<(Era, u64)> {
        let at = self.eras.iter().rposition(|era| era.guard < position)?;
        let last = self.eras.get(at + 1).map_or(self.tail.position, |next| next.guard);
        Some((self.eras[at], last))
    }
}

impl Book {
    pub(crate) fn new(
        lane: Arc<Lane>,
        number: i64,
        cache_bytes: usize,
        copy: Option<Arc<LocalCopy>>,
        index: Index,
    ) -> Self {
        Self { lane, number, cache: Cache::new(cache_bytes), copy, index: RwLock::new(index) }
    }

    /// Remembers what the database has confirmed.
    pub(crate) fn keep(&self, group: &Group) {
        self.cache.keep(group.header().position, group.bytes());
        if let Some(copy) = &self.copy {
            copy.keep(group);
        }
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().expect("no holder of this lock panics")
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().expect("no holder of this lock panics")
    }
}

/// Reads where a book ends. Nothing of it is durable before a barrier was appended behind it.
pub(crate) fn load(session: &dyn Session, lane: &Arc<Lane>, book: u32) -> Result<Index, OpenError> {
    let number = i64::from(book);
    let newest = session.query("SELECT era FROM identity WHERE one = 1", &[])?;
    let newest = newest.first().ok_or(OpenError::NotInitialised)?.get::<i32>(0) as u32;
    let (mut eras, mut tail) = (Vec::new(), None);
    for era in 1..=newest {
        let Some(found) = ends(session, era, number)? else { continue };
        eras.push(Era { number: era, guard: found.0 });
        tail = Some(found.1);
    }
    let tail = tail.ok_or(OpenError::NoSuchBook(book))?;
    let anchor = anchor::load(session, lane, number)?;
    Ok(Index { tail, eras, newest, anchor })
}

/// The guard of an era and the last group in it, if the book has come to it and it was not dropped.
fn ends(session: &dyn Session, era: u32, number: i64) -> Result<Option<(u64, Tail)>, OpenError> {
    let table = format!("journal_{era}");
    let first = format!("SELECT position FROM {table} WHERE book = $1 ORDER BY position LIMIT 1");
    let first = match session.query(&first, &[&number]) {
        Err(error) if error.has_code(&SqlState::UNDEFINED_TABLE) => return Ok(None),
        first => first?,
    };
    let Some(guard) = first.first().map(|row| row.get::<i64>(0) as u64) else { return Ok(None) };
    let last = format!(
        "SELECT position, chain, events, body FROM {table} \
         WHERE book = $1 AND events <> {CLOSED_EVENTS} ORDER BY position DESC LIMIT 1"
    );
    let rows = session.query(&last, &[&number])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let position = row.get::<i64>(0) as u64;
    if position == 0 {
        return Ok(Some((guard, Tail::default())));
    }
    let group = group_of(row, 1, position, &table, number);
    let damaged = |error: ReadError| match error {
        ReadError::Damaged { place, reason, .. } => OpenError::Damaged { place, reason: reason.to_string() },
        error => OpenError::Damaged { place: table.clone(), reason: error.to_string() },
    };
    Ok(Some((guard, group.map_err(damaged)?.tail())))
}

/// The group in a row of `chain, events, body` from column `from` on, held against its own hash and
/// against what stands beside it.
pub(crate) fn group_of(
    row: &Row,
    from: usize,
    position: u64,
    table: &str,
    book: i64,
) -> Result<Group, ReadError> {
    let damaged = |reason| {
        let place = format!("{table}, book {book}, position {position}");
        ReadError::Damaged { position, place, reason }
    };
    let group = Group::parse(row.get(from + 2)).map_err(damaged)?;
    let header = group.header();
    if header.position != position {
        return Err(damaged(GroupError::Unchained));
    }
    let events = i32::try_from(header.events).unwrap_or(i32::MAX);
    if row.get::<&[u8]>(from) != header.chain.0 || row.get::<i32>(from + 1) != events {
        return Err(damaged(GroupError::Hash));
    }
    Ok(group)
}

impl Book {
    /// Why a position could not be read: somebody may have dropped its table meanwhile.
    pub(crate) fn read_fault(&self, position: u64, error: DatabaseError) -> ReadError {
        if error.has_code(&SqlState::UNDEFINED_TABLE) {
            self.look_where_it_begins();
            if let Some(removed) = anchor::removed(self.index().anchor.as_ref(), position) {
                return removed;
            }
        }
        ReadError::Fault { position, source: error.into() }
    }

    /// Tables before the anchor are gone, or will be.
    fn look_where_it_begins(&self) {
        let lane = Arc::new(Lane::new(self.lane.connector()));
        let Ok(session) = lane.session() else { return };
        if let Ok(Some(anchor)) = anchor::load(&*session, &lane, self.number) {
            let mut index = self.index_mut();
            index.anchor = Some(anchor);
            index.eras.retain(|era| era.guard >= anchor.tail.position);
        }
    }
}
