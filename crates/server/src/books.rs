//! A data directory, opened: the journal in it, the keys beside it, and the engine that runs on them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use access::{FirstStartError, Secret};
use domain::Timestamp;
use engine::{
    Clock, Engine, Entropy, OpenError, Recovered, Running, SandboxClock, SystemClock, SystemEntropy,
};
use journal::{Journal, Vault};
use journal_file::{FileJournal, Opened, OsDisk};

use crate::sandbox::Sandbox;

/// The books of a server, open for as long as this is kept.
pub struct Books {
    pub engine: Engine,
    /// The operator's token, when this start made it: shown once.
    pub token: Option<Secret>,
    pub opened: Opened,
    pub recovered: Recovered,
    /// The clock that may be moved, where the directory is a sandbox.
    pub sandbox: Option<Arc<SandboxClock>>,
    running: Running,
}

/// How a data directory is opened.
#[derive(Clone, Debug, Default)]
pub struct BooksOptions {
    /// Bytes of a segment of the journal, where not the default.
    pub segment_bytes: Option<u64>,
    /// An operator vouches for the clock, however long the directory has rested.
    pub confirm_clock: bool,
    /// A marked test server.
    pub sandbox: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    #[error("the data directory {} cannot be used", path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("{} has lived without --sandbox and cannot become a sandbox", path.display())]
    NotASandbox { path: PathBuf },
    #[error("{} is a sandbox: start it with --sandbox", path.display())]
    IsASandbox { path: PathBuf },
    #[error(transparent)]
    Journal(#[from] journal_file::OpenError),
    #[error(transparent)]
    Book(#[from] OpenError),
    #[error("the first start failed")]
    FirstStart(#[from] FirstStartError),
}

impl Books {
    /// Opens the directory, or makes it on first use. `token` is the operator's own choice of a token.
    pub async fn open(
        directory: &Path,
        options: &BooksOptions,
        token: Option<Secret>,
    ) -> Result<Self, BooksError> {
        let unusable = |source| BooksError::Directory { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(unusable)?;
        let disk = OsDisk::new(directory);
        let journal_options = journal_options(options);
        let mut incarnation = [0; 16];
        SystemEntropy.fill(&mut incarnation);
        let is_new = match FileJournal::init(&disk, incarnation, &journal_options) {
            Ok(()) => true,
            Err(journal_file::OpenError::AlreadyInitialised) => false,
            Err(error) => return Err(error.into()),
        };
        let sandbox = Sandbox::of(directory, is_new, options.sandbox)?;
        let (journal, opened) = FileJournal::open(disk, journal_options, journal_file::Background::Thread)?;
        let vault: Arc<dyn Vault> = journal.vault();
        let sandbox = match sandbox {
            Some(sandbox) => Some(Arc::new(sandbox.clock(newest(&journal)?)?)),
            None => None,
        };
        let clock: Arc<dyn Clock> = match &sandbox {
            Some(clock) => clock.clone(),
            None => Arc::new(SystemClock::default()),
        };
        // A sandbox may rest for as long as it likes: whoever moves its clock vouches for it.
        let confirm_clock = options.confirm_clock || options.sandbox;
        let parts = engine::Parts {
            journal: Box::new(journal),
            vault,
            clock,
            entropy: Arc::new(SystemEntropy),
            options: engine::Options { confirm_clock, ..engine::Options::default() },
        };
        let (engine, running, recovered) = Engine::start(parts)?;
        let token = access::first_start(&engine, token).await?;
        Ok(Self { engine, token, opened, recovered, sandbox, running })
    }

    /// Takes no more commands, answers those that wait, and closes the directory.
    pub fn close(self) {
        drop(self.running.stop());
    }
}

/// When the newest group was written; the epoch, before there is one.
fn newest(journal: &impl Journal) -> Result<Timestamp, OpenError> {
    match journal.tail().position {
        0 => Ok(Timestamp::EPOCH),
        position => Ok(journal.reader().group(position)?.header().time),
    }
}

fn journal_options(options: &BooksOptions) -> journal_file::Options {
    let defaults = journal_file::Options::default();
    let segment_bytes = options.segment_bytes.unwrap_or(defaults.segment_bytes);
    journal_file::Options { segment_bytes, sidecar: Some(Arc::new(engine::KeySidecar)), ..defaults }
}
