//! From one table of the journal to the next.

use std::time::Duration;

use journal::{AppendError, Journal, Tail};

use super::{PostgresJournal, Row, unknown};
use crate::book::{CLOSED, CLOSED_EVENTS, Era};
use crate::error::{DatabaseError, Meaning};
use crate::schema;

impl PostgresJournal {
    /// Makes the next table ahead of need, and goes on to it when this one is full.
    pub(super) fn look_after_era(&mut self, until: Duration) -> Result<(), AppendError> {
        let (groups, tail, is_behind) = {
            let index = self.book.index();
            let era = index.open_era();
            (index.tail.position - era.guard, index.tail.position, era.number < index.newest)
        };
        if is_behind {
            // Other books have gone on: a table that one idle book still stands in could never be dropped.
            self.cross(until)?;
            return self.look_after_era(until);
        }
        let limit = self.options.era;
        if groups == 0 || tail < self.postponed {
            return Ok(());
        }
        let reached = |quarters: u64| {
            groups >= limit.groups / 4 * quarters || self.era_bytes >= limit.bytes / 4 * quarters
        };
        if reached(3) && !self.next_era_is_made {
            let next = self.era().number + 1;
            self.next_era_is_made = self.lane.with(|session| schema::make_era(session, next)).is_ok();
            if !self.next_era_is_made {
                // The limit is soft: a table that is a little larger is better than a stopped book.
                self.postponed = tail + limit.groups / 64 + 1;
                return Ok(());
            }
        }
        if reached(4) { self.cross(until) } else { Ok(()) }
    }

    /// Closes the open table by a row in the place of the next group, so that nobody else appends
    /// there, and goes on in the next one.
    pub(super) fn cross(&mut self, until: Duration) -> Result<(), AppendError> {
        let tail = self.tail();
        let (position, era) = (tail.position + 1, self.era());
        let closing = Row { position, chain: CLOSED, events: CLOSED_EVENTS, body: &[], previous: tail.chain };
        let next = Era { number: era.number + 1, guard: tail.position };
        let made = self.lane.with(|session| schema::make_era(session, next.number));
        made.map_err(|error| AppendError::Fault { position, source: error.into() })?;
        self.put(&closing, until)?;
        self.copy_guard(era, next, &tail).map_err(|error| unknown(position, error))?;
        self.book.index_mut().eras.push(next);
        self.next_era_is_made = false;
        self.era_bytes = 0;
        Ok(())
    }

    /// Whether it was there already, or is another's, shows when the next group looks for it.
    fn copy_guard(&self, era: Era, next: Era, tail: &Tail) -> Result<(), DatabaseError> {
        let sql = format!(
            "INSERT INTO {} (book, position, chain, events, body) \
             SELECT book, position, chain, events, body FROM {} \
             WHERE book = $1 AND position = $2 AND chain = $3",
            next.table(),
            era.table()
        );
        self.lane.with(|session| {
            let done = session
                .execute(&sql, &[&self.book.number, &(tail.position as i64), &tail.chain.0.as_slice()]);
            match done {
                Err(error) if error.meaning() == Meaning::Taken => Ok(()),
                done => done.map(drop),
            }
        })
    }
}
