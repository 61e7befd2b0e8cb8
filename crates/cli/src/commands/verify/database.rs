//! A journal in a database.

use journal_postgres::{Database, OpenError, Options, Url};

use super::report::Damage;
use super::{NotVerified, Stored, Verified, books};
use crate::failure::Failure;

pub(super) fn verify(url: &Url) -> Result<Verified, NotVerified> {
    let failed =
        |error: OpenError| NotVerified::Failure(Failure::fault(format!("cannot verify {url}"))(error));
    let database = Database::connect(url, Options::default()).map_err(failed)?;
    let tables = database.verify(0).map_err(failed)?;
    if !tables.damage.is_empty() {
        let damage = tables.damage.into_iter().map(|it| Damage { place: it.place, reason: it.reason });
        return Err(NotVerified::Damaged(damage.collect()));
    }
    let journal = database.open(0).map_err(failed)?;
    books(&url.to_string(), &journal, &journal.vault(), Stored::Tables { eras: tables.eras })
}
