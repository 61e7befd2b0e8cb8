//! Reads from any thread: what was last written or read from memory, the rest in one round trip each.

use std::collections::VecDeque;
use std::sync::Arc;

use journal::{
    Anchor, Archive, Chunks, GROUP_BYTES_MAX, Group, GroupError, HEADER_BYTES, ReadError, Reader, Scan,
    SnapshotError, Tail,
};

use crate::anchor;
use crate::book::{Book, Era, group_of};
use crate::lane::Lane;

/// Groups asked for at once at first. Then as many as make about [`SCAN_BYTES`].
const SCAN_GROUPS: u64 = 32;
const SCAN_GROUPS_MAX: u64 = 8_192;
const SCAN_BYTES: usize = 4 << 20;

impl Book {
    fn era_of(&self, position: u64) -> Result<Era, ReadError> {
        let index = self.index();
        if let Some(removed) = anchor::removed(index.anchor.as_ref(), position) {
            return Err(removed);
        }
        let found = if position > index.tail.position { None } else { index.era_of(position) };
        found.map(|(era, _)| era).ok_or(ReadError::Missing { position })
    }

    pub(crate) fn group(&self, position: u64) -> Result<Group, ReadError> {
        let table = self.era_of(position)?.table();
        if let Some(kept) = self.cache.find(position)
            && let Ok(group) = Group::parse(kept.to_vec())
        {
            return Ok(group);
        }
        if let Some(group) = self.copied(position) {
            return Ok(group);
        }
        let sql = format!("SELECT chain, events, body FROM {table} WHERE book = $1 AND position = $2");
        let rows = self.lane.with(|session| session.query(&sql, &[&self.number, &(position as i64)]));
        let rows = rows.map_err(|error| self.read_fault(position, error))?;
        let row = rows.first().ok_or(ReadError::Missing { position })?;
        let group = group_of(row, 0, position, &table, self.number)?;
        self.keep(&group);
        Ok(group)
    }

    /// The group from this machine's disk.
    fn copied(&self, position: u64) -> Option<Group> {
        let group = self.copy.as_ref()?.find(position)?;
        self.cache.keep(position, group.bytes());
        Some(group)
    }
}

/// Readers of one book.
pub(crate) struct PostgresReader(pub(crate) Arc<Book>);

impl Reader for PostgresReader {
    fn tail(&self) -> Tail {
        self.0.index().tail
    }

    fn group(&self, position: u64) -> Result<Group, ReadError> {
        self.0.group(position)
    }

    fn slice(
        &self,
        position: u64,
        offset: usize,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let book = &self.0;
        let era = book.era_of(position)?;
        let start = HEADER_BYTES + offset.min(GROUP_BYTES_MAX);
        let mut copy = |group: &[u8]| {
            let start = start.min(group.len());
            let end = start.saturating_add(length).min(group.len());
            into.extend_from_slice(&group[start..end]);
        };
        if let Some(group) = book.cache.find(position) {
            copy(&group);
            return Ok(());
        }
        if let Some(group) = book.copied(position) {
            copy(group.bytes());
            return Ok(());
        }
        let sql = format!(
            "SELECT substring(body FROM $3 FOR $4) FROM {} WHERE book = $1 AND position = $2",
            era.table()
        );
        let (first, length) = ((start + 1) as i32, length.min(GROUP_BYTES_MAX) as i32);
        let rows = book
            .lane
            .with(|session| session.query(&sql, &[&book.number, &(position as i64), &first, &length]));
        let rows = rows.map_err(|error| book.read_fault(position, error))?;
        let row = rows.first().ok_or(ReadError::Missing { position })?;
        into.extend_from_slice(row.get(0));
        Ok(())
    }

