use std::path::{Path, PathBuf};

use clap::Args;
use journal_file::{OpenError, OsDisk};

use crate::failure::Failure;

/// Copy a data directory while its server runs.
///
/// Everything that was answered before the copy began is in it, and whatever came later is there in order, as
/// far as it goes. The copy is a data directory like any other: `bursar verify` checks it. It holds the keys
/// that texts are sealed under: keep it as safe as the original.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The data directory. Its server may run.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A directory without a journal, made if it is not there.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Backup {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let cannot = || format!("cannot copy {} to {}", self.data.display(), self.to.display());
        std::fs::create_dir_all(&self.to).map_err(Failure::fault(cannot()))?;
        copy_mark(&self.data, &self.to).map_err(Failure::fault(cannot()))?;
        let copied = journal_file::backup(&OsDisk::new(&self.data), &OsDisk::new(&self.to));
        let copied = copied.map_err(|error| {
            let why = match error {
                OpenError::NotInitialised => "there is no journal in files",
                OpenError::AlreadyInitialised => "there is a journal at the copy's place already",
                OpenError::Locked => "the copy's place is in use",
                error => return Failure::fault(cannot())(error),
            };
            Failure::Fault { doing: cannot(), source: why.into() }
        })?;
        println!(
            "{} holds {} groups in {} archives and {} segments; verify it",
            self.to.display(),
            copied.tail.position,
            copied.archives,
            copied.segments
        );
        Ok(())
    }
}

/// What says that a directory is a sandbox, and how far its clock was moved.
fn copy_mark(from: &Path, to: &Path) -> std::io::Result<()> {
    let mark = from.join(server::SANDBOX_MARK);
    if mark.exists() { std::fs::copy(mark, to.join(server::SANDBOX_MARK)).map(drop) } else { Ok(()) }
}
