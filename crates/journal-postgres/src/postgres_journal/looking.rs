//! Where the book ends by now, for one who follows another writer.

use journal::{Chain, Journal, ReadError, Tail};
use tokio_postgres::error::SqlState;

use super::PostgresJournal;
use crate::book::{self, CLOSED};
use crate::database::bytes_of;

impl PostgresJournal {
    /// One row, while the book stays in its table.
    pub(super) fn look_again(&mut self) -> Result<Tail, ReadError> {
        let (tail, era) = (self.tail(), self.era());
        let sql = format!(
            "SELECT position, chain FROM {} WHERE book = $1 AND position >= $2 \
             ORDER BY position DESC LIMIT 1",
            era.table()
        );
        let (number, position) = (self.book.number, tail.position as i64);
        let rows = match self.book.lane.with(|session| session.query(&sql, &[&number, &position])) {
            Err(error) if error.has_code(&SqlState::UNDEFINED_TABLE) => Vec::new(),
            rows => rows.map_err(|error| self.book.read_fault(tail.position, error))?,
        };
        let newest = rows.first().and_then(|row| {
            Some(Tail {
                position: row.get::<i64>(0) as u64,
                chain: Chain(row.get::<&[u8]>(1).try_into().ok()?),
            })
        });
        match newest.filter(|newest| newest.chain != CLOSED) {
            Some(newest) => self.book.index_mut().tail = newest,
            // The book has left the table, or what was known of it is gone.
            None => self.look_anew()?,
        }
        Ok(self.tail())
    }

    fn look_anew(&mut self) -> Result<(), ReadError> {
        let position = self.tail().position;
        let session = self.book.lane.session().map_err(|error| self.book.read_fault(position, error))?;
        let index = book::load(&*session, &self.book.lane, self.book.number as u32)
            .map_err(|error| ReadError::Fault { position, source: std::io::Error::other(error) })?;
        let bytes = bytes_of(&*session, &index.open_era().table());
        (*self.book.index_mut(), self.era_bytes, self.next_era_is_made) = (index, bytes, false);
        Ok(())
    }
}
