//! A database that holds a journal, or is to hold one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use domain::Timestamp;
use journal::Tail;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::book::{self, Book, CLOSED_EVENTS, Index};
use crate::connector::Connector;
use crate::error::{DatabaseError, Meaning, OpenError};
use crate::hosts::{Hosts, Session};
use crate::lane::Lane;
use crate::local_copy::LocalCopy;
use crate::options::Options;
use crate::postgres_hosts::PostgresHosts;
use crate::postgres_journal::PostgresJournal;
use crate::schema;
use crate::snapshot::{PostgresSnapshots, SNAPSHOTS};
use crate::url::Url;
use crate::vault::PostgresVault;

/// Which journal a database holds. A copied database has the same; `adopt` gives it another.
pub type Incarnation = [u8; 16];

/// Connections are made when they are needed, and dropped with this and all that was opened from it.
pub struct Database {
    connector: Arc<Connector>,
    lane: Arc<Lane>,
    /// What followers of all books read on, and ask for keys on.
    following: [Arc<Lane>; 2],
    copies: OnceLock<Copies>,
}

/// Where copies of the books are kept on this machine's disk.
struct Copies {
    directory: PathBuf,
    bytes_max: u64,
    open: Mutex<BTreeMap<u32, Arc<LocalCopy>>>,
}

impl Database {
    /// Reaches the host that may be written.
    pub fn connect(url: &Url, options: Options) -> Result<Self, OpenError> {
        let hosts = Arc::new(PostgresHosts::new(url.clone(), options)?);
        let database = Self::over(hosts.clone(), options)?;
        hosts.watch(&database.connector);
        Ok(database)
    }

    /// The same over hosts of whatever kind.
    pub fn over(hosts: Arc<dyn Hosts>, options: Options) -> Result<Self, OpenError> {
        let connector = Arc::new(Connector::new(hosts, options));
        let lane = || Arc::new(Lane::new(&connector));
        let (lane, following) = (lane(), [lane(), lane()]);
        lane.reach()?;
        Ok(Self { connector, lane, following, copies: OnceLock::new() })
    }

    /// The process is to end: whoever is settling an unknown outcome stops doing so and says that it is.
    pub fn give_up(&self) {
        self.connector.give_up();
    }

    /// Leaves hosts that are not the one to use any more: sessions with them are dropped. [`Self::connect`]
    /// has this done every second.
    pub fn check_hosts(&self) {
        self.connector.check();
    }

    pub(crate) fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    pub(crate) fn session(&self) -> Result<Arc<dyn Session>, DatabaseError> {
        self.lane.session()
    }

