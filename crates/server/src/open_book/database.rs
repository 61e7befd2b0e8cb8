//! Books whose journal is in a database. The directory keeps what is local, and which journal it belongs to.

use std::path::Path;
use std::sync::Arc;

use access::Placement;
use engine::{
    BOOKS_MAX, BookNumber, Clock, Engine, Entropy, Following, MasterKey, SandboxClock, SystemClock,
    SystemEntropy,
};
use journal::{Vault, VaultKey};
use journal_postgres::{Database, Incarnation, Options, Url, Whereabouts};

use super::{BookError, BookOptions, Opened, fresh_incarnation};
use crate::sandbox::{MARK, Sandbox};

/// Names the journal that the directory belongs to.
const INCARNATION: &str = "journal-incarnation";
/// Holds copies of groups; may be deleted at any time.
const COPY: &str = "copy";
/// Of a journal in files.
const FILES: &str = "identity";
/// Fixed when the journal is made: a book is a shard of organizations.
const BOOKS: u32 = 8;
const SKEW_MAX_MICROS: i64 = 2_000_000;

/// Whether the directory belongs to a journal in a database.
pub(super) fn is_named(directory: &Path) -> bool {
    directory.join(INCARNATION).exists()
}

/// A book's follower, and the engine that shows it.
pub(crate) struct Followed {
    pub(crate) engine: Engine,
    pub(crate) following: Following,
    pub(crate) whereabouts: Whereabouts,
    pub(crate) sandbox: Option<Arc<SandboxClock>>,
}

/// A database that holds the journal. A book in it may be opened again and again.
pub(crate) struct Source {
    pub(crate) database: Database,
    /// Of all books: what they seal derives from it.
    master: MasterKey,
    books: u8,
    sandbox: Option<Arc<SandboxClock>>,
}

impl Source {
    /// Reaches the database, makes the tables on first use, and holds the directory against it.
    pub(crate) fn connect(directory: &Path, url: &str, options: &BookOptions) -> Result<Self, BookError> {
        let unusable = |source| BookError::Directory { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(unusable)?;
        if directory.join(FILES).exists() {
            return Err(BookError::HoldsFiles { path: directory.to_owned() });
        }
        let url = Url::parse(url, |name| std::env::var(name).ok())?;
        let database = Database::connect(&url, Options::default())?;
        if options.migrate {
            database.migrate()?;
        }
        check_clock(&database, options)?;
        let (incarnation, is_new) = match database.incarnation()? {
            Some(incarnation) => (incarnation, false),
            None => init(&database)?,
        };
        let sandbox = sandbox(&database, directory, is_new, options)?;
        belong(directory, &incarnation)?;
        if options.local_copy_mb > 0 {
            database.keep_copies(directory.join(COPY), u64::from(options.local_copy_mb) << 20);
        }
        // Whoever follows has opened no book yet, and must not lead another copy.
        database.expect(incarnation);
        let books = u8::try_from(database.books()?).unwrap_or(u8::MAX).min(BOOKS_MAX);
        let master = MasterKey(shared_key(&database, BookNumber::FIRST, fresh_key())?.0);
        tracing::info!(journal = %url, books, "the journal is in a database");
        Ok(Self { database, master, books, sandbox })
    }

    pub(crate) fn placement(&self) -> Placement {
        Placement::new(&self.master, self.books)
    }

    /// A follower of the book. Nothing is written: there is none before the book was led once.
    pub(crate) fn follow(&self, book: BookNumber, options: &BookOptions) -> Result<Followed, BookError> {
        let journal = self.database.follow(u32::from(book.get()))?;
        let (vault, whereabouts) = (journal.vault(), journal.whereabouts());
        match vault.get(MasterKey::OWNER.0) {
            Some(key) if key != VaultKey(self.master.0) => {
                return Err(BookError::ForeignBook { book: book.get() });
            }
            _ => {}
        }
        let opened = Opened { journal: Box::new(journal), vault, sandbox: self.sandbox.clone() };
        let (engine, following) = Engine::follow(opened.into_parts(book, options))?;
        Ok(Followed { engine, following, whereabouts, sandbox: self.sandbox.clone() })
    }

    pub(crate) fn open(&self, book: BookNumber) -> Result<Opened, BookError> {
        let mut journal = self.database.open(u32::from(book.get()))?;
        if journal.vault().get(MasterKey::OWNER.0).is_none() {
            shared_key(&self.database, book, VaultKey(self.master.0))?;
            journal = self.database.open(u32::from(book.get()))?;
        }
        let vault: Arc<dyn Vault> = journal.vault();
        if vault.get(MasterKey::OWNER.0) != Some(VaultKey(self.master.0)) {
            return Err(BookError::ForeignBook { book: book.get() });
        }
        Ok(Opened { journal: Box::new(journal), vault, sandbox: self.sandbox.clone() })
    }
}

fn shared_key(database: &Database, book: BookNumber, fresh: VaultKey) -> Result<VaultKey, BookError> {
    Ok(database.kept_key(u32::from(book.get()), MasterKey::OWNER.0, fresh)?)
}

fn fresh_key() -> VaultKey {
    let mut key = [0; 32];
    SystemEntropy.fill(&mut key);
    VaultKey(key)
}

/// Makes the journal. Several nodes may start at once: one of them does.
fn init(database: &Database) -> Result<(Incarnation, bool), BookError> {
    let fresh = fresh_incarnation();
    match database.init(fresh, BOOKS) {
        Err(journal_postgres::OpenError::AlreadyInitialised) => {
            let theirs = database.incarnation()?;
            Ok((theirs.ok_or(journal_postgres::OpenError::NotInitialised)?, false))
        }
        done => Ok(done.map(|()| (fresh, true))?),
    }
}

/// The clock of a sandbox, which is one for all its books: so it has one server, and whether it is one is the
/// journal's as well as the directory's.
fn sandbox(
    database: &Database,
    directory: &Path,
    is_new: bool,
    options: &BookOptions,
) -> Result<Option<Arc<SandboxClock>>, BookError> {
    if options.sandbox && !is_new && !directory.join(MARK).exists() {
        return Err(BookError::SandboxElsewhere { path: directory.to_owned() });
    }
    match (options.sandbox, database.is_sandbox(options.sandbox)?) {
        (false, true) => Err(BookError::SandboxJournal),
        (true, false) => Err(BookError::NotASandbox { path: directory.to_owned() }),
        (true, true) | (false, false) => Sandbox::clock_of(directory, is_new, options.sandbox),
    }
}

/// Whoever takes over is on another clock: they must not be far apart.
fn check_clock(database: &Database, options: &BookOptions) -> Result<(), BookError> {
    let skew_micros = SystemClock::default().now().micros_since(database.now()?);
    if skew_micros.abs() > SKEW_MAX_MICROS && !options.confirm_clock {
        return Err(BookError::ClockSkew { seconds: skew_micros / 1_000_000 });
    }
    Ok(())
}

/// What is local in the directory is of one journal only.
fn belong(directory: &Path, incarnation: &Incarnation) -> Result<(), BookError> {
    let name: String = incarnation.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = directory.join(INCARNATION);
    let unusable = |source| BookError::Directory { path: directory.to_owned(), source };
    match std::fs::read_to_string(&path) {
        Ok(known) if known.trim() == name => Ok(()),
        Ok(_) => Err(BookError::OtherJournal { path: directory.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::write(&path, format!("{name}\n")).map_err(unusable)
        }
        Err(error) => Err(unusable(error)),
    }
}
