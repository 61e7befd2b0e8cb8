//! The rows by which nodes find each other and agree who leads. They are advice: whatever stands in
//! them, the journal's key and hash decide who appends.
//!
//! A node is one run of a process, so a node that was restarted is another one. Nobody who waits for a
//! leader compares clocks: a row carries a count that its owner raises, and a reader sees whether it moves.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::Database;
use crate::error::DatabaseError;
use crate::hosts::Session;
use crate::lane::Lane;
use crate::row::Row;

pub type NodeId = [u8; 16];

/// Stands in place of the leader's id when the leader has handed over and nobody has taken over yet.
const NOBODY: Uuid = Uuid::nil();

/// Who leads a book, as far as the rows say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// None: handed over, and nobody has taken over yet.
    pub node: Option<NodeId>,
    /// Moves while the leader lives.
    pub beats: i64,
    /// Where other nodes reach the leader; none, if it is unknown or reached by nobody.
    pub address: Option<String>,
}

impl Lead {
    fn holder(&self) -> Uuid {
        self.node.map_or(NOBODY, Uuid::from_bytes)
    }
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    pub node: NodeId,
    pub address: String,
    pub beats: i64,
}

/// One node's view of the rows, on a connection of its own.
pub struct Nodes {
    lane: Lane,
    me: Uuid,
    address: String,
    version: String,
}

impl Nodes {
    /// `address` is where other nodes reach this one; empty, if they do not.
    pub fn new(database: &Database, me: NodeId, address: &str, version: &str) -> Self {
        Self {
            lane: Lane::new(database.connector()),
            me: Uuid::from_bytes(me),
            address: address.to_owned(),
            version: version.to_owned(),
        }
    }

    /// This node is there, and lives.
    pub fn beat(&self) -> Result<(), DatabaseError> {
        self.once(|session| {
            let update = "UPDATE node SET address = $2, version = $3, beats = beats + 1 WHERE node = $1";
            let insert = "INSERT INTO node (node, address, version, beats) VALUES ($1, $2, $3, 0)";
            match session.execute(update, &[&self.me, &self.address, &self.version])? {
                0 => session.execute(insert, &[&self.me, &self.address, &self.version]),
                rows => Ok(rows),
            }
        })
        .map(drop)
    }

    /// This node is going.
    pub fn leave(&self) -> Result<(), DatabaseError> {
        self.forget(*self.me.as_bytes())
    }

    /// A node is gone.
    pub fn forget(&self, node: NodeId) -> Result<(), DatabaseError> {
        let node = Uuid::from_bytes(node);
        self.once(|session| session.execute("DELETE FROM node WHERE node = $1", &[&node])).map(drop)
    }

    /// All nodes but this one, living or not.
    pub fn others(&self) -> Result<Vec<NodeRow>, DatabaseError> {
        let sql = "SELECT node, address, beats FROM node WHERE node <> $1";
        let rows = self.once(|session| session.query(sql, &[&self.me]))?;
        let row = |row: &Row| NodeRow {
            node: *row.get::<Uuid>(0).as_bytes(),
            address: row.get(1),
            beats: row.get(2),
        };
        Ok(rows.iter().map(row).collect())
    }

    /// Who leads which book; a book that nobody ever led is not among them.
    pub fn leads(&self) -> Result<BTreeMap<u32, Lead>, DatabaseError> {
        let sql = "SELECT lead.book, lead.node, lead.beats, node.address FROM lead \
                   LEFT JOIN node ON node.node = lead.node";
        let rows = self.once(|session| session.query(sql, &[]))?;
        let lead = |row: &Row| {
            let holder: Uuid = row.get(1);
            let lead = Lead {
                node: (holder != NOBODY).then(|| *holder.as_bytes()),
                beats: row.get(2),
                address: row.get::<Option<String>>(3).filter(|address| !address.is_empty()),
            };
            Some((u32::try_from(row.get::<i64>(0)).ok()?, lead))
        };
        Ok(rows.iter().filter_map(lead).collect())
    }

    /// Takes the lead from whom it was seen with; false if somebody else was faster.
    pub fn take(&self, book: u32, from: Option<&Lead>) -> Result<bool, DatabaseError> {
        let book = i64::from(book);
        let Some(from) = from else {
            self.once(|session| ensure_lead(session, book))?;
            return self.swap(book, NOBODY, None);
        };
        let is_taken = self.swap(book, from.holder(), Some(from.beats))?;
        if let (true, Some(node)) = (is_taken, from.node) {
            // Should it live after all, it comes back with its next beat.
            self.forget(node)?;
        }
        Ok(is_taken)
    }

    fn swap(&self, book: i64, from: Uuid, beats: Option<i64>) -> Result<bool, DatabaseError> {
        let sql = "UPDATE lead SET node = $2, beats = beats + 1 \
                   WHERE book = $1 AND node = $3 AND beats = COALESCE($4, beats)";
        let rows = self.once(|session| session.execute(sql, &[&book, &self.me, &from, &beats]))?;
        Ok(rows > 0)
    }

    /// The leader of these books lives. Rows that name another stay as they are.
    pub fn keep(&self, books: &[u32]) -> Result<(), DatabaseError> {
        let sql = "UPDATE lead SET beats = beats + 1 WHERE node = $1 AND book = ANY($2)";
        let books: Vec<i64> = books.iter().copied().map(i64::from).collect();
        self.once(|session| session.execute(sql, &[&self.me, &books.as_slice()])).map(drop)
    }

    /// The row says that this node leads, whatever it said before: for one who has proven it by the journal.
    pub fn assert(&self, book: u32) -> Result<(), DatabaseError> {
        let book = i64::from(book);
        let sql = "UPDATE lead SET node = $2, beats = beats + 1 WHERE book = $1";
        self.once(|session| {
            ensure_lead(session, book)?;
            session.execute(sql, &[&book, &self.me])
        })
        .map(drop)
    }

    /// Hands over: whoever looks next may take the lead at once.
    pub fn hand_over(&self, book: u32) -> Result<(), DatabaseError> {
        let sql = "UPDATE lead SET node = $3, beats = beats + 1 WHERE book = $1 AND node = $2";
        let book = i64::from(book);
        self.once(|session| session.execute(sql, &[&book, &self.me, &NOBODY])).map(drop)
    }

    /// One attempt: who beats has another go with the next beat anyway.
    fn once<T>(&self, work: impl Fn(&dyn Session) -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        let session = self.lane.session()?;
        let done = work(&*session);
        if done.as_ref().is_err_and(DatabaseError::ends_session) {
            self.lane.drop_session(&session);
        }
        done
    }
}

/// Makes the row of a book where there is none.
pub(crate) fn ensure_lead(session: &dyn Session, book: i64) -> Result<(), DatabaseError> {
    let sql = "INSERT INTO lead (book, node, beats, checks) SELECT $1::int8, $2::uuid, 0, 0 \
               WHERE NOT EXISTS (SELECT 1 FROM lead WHERE book = $1)";
    match session.execute(sql, &[&book, &NOBODY]) {
        Err(error) if error.meaning() == crate::error::Meaning::Taken => Ok(()),
        done => done.map(drop),
    }
}
