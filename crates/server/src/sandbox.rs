//! What makes a data directory a sandbox: a file that is there from the first start on, and says how far
//! ahead of the machine's clock its own has been moved.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{SandboxClock, SystemClock};

use crate::BookError;

/// The file that says that a data directory is a sandbox, and how far its clock was moved.
pub const MARK: &str = "sandbox";

/// A directory that was marked.
pub(crate) struct Sandbox {
    mark: PathBuf,
}

impl Sandbox {
    /// None for a directory that is not one, and is not asked to be. It is one from its first start on.
    pub(crate) fn of(directory: &Path, is_new: bool, asked: bool) -> Result<Option<Self>, BookError> {
        let path = directory.to_owned();
        let sandbox = Self { mark: directory.join(MARK) };
        match (asked, sandbox.mark.exists()) {
            (true, true) => Ok(Some(sandbox)),
            (true, false) if is_new => {
                sandbox.keep(0).map_err(|source| BookError::Directory { path, source })?;
                Ok(Some(sandbox))
            }
            (true, false) => Err(BookError::NotASandbox { path }),
            (false, true) => Err(BookError::IsASandbox { path }),
            (false, false) => Ok(None),
        }
    }

    /// The clock of a directory that is one.
    pub(crate) fn clock_of(
        directory: &Path,
        is_new: bool,
        asked: bool,
    ) -> Result<Option<Arc<SandboxClock>>, BookError> {
        let sandbox = Self::of(directory, is_new, asked)?;
        sandbox.map(|sandbox| sandbox.clock().map(Arc::new)).transpose()
    }

    fn clock(self) -> Result<SandboxClock, BookError> {
        let ahead =
            self.ahead_micros().map_err(|source| BookError::Directory { path: self.mark.clone(), source })?;
        Ok(SandboxClock::new(Arc::new(SystemClock::default()), ahead, move |ahead| self.keep(ahead)))
    }

    fn ahead_micros(&self) -> io::Result<i64> {
        let text = std::fs::read_to_string(&self.mark)?;
        // Marks of earlier releases are empty: their clocks could not be moved.
        let text = text.trim().trim_end_matches(UNIT).trim();
        if text.is_empty() { Ok(0) } else { text.parse().map_err(io::Error::other) }
    }

    /// All of it or nothing, even if the machine stops in the middle.
    fn keep(&self, ahead_micros: i64) -> io::Result<()> {
        let partial = self.mark.with_extension("partial");
        let mut file = File::create(&partial)?;
        writeln!(file, "{ahead_micros} {UNIT}")?;
        file.sync_all()?;
        std::fs::rename(&partial, &self.mark)?;
        let directory = self.mark.parent().expect("a mark stands in its directory");
        File::open(directory)?.sync_all()
    }
}

const UNIT: &str = "microseconds ahead";

#[cfg(test)]
mod tests;
