//! Books whose journal is in a database. The directory keeps what is local, and which journal it belongs to.

use std::path::Path;
use std::sync::Arc;

use engine::{Clock, SystemClock};
use journal::Vault;
use journal_postgres::{Database, Incarnation, Options, Url};

use super::{BooksError, BooksOptions, Opened, fresh_incarnation};

/// Names the journal that the directory belongs to.
const INCARNATION: &str = "journal-incarnation";
/// Of a journal in files.
const FILES: &str = "identity";
/// Fixed when the journal is made: a book is a shard of organizations.
const BOOKS: u32 = 8;
const SKEW_MAX_MICROS: i64 = 2_000_000;

/// Whether the directory belongs to a journal in a database.
pub(super) fn is_named(directory: &Path) -> bool {
    directory.join(INCARNATION).exists()
}

pub(super) fn open_database(
    directory: &Path,
    url: &str,
    options: &BooksOptions,
) -> Result<Opened, BooksError> {
    if directory.join(FILES).exists() {
        return Err(BooksError::HoldsFiles { path: directory.to_owned() });
    }
    let url = Url::parse(url, |name| std::env::var(name).ok())?;
    let database = Database::connect(&url, Options::default())?;
    if options.migrate {
        database.migrate()?;
    }
    check_clock(&database, options)?;
    let known = database.incarnation()?;
    let is_new = known.is_none();
    let incarnation = known.unwrap_or_else(fresh_incarnation);
    if is_new {
        database.init(incarnation, BOOKS)?;
    }
    belong(directory, &incarnation)?;
    let journal = database.open(0)?;
    tracing::info!(journal = %url, "the journal is in a database");
    let vault: Arc<dyn Vault> = journal.vault();
    Ok(Opened { journal: Box::new(journal), vault, is_new })
}

/// Whoever takes over is on another clock: they must not be far apart.
fn check_clock(database: &Database, options: &BooksOptions) -> Result<(), BooksError> {
    let skew_micros = SystemClock::default().now().micros_since(database.now()?);
    if skew_micros.abs() > SKEW_MAX_MICROS && !options.confirm_clock {
        return Err(BooksError::ClockSkew { seconds: skew_micros / 1_000_000 });
    }
    Ok(())
}

/// What is local in the directory is of one journal only.
fn belong(directory: &Path, incarnation: &Incarnation) -> Result<(), BooksError> {
    let name: String = incarnation.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = directory.join(INCARNATION);
    let unusable = |source| BooksError::Directory { path: directory.to_owned(), source };
    match std::fs::read_to_string(&path) {
        Ok(known) if known.trim() == name => Ok(()),
        Ok(_) => Err(BooksError::OtherJournal { path: directory.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::write(&path, format!("{name}\n")).map_err(unusable)
        }
        Err(error) => Err(unusable(error)),
    }
}
