//! A journal in a database.

use journal_postgres::{Database, OpenError, Options, Url};

use super::report::Damage;
use super::{NotVerified, Stored, Verified, fold};
use crate::failure::Failure;

pub(super) fn verify(url: &Url) -> Result<Verified, NotVerified> {
    let failed =
        |error: OpenError| NotVerified::Failure(Failure::fault(format!("cannot verify {url}"))(error));
    let database = Database::connect(url, Options::default()).map_err(failed)?;
    let numbers = 0..database.books().map_err(failed)?;
    let (mut damage, mut eras) = (Vec::new(), 0);
    for number in numbers.clone() {
        let tables = database.verify(number).map_err(failed)?;
        damage.extend(tables.damage.into_iter().map(|it| Damage { place: it.place, reason: it.reason }));
        eras = eras.max(tables.eras);
    }
    if !damage.is_empty() {
        return Err(NotVerified::Damaged(damage));
    }
    let mut books = Vec::new();
    for number in numbers {
        let journal = database.open(number).map_err(failed)?;
        let book = fold(&format!("book {number} of {url}"), &journal, &journal.vault())?;
        if number == 0 || book.events > 0 {
            books.push(book);
        }
    }
    Ok(Verified { stored: Stored::Tables { eras }, books })
}
