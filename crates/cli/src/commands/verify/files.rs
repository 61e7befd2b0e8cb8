//! A data directory.

use std::path::Path;

use journal_file::{Background, FileJournal, OpenError, Options, OsDisk};

use super::report::Damage;
use super::{NotVerified, Stored, Verified, fold};
use crate::failure::Failure;

pub(super) fn verify(data: &Path) -> Result<Verified, NotVerified> {
    let opening = |error| NotVerified::Failure(explained(data, error));
    let files = journal_file::verify(&OsDisk::new(data)).map_err(opening)?;
    if !files.damage.is_empty() {
        let damage = files.damage.into_iter().map(|it| Damage { place: it.place, reason: it.reason });
        return Err(NotVerified::Damaged(damage.collect()));
    }
    let (journal, _) =
        FileJournal::open(OsDisk::new(data), Options::default(), Background::Manual).map_err(opening)?;
    let stored = Stored::Files { segments: files.segments, archives: files.archives };
    let only = fold(&data.display().to_string(), &journal, &journal.vault())?;
    Ok(Verified { stored, books: vec![only] })
}

/// In words for whoever typed the command.
fn explained(data: &Path, error: OpenError) -> Failure {
    let doing = format!("cannot verify {}", data.display());
    let why = match error {
        OpenError::Locked => "a server is running on it; stop that server first",
        OpenError::NotInitialised => "this is no data directory",
        error => return Failure::fault(doing)(error),
    };
    Failure::Fault { doing, source: why.into() }
}
