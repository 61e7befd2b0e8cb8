//! Tables that a book has left: what an operator may archive, and drop.

use journal::{Archive, Journal, ReadError};

use crate::book;
use crate::error::OpenError;
use crate::{Database, PostgresJournal};

impl PostgresJournal {
    /// The tables that this book has left and that are still there, oldest first, as archives: they are never
    /// written again.
    pub fn left_eras(&self) -> Result<Vec<Archive>, ReadError> {
        let eras = self.book.index().eras.clone();
        let reader = self.reader();
        let time = |position: u64| reader.group(position).map(|group| group.header().time);
        let mut left = Vec::new();
        for pair in eras.windows(2) {
            let (first, last) = (pair[0].guard + 1, pair[1].guard);
            // A book may leave a table in which it has written nothing.
            if first <= last {
                let number = u64::from(pair[0].number);
                let (first_time, last_time) = (time(first)?, time(last)?);
                left.push(Archive { number, first, last, first_time, last_time });
            }
        }
        Ok(left)
    }
}

impl Database {
    /// The newest table that every book has left; 0, if there is none.
    pub fn left_era(&self) -> Result<u32, OpenError> {
        let session = self.session()?;
        let mut left = u32::MAX;
        for number in 0..self.books()? {
            let index = book::load(&*session, self.lane(), number)?;
            left = left.min(index.open_era().number - 1);
        }
        Ok(left)
    }

    /// Spares vacuum the tables that nobody writes any more. Engines that know no vacuum do without.
    pub fn freeze_eras(&self, until: u32) -> Result<(), OpenError> {
        let session = self.session()?;
        for era in 1..=until.min(self.left_era()?) {
            drop(session.run(&format!("VACUUM (FREEZE) journal_{era}")));
        }
        Ok(())
    }

    /// Drops the tables up to `until`; how many there were. Every book begins behind them, or nothing is done.
    pub fn drop_eras(&self, until: u32) -> Result<u32, OpenError> {
        let session = self.session()?;
        for number in 0..self.books()? {
            let index = book::load(&*session, self.lane(), number)?;
            let begins = index.anchor.map_or(0, |anchor| anchor.tail.position);
            let kept = index.eras.iter().find(|era| era.number > until).map(|era| era.guard);
            if kept.is_none_or(|guard| guard > begins) {
                return Err(OpenError::StillNeeded { book: number, era: until });
            }
        }
        let mut dropped = 0;
        for era in 1..=until {
            let there = session.query(&format!("SELECT book FROM journal_{era} LIMIT 1"), &[]).is_ok();
            session.run(&format!("DROP TABLE IF EXISTS journal_{era}"))?;
            dropped += u32::from(there);
        }
        Ok(dropped)
    }
}
