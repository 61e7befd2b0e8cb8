use std::path::{Path, PathBuf};

use clap::Args;

use super::copy::{copy, is_used};
use super::place::Place;
use crate::commands::database::{connect, parse};
use crate::failure::Failure;

/// Archive a journal in a database, book by book.
///
/// Each book becomes a data directory of its own (`book-0`, `book-1` …), with its keys, held against every hash and
/// the original's chain: `bursar verify --data` reads it. What was archived before is not archived again. Its
/// servers may run meanwhile. Tables that no book writes any more are frozen, so that vacuum leaves them alone.
#[derive(Debug, Args)]
pub(crate) struct Archive {
    /// The URL of the database.
    #[arg(long, env = "BURSAR_JOURNAL", hide_env_values = true, value_name = "URL")]
    journal: String,
    /// A directory, made if it is not there. Nothing else may be in it.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Where the archive of a book is.
pub(super) fn directory_of(archive: &Path, book: u32) -> PathBuf {
    archive.join(format!("book-{book}"))
}

impl Archive {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let url = parse(&self.journal)?;
        let database = connect(&url)?;
        let cannot = || format!("cannot archive {url}");
        let from = Place::Database(url.clone());
        let (mut all, mut fresh) = (0, 0);
        for book in 0..from.books()? {
            let source = from.open(book)?;
            // A book in which nothing ever happened has nothing to keep.
            if book > 0 && !is_used(&source)? {
                continue;
            }
            let to = Place::Directory(directory_of(&self.to, book));
            to.ensure(1)?;
            let (groups, copied) = copy(&source, &mut to.open(0)?, &from, &to)?;
            (all, fresh) = (all + groups, fresh + copied);
        }
        let left = database.left_era().map_err(Failure::fault(cannot()))?;
        database.freeze_eras(left).map_err(Failure::fault(cannot()))?;
        println!("{} holds all {all} groups of {url}, {fresh} of them archived now", self.to.display());
        Ok(())
    }
}
