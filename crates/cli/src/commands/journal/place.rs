//! Where a journal is: a directory or a database.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use journal::{AppendError, Group, Journal, Vault};
use journal_file::{Background, FileJournal, OpenError, Options, OsDisk};
use journal_postgres::{PostgresJournal, Url};

use crate::commands::database::{connect, fresh_incarnation, parse};
use crate::failure::Failure;

/// As many books as a database of ours has at least.
const BOOKS: u32 = 8;

pub(super) enum Place {
    Directory(PathBuf),
    Database(Url),
}

pub(super) enum Opened {
    Files(Box<FileJournal<OsDisk>>),
    Tables(Box<PostgresJournal>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Database(url) => write!(f, "{url}"),
        }
    }
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        if Url::is_url(text) { parse(text).map(Self::Database) } else { Ok(Self::Directory(text.into())) }
    }

    /// How many books the journal has that is there.
    pub(super) fn books(&self) -> Result<u32, Failure> {
        match self {
            Self::Database(url) => {
                connect(url)?.books().map_err(Failure::fault(format!("cannot open {self}")))
            }
            Self::Directory(_) => Ok(1),
        }
    }

    /// A book of the journal that is there. In files there is only the first.
    pub(super) fn open(&self, book: u32) -> Result<Opened, Failure> {
        let cannot = || format!("cannot open {self}");
        match self {
            Self::Database(url) => {
                let journal = connect(url)?.open(book).map_err(Failure::fault(cannot()))?;
                Ok(Opened::Tables(Box::new(journal)))
            }
            Self::Directory(path) => {
                let opened = FileJournal::open(OsDisk::new(path), options(), Background::Manual);
                let (journal, _) = opened.map_err(|error| {
                    let why = match error {
                        OpenError::Locked => "a server is running on it; stop that server first",
                        OpenError::NotInitialised => "this is no data directory",
                        error => return Failure::fault(cannot())(error),
                    };
                    Failure::Fault { doing: cannot(), source: why.into() }
                })?;
                Ok(Opened::Files(Box::new(journal)))
            }
        }
    }

    /// An empty journal of so many books, where there is none.
    pub(super) fn ensure(&self, books: u32) -> Result<(), Failure> {
        let cannot = || format!("cannot make a journal in {self}");
        match self {
            Self::Database(url) => {
                let database = connect(url)?;
                if database.incarnation().map_err(Failure::fault(cannot()))?.is_none() {
                    database.init(fresh_incarnation(), books.max(BOOKS)).map_err(Failure::fault(cannot()))?;
                }
            }
            Self::Directory(path) => {
                std::fs::create_dir_all(path).map_err(Failure::fault(cannot()))?;
                match FileJournal::init(&OsDisk::new(path), fresh_incarnation(), &options()) {
                    Ok(()) | Err(OpenError::AlreadyInitialised) => {}
                    Err(error) => return Err(Failure::fault(cannot())(error)),
                }
            }
        }
        Ok(())
    }
}

fn options() -> Options {
    Options { sidecar: Some(Arc::new(engine::KeySidecar)), ..Options::default() }
}

impl Opened {
    pub(super) fn journal(&self) -> &dyn Journal {
        match self {
            Self::Files(journal) => &**journal,
            Self::Tables(journal) => &**journal,
        }
    }

    pub(super) fn vault(&self) -> Arc<dyn Vault> {
        match self {
            Self::Files(journal) => journal.vault(),
            Self::Tables(journal) => journal.vault(),
        }
    }

    /// Appends, and makes room by archiving where there is none: nothing here is recovered from a
    /// snapshot, so all that stands before the tail may leave the ring.
    pub(super) fn append(&mut self, group: &Group) -> Result<(), Failure> {
        let cannot = || format!("cannot append position {}", group.header().position);
        match self {
            Self::Tables(journal) => journal.append(group).map_err(Failure::fault(cannot())),
            Self::Files(journal) => loop {
                match journal.append(group) {
                    Err(AppendError::Full { .. }) => {
                        let tail = journal.tail().position;
                        journal.release_before(tail);
                        if !journal.run_background_step().map_err(Failure::fault(cannot()))? {
                            return Err(Failure::fault(cannot())("no room"));
                        }
                    }
                    done => return done.map_err(Failure::fault(cannot())),
                }
            },
        }
    }
}
