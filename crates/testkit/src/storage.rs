//! Where a test book keeps its journal, so that it can be opened again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use journal::{Journal, MemoryStore, MemoryVault, Vault};
use journal_file::{Background, FileJournal, OpenError, OsDisk};
use tempfile::TempDir;

pub(crate) enum Storage {
    Memory { store: MemoryStore, vault: Arc<MemoryVault> },
    Files(TempDir),
    Elsewhere(Box<dyn Fn() -> Opened + Send + Sync>),
}

type Opened = (Box<dyn Journal>, Arc<dyn Vault>);

impl Storage {
    pub(crate) fn memory() -> Self {
        Self::Memory { store: MemoryStore::default(), vault: Arc::default() }
    }

    pub(crate) fn files() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let disk = OsDisk::new(directory.path());
        FileJournal::init(&disk, [0; 16], &options()).expect("an empty directory becomes a journal");
        Self::Files(directory)
    }

    pub(crate) fn open(&self) -> Opened {
        match self {
            Self::Memory { store, vault } => (Box::new(store.open()), vault.clone()),
            Self::Files(directory) => {
                let journal = open_files(directory, Background::Thread);
                let vault = journal.vault();
                (Box::new(journal), vault)
            }
            Self::Elsewhere(open) => open(),
        }
    }
}

impl Storage {
    /// Everything is sealed that can be, and what is older than `before` removed.
    pub(crate) fn prune(&self, before: Timestamp) {
        let Self::Files(directory) = self else { panic!("only files can be pruned") };
        let mut journal = open_files(directory, Background::Manual);
        while journal.run_background_step().expect("the disk works") {}
        let plan = engine::plan(&journal, before, 0).expect("the journal can be read");
        let cut = plan.cut.expect("something is old enough");
        let vault: Arc<dyn Vault> = journal.vault();
        engine::prune(&mut journal, &vault, &cut, |_| {}).expect("the journal holds");
    }
}

/// Whoever still reads on a thread of its own, for a request that was answered, holds the directory until then.
fn open_files(directory: &TempDir, background: Background) -> FileJournal<OsDisk> {
    let until = Instant::now() + LET_GO_MAX;
    loop {
        match FileJournal::open(OsDisk::new(directory.path()), options(), background) {
            Err(OpenError::Locked) if Instant::now() < until => std::thread::yield_now(),
            opened => return opened.expect("nobody else holds the directory").0,
        }
    }
}

const LET_GO_MAX: Duration = Duration::from_secs(10);

/// As small as a journal may be: tests write little, and open it often.
fn options() -> journal_file::Options {
    journal_file::Options {
        segment_bytes: 1 << 20,
        segments_free: 2,
        reserve_bytes: 0,
        sidecar: Some(Arc::new(engine::KeySidecar)),
        ..journal_file::Options::default()
    }
}