    pub(crate) fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }

    /// Makes the tables, or brings them to what this release knows; how many steps were taken.
    pub fn migrate(&self) -> Result<u32, OpenError> {
        let session = self.session()?;
        schema::migrate(&*session).inspect_err(|_| self.lane.drop_session(&session))
    }

    /// Whether there are any tables of a journal.
    pub fn is_empty(&self) -> Result<bool, OpenError> {
        Ok(schema::found(&*self.session()?)? == 0)
    }

    /// Which journal it holds, if it holds one.
    pub fn incarnation(&self) -> Result<Option<Incarnation>, OpenError> {
        let session = self.session()?;
        let known = || session.query("SELECT incarnation FROM identity WHERE one = 1", &[]);
        let rows = match schema::check(&*session) {
            Err(OpenError::NotInitialised) => return Ok(None),
            Err(older @ OpenError::OlderSchema { .. }) => match known() {
                Ok(rows) if !rows.is_empty() => return Err(older),
                Err(error) if !error.has_code(&SqlState::UNDEFINED_TABLE) => return Err(error.into()),
                // Somebody is making the tables at this moment.
                _ => return Ok(None),
            },
            checked => checked.and_then(|()| Ok(known()?))?,
        };
        Ok(rows.first().map(|row| *row.get::<Uuid>(0).as_bytes()))
    }

    /// From now on only this journal is taken: another copy behind the same address is refused.
    pub fn expect(&self, incarnation: Incarnation) {
        self.connector.expect_incarnation(Uuid::from_bytes(incarnation));
    }

    /// What the database's clock says.
    pub fn now(&self) -> Result<Timestamp, OpenError> {
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
        let rows = self.session()?.query(sql, &[])?;
        Ok(Timestamp::from_micros(rows.first().map_or(0, |row| row.get(0))))
    }

    /// Makes an empty journal of so many books. An attempt that was cut short may be repeated.
    pub fn init(&self, incarnation: Incarnation, books: u32) -> Result<(), OpenError> {
        self.migrate()?;
        if self.incarnation()?.is_some() {
            return Err(OpenError::AlreadyInitialised);
        }
        let session = self.session()?;
        let first = format!(
            "INSERT INTO journal_1 (book, position, chain, events, body) SELECT $1::int8, 0, $2::bytea, 0, \
             $3::bytea WHERE NOT EXISTS (SELECT 1 FROM journal_1 WHERE book = $1 AND events <> {CLOSED_EVENTS})"
        );
        let known = "INSERT INTO book (book, anchor) SELECT $1::int8, 0 \
                     WHERE NOT EXISTS (SELECT 1 FROM book WHERE book = $1)";
        for book in 0..i64::from(books) {
            session.execute(&first, &[&book, &[0u8; 32].as_slice(), &[0u8; 0].as_slice()])?;
            session.execute(known, &[&book])?;
        }
        let identity = "INSERT INTO identity (one, incarnation, era) VALUES (1, $1, 1)";
        match session.execute(identity, &[&Uuid::from_bytes(incarnation)]) {
            Err(error) if error.meaning() == Meaning::Taken => Err(OpenError::AlreadyInitialised),
            done => Ok(done.map(drop)?),
        }
    }

    /// How many books the journal has: fixed when it was made.
    pub fn books(&self) -> Result<u32, OpenError> {
        let rows = self.session()?.query("SELECT book FROM book", &[])?;
        Ok(rows.len() as u32)
    }

    /// Says that this copy is a journal of its own from now on.
    pub fn adopt(&self, incarnation: Incarnation) -> Result<(), OpenError> {
        let session = self.session()?;
        schema::check(&*session)?;
        let sql = "UPDATE identity SET incarnation = $1 WHERE one = 1";
        match session.execute(sql, &[&Uuid::from_bytes(incarnation)])? {
            1 => Ok(()),
            _ => Err(OpenError::NotInitialised),
        }
    }

    /// From now on a copy of each book that is opened is kept in a directory below this one, of so many bytes
    /// at most, so that its history is at hand. It may be deleted at any time.
    pub fn keep_copies(&self, directory: PathBuf, bytes_max: u64) {
        _ = self.copies.set(Copies { directory, bytes_max, open: Mutex::default() });
    }

    /// The copy of a book whose history is the database's.
    fn copy(&self, book: u32, index: &Index) -> Option<Arc<LocalCopy>> {
        let copy = self.copies.get()?.of(book)?;
        copy.forget_beyond(index.tail.position);
        if let Some(newest) = copy.newest_until(index.tail.position)
            && !self.has(book, index, &newest)
        {
            tracing::warn!(book, position = newest.position, "the local copy is of another history");
            copy.discard();
        }
        Some(copy)
    }

    fn has(&self, book: u32, index: &Index, tail: &Tail) -> bool {
        let Some((era, _)) = index.era_of(tail.position) else { return false };
        let sql = format!("SELECT chain FROM {} WHERE book = $1 AND position = $2", era.table());
        let rows =
            self.lane.with(|session| session.query(&sql, &[&i64::from(book), &(tail.position as i64)]));
        let rows = rows.unwrap_or_default();
        rows.first().is_some_and(|row| row.get::<&[u8]>(0) == tail.chain.0)
    }

    /// Opens a book. Nothing is written before the first append.
    pub fn open(&self, book: u32) -> Result<PostgresJournal, OpenError> {
        let lane = || Arc::new(Lane::new(&self.connector));
        self.open_on(book, lane(), lane(), lane())
    }

    /// The same for one who follows it, perhaps for long: connections are shared with the other books that are
    /// followed.
    pub fn follow(&self, book: u32) -> Result<PostgresJournal, OpenError> {
        let [reading, keys] = &self.following;
        self.open_on(book, reading.clone(), reading.clone(), keys.clone())
    }

    fn open_on(
        &self,
        book: u32,
        reading: Arc<Lane>,
        snapshots: Arc<Lane>,
        keys: Arc<Lane>,
    ) -> Result<PostgresJournal, OpenError> {
        let incarnation = self.incarnation()?.ok_or(OpenError::NotInitialised)?;
        self.expect(incarnation);
        let session = self.session()?;
        let index = book::load(&*session, &self.lane, book)?;
        let era_bytes = bytes_of(&*session, &index.open_era().table());
        let number = i64::from(book);
        let vault = PostgresVault::open(keys, number)?;
        let snapshots = PostgresSnapshots { lane: snapshots, book: number, table: SNAPSHOTS };
        let copy = self.copy(book, &index);
        let book = Book::new(reading, number, self.connector.options.cache_bytes, copy, index);
        Ok(PostgresJournal::new(Arc::new(book), Arc::new(snapshots), Arc::new(vault), era_bytes))
    }
}

impl Copies {
    fn of(&self, book: u32) -> Option<Arc<LocalCopy>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(copy) = open.get(&book) {
            return Some(Arc::clone(copy));
        }
        match LocalCopy::open(&self.directory.join(book.to_string()), self.bytes_max) {
            Ok(copy) => Some(Arc::clone(open.entry(book).or_insert(copy))),
            Err(error) => {
                tracing::warn!(book, %error, "no local copy is kept");
                None
            }
        }
    }
}

/// Where the engine cannot say, only what is appended from now on counts.
pub(crate) fn bytes_of(session: &dyn Session, table: &str) -> u64 {
    let sql = format!("SELECT pg_total_relation_size('{table}')");
    let rows = session.query(&sql, &[]).ok();
    rows.and_then(|rows| rows.first().map(|row| row.get::<i64>(0) as u64)).unwrap_or(0)
}