    fn scan(&self, from: u64) -> Result<Scan, ReadError> {
        let end = self.tail();
        if from == 0 || from > end.position + 1 {
            return Err(ReadError::Missing { position: from });
        }
        if let Some(removed) = anchor::removed(self.0.index().anchor.as_ref(), from) {
            return Err(removed);
        }
        Ok(Box::new(Scanning {
            book: self.0.clone(),
            next: from,
            end,
            tail: None,
            fetched: VecDeque::new(),
            count: SCAN_GROUPS,
        }))
    }

    fn archives(&self) -> Vec<Archive> {
        Vec::new()
    }

    fn anchor(&self) -> Option<Anchor> {
        self.0.index().anchor
    }

    fn anchor_chunks(&self) -> Result<Chunks, SnapshotError> {
        let anchor = self.anchor().ok_or_else(|| SnapshotError::Damaged { place: "no anchor".to_owned() })?;
        let lane = Arc::new(Lane::new(self.0.lane.connector()));
        anchor::chunks(&lane, self.0.number, &anchor)
    }

    fn sidecar(&self, archive: &Archive) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Missing { position: archive.first })
    }
}

/// The groups up to the tail at the time it began. It ends with the first error.
struct Scanning {
    book: Arc<Book>,
    next: u64,
    end: Tail,
    tail: Option<Tail>,
    fetched: VecDeque<Group>,
    count: u64,
}

impl Scanning {
    fn fetch(&mut self) -> Result<(), ReadError> {
        let position = self.next;
        let era = self.book.era_of(position)?;
        let (_, last) = self.book.index().era_of(position).ok_or(ReadError::Missing { position })?;
        let last = last.min(self.end.position).min(position + self.count - 1);
        let table = era.table();
        let sql = format!(
            "SELECT position, chain, events, body FROM {table} \
             WHERE book = $1 AND position >= $2 AND position <= $3 ORDER BY position"
        );
        let (book, number) = (&self.book, self.book.number);
        let rows =
            book.lane.with(|session| session.query(&sql, &[&number, &(position as i64), &(last as i64)]));
        let mut bytes = 0;
        for row in rows.map_err(|error| book.read_fault(position, error))? {
            let group = group_of(&row, 1, row.get::<i64>(0) as u64, &table, number)?;
            bytes += group.bytes().len();
            if let Some(copy) = &self.book.copy {
                copy.keep(&group);
            }
            self.fetched.push_back(group);
        }
        let each = bytes / self.fetched.len().max(1) + 1;
        self.count = ((SCAN_BYTES / each) as u64).clamp(1, SCAN_GROUPS_MAX);
        Ok(())
    }

    /// The next group from this machine's disk. One that does not fit is of another history.
    fn at_hand(&self) -> Option<Group> {
        let copy = self.book.copy.as_ref()?;
        let group = copy.find(self.next)?;
        // The last one as the database has it.
        let is_theirs = group.header().position != self.end.position || group.tail() == self.end;
        if is_theirs && self.follows(&group) {
            return Some(group);
        }
        copy.discard();
        None
    }

    fn follows(&self, group: &Group) -> bool {
        self.tail.is_none_or(|tail| group.header().follows(&tail))
    }

    fn step(&mut self) -> Result<Group, ReadError> {
        let position = self.next;
        let copied = if self.fetched.is_empty() { self.at_hand() } else { None };
        let group = match copied {
            Some(group) => group,
            None => {
                if self.fetched.is_empty() {
                    self.fetch()?;
                }
                self.fetched.pop_front().ok_or(ReadError::Missing { position })?
            }
        };
        if group.header().position != position {
            return Err(ReadError::Missing { position });
        }
        if !self.follows(&group) {
            let place = format!("behind position {}", position - 1);
            return Err(ReadError::Damaged { position, place, reason: GroupError::Unchained });
        }
        self.tail = Some(group.tail());
        self.next += 1;
        Ok(group)
    }
}

impl Iterator for Scanning {
    type Item = Result<Group, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.end.position {
            return None;
        }
        let group = self.step();
        if group.is_err() {
            self.next = u64::MAX;
        }
        Some(group)
    }
}
