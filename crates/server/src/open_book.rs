//! A book of a server, opened: the journal, the keys beside it, and the engine that runs on them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::{FirstStartError, Secret};
use domain::Timestamp;
use engine::{
    BookNumber, Clock, Engine, Entropy, OpenError, Recovered, Rounds, Running, SandboxClock, SystemClock,
    SystemEntropy,
};
use journal::{Journal, Vault};
use journal_file::{FileJournal, OsDisk};

pub(crate) use crate::open_book::database::{Followed, Source};
use crate::reporting::Reporting;
use crate::sandbox::Sandbox;

mod database;

/// A book of a server, open for as long as this is kept.
pub struct OpenBook {
    pub engine: Engine,
    /// The operator's token, when this start made it: shown once.
    pub token: Option<Secret>,
    pub recovered: Recovered,
    /// The clock that may be moved, where the directory is a sandbox.
    pub sandbox: Option<Arc<SandboxClock>>,
    reporting: Option<Reporting>,
    running: Running,
}

/// How a book is opened.
#[derive(Clone, Default)]
pub struct BookOptions {
    /// URL of a database that holds the journal; none: files in the directory.
    pub journal: Option<String>,
    /// URL of a database in which tables for reports are kept.
    pub reporting: Option<String>,
    /// Megabytes of this disk for a copy of each of that database's books.
    pub local_copy_mb: u32,
    /// Older tables of that database are brought to what this release knows.
    pub migrate: bool,
    /// Bytes of a segment of the journal, where not the default.
    pub segment_bytes: Option<u64>,
    /// For how long idempotency keys are remembered, where not for the default.
    pub key_hours: Option<u32>,
    /// An operator vouches for the clock, however long the directory has rested.
    pub confirm_clock: bool,
    /// A marked test server.
    pub sandbox: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error("the data directory {} cannot be used", path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("{} has lived without --sandbox and cannot become a sandbox", path.display())]
    NotASandbox { path: PathBuf },
    #[error(
        "the journal in the database was not begun as a sandbox from {}: a sandbox over a database has one \
         server, and that keeps its clock in the directory it was begun with", path.display()
    )]
    SandboxElsewhere { path: PathBuf },
    #[error("the journal in the database is a sandbox's: it has one server, which is started with --sandbox")]
    SandboxJournal,
    #[error("the clock of the sandbox cannot be moved")]
    SandboxClock(#[source] std::io::Error),
    #[error("{} is a sandbox: start it with --sandbox", path.display())]
    IsASandbox { path: PathBuf },
    #[error(transparent)]
    Journal(#[from] journal_file::OpenError),
    #[error(transparent)]
    Url(#[from] journal_postgres::UrlError),
    #[error(transparent)]
    Database(#[from] journal_postgres::OpenError),
    #[error(
        "{} holds a journal in files: copy it into the database with `bursar journal copy`, and start with \
         another directory", path.display()
    )]
    HoldsFiles { path: PathBuf },
    #[error(
        "the clock here is {seconds} s ahead of the database's: set both right, or start with \
         --confirm-clock"
    )]
    ClockSkew { seconds: i64 },
    #[error("the journal of {} is in a database: start with --journal", path.display())]
    HoldsNoFiles { path: PathBuf },
    #[error(
        "{} belongs to another journal than the database holds: point to the right database, or start with \
         another directory", path.display()
    )]
    OtherJournal { path: PathBuf },
    #[error(transparent)]
    Book(#[from] OpenError),
    #[error("book {book} is sealed by another key than the first book: it is of another journal")]
    ForeignBook { book: u8 },
    #[error("the reporting tables cannot be followed")]
    Reporting(#[source] std::io::Error),
    #[error("the first start failed")]
    FirstStart(#[from] FirstStartError),
}

impl OpenBook {
    /// Opens the journal, or makes it on first use. `token` is the operator's own choice of a token.
    pub async fn open(
        directory: &Path,
        options: &BookOptions,
        token: Option<Secret>,
    ) -> Result<Self, BookError> {
        let unusable = |source| BookError::Directory { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(unusable)?;
        let opened = match &options.journal {
            Some(url) => Source::connect(directory, url, options)?.open(BookNumber::FIRST)?,
            None => open_files(directory, options)?,
        };
        Self::start(BookNumber::FIRST, opened, options, token).await
    }

    /// Runs an engine on a journal that was opened.
    pub(crate) async fn start(
        book: BookNumber,
        opened: Opened,
        options: &BookOptions,
        token: Option<Secret>,
    ) -> Result<Self, BookError> {
        let sandbox = opened.sandbox.clone();
        if let Some(clock) = &sandbox {
            // What stands in the journal has happened.
            clock.advance_to(newest(&*opened.journal)?).map_err(BookError::SandboxClock)?;
        }
        let (engine, rounds, recovered) = Engine::open(opened.into_parts(book, options))?;
        Self::run(book, engine, rounds, recovered, sandbox, options, token).await
    }

    /// A follower leads from here on.
    pub(crate) async fn lead(
        book: BookNumber,
        followed: Followed,
        options: &BookOptions,
        token: Option<Secret>,
    ) -> Result<Self, BookError> {
        let Followed { engine, mut following, sandbox, .. } = followed;
        if let Some(clock) = &sandbox {
            let end = following.look()?;
            following.advance(end)?;
            clock.advance_to(following.follower().newest()).map_err(BookError::SandboxClock)?;
        }
        let (rounds, recovered) = following.lead()?;
        Self::run(book, engine, rounds, recovered, sandbox, options, token).await
    }

    async fn run(
        book: BookNumber,
        engine: Engine,
        rounds: Rounds,
        recovered: Recovered,
        sandbox: Option<Arc<SandboxClock>>,
        options: &BookOptions,
        token: Option<Secret>,
    ) -> Result<Self, BookError> {
        let running = Running::begin(&engine, rounds)?;
        // The operator is known in the first book.
        let token = match book {
            BookNumber::FIRST => access::first_start(&engine, token).await?,
            _ => None,
        };
        let reporting = match &options.reporting {
            Some(url) => Some(Reporting::start(url, &engine)?),
            None => None,
        };
        Ok(Self { engine, token, recovered, sandbox, reporting, running })
    }

    /// How far the reporting tables are, where they are kept.
    pub(crate) fn reporting(&self) -> Option<Arc<projection::Standing>> {
        self.reporting.as_ref().map(|reporting| Arc::clone(&reporting.standing))
    }

    /// Takes no more commands, answers those that wait, and closes the directory.
    pub fn close(self) {
        drop(self.running.stop());
    }
}

/// When the newest group was written; the epoch, before there is one.
fn newest(journal: &dyn Journal) -> Result<Timestamp, OpenError> {
    match journal.tail().position {
        0 => Ok(Timestamp::EPOCH),
        position => Ok(journal.reader().group(position)?.header().time),
    }
}

pub(crate) struct Opened {
    journal: Box<dyn Journal>,
    vault: Arc<dyn Vault>,
    /// The clock of a sandbox: one, for all its books.
    sandbox: Option<Arc<SandboxClock>>,
}

impl Opened {
    fn into_parts(self, book: BookNumber, options: &BookOptions) -> engine::Parts {
        let clock: Arc<dyn Clock> = match self.sandbox {
            Some(clock) => clock,
            None => Arc::new(SystemClock::default()),
        };
        // A sandbox may rest for as long as it likes: whoever moves its clock vouches for it.
        let confirm_clock = options.confirm_clock || options.sandbox;
        let window_secs =
            options.key_hours.map_or(engine::WINDOW_DEFAULT_SECS, |hours| i64::from(hours) * 3600);
        engine::Parts {
            journal: self.journal,
            vault: self.vault,
            clock,
            entropy: Arc::new(SystemEntropy),
            options: engine::Options {
                book,
                confirm_clock,
                window_secs,
                sandbox: options.sandbox,
                ..engine::Options::default()
            },
        }
    }
}

fn open_files(directory: &Path, options: &BookOptions) -> Result<Opened, BookError> {
    if database::is_named(directory) {
        return Err(BookError::HoldsNoFiles { path: directory.to_owned() });
    }
    let disk = OsDisk::new(directory);
    let journal_options = journal_options(options);
    let is_new = match FileJournal::init(&disk, fresh_incarnation(), &journal_options) {
        Ok(()) => true,
        Err(journal_file::OpenError::AlreadyInitialised) => false,
        Err(error) => return Err(error.into()),
    };
    let (journal, _) = FileJournal::open(disk, journal_options, journal_file::Background::Thread)?;
    let vault: Arc<dyn Vault> = journal.vault();
    let sandbox = Sandbox::clock_of(directory, is_new, options.sandbox)?;
    Ok(Opened { journal: Box::new(journal), vault, sandbox })
}

fn fresh_incarnation() -> [u8; 16] {
    let mut incarnation = [0; 16];
    SystemEntropy.fill(&mut incarnation);
    incarnation
}

fn journal_options(options: &BookOptions) -> journal_file::Options {
    let defaults = journal_file::Options::default();
    let segment_bytes = options.segment_bytes.unwrap_or(defaults.segment_bytes);
    journal_file::Options { segment_bytes, sidecar: Some(Arc::new(engine::KeySidecar)), ..defaults }
}
