//! Where books end: what followers ask many times a second, for all of them at once.
//!
//! A plain read proves nothing: a primary that was replaced answers it for ever, and a row may be visible that
//! is on no standby. A write of one's own behind it, on the same session, proves both: it is acknowledged only
//! by the one that may write, and is in the log behind everything that was seen.

use std::collections::BTreeMap;

use journal::{Chain, Tail};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::book::CLOSED;
use crate::database::Database;
use crate::error::DatabaseError;
use crate::hosts::Session;
use crate::lane::Lane;
use crate::nodes::NodeId;
use crate::row::Row;

/// One node's view of where books end, on a connection of its own.
pub struct Ends {
    lane: Lane,
    me: Uuid,
}

/// Where books ended at one moment after it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// None: in another table than the one that was looked at.
    pub ends: BTreeMap<u32, Option<Tail>>,
    /// It is durable, and nothing was acknowledged before it was asked for that is not in it.
    pub is_proven: bool,
}

impl Ends {
    pub fn new(database: &Database, me: NodeId) -> Self {
        Self { lane: Lane::new(database.connector()), me: Uuid::from_bytes(me) }
    }

    /// Where these books end, each in the table in which it was last seen. With `prove`, only what is proven is
    /// told: nothing, if it is not.
    pub fn look(&self, books: &BTreeMap<u32, u32>, prove: bool) -> Result<Seen, DatabaseError> {
        let session = self.lane.session()?;
        let seen = self.look_on(&*session, books, prove);
        if seen.as_ref().is_err_and(DatabaseError::ends_session) {
            self.lane.drop_session(&session);
        }
        seen
    }

    fn look_on(
        &self,
        session: &dyn Session,
        books: &BTreeMap<u32, u32>,
        prove: bool,
    ) -> Result<Seen, DatabaseError> {
        let mut by_era: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
        for (book, era) in books {
            by_era.entry(*era).or_default().push(i64::from(*book));
        }
        let mut ends = BTreeMap::new();
        for (era, books) in by_era {
            match session.query(&newest_of(era), &[&books.as_slice()]) {
                // A closed table that was dropped.
                Err(error) if error.has_code(&SqlState::UNDEFINED_TABLE) => {
                    ends.extend(books.iter().filter_map(|book| Some((u32::try_from(*book).ok()?, None))));
                }
                rows => ends.extend(rows?.iter().filter_map(end_of)),
            }
        }
        if !prove {
            return Ok(Seen { ends, is_proven: false });
        }
        // A node that has no row is not among those who count.
        let sql = "UPDATE node SET beats = beats + 1 WHERE node = $1";
        match session.execute(sql, &[&self.me])? {
            0 => Ok(Seen::default()),
            _ => Ok(Seen { ends, is_proven: true }),
        }
    }
}

/// Two looks into the key for each book.
pub(crate) fn newest_of(era: u32) -> String {
    let newest = |column| {
        format!(
            "(SELECT journal_{era}.{column} FROM journal_{era} WHERE journal_{era}.book = book.book \
             ORDER BY journal_{era}.position DESC LIMIT 1)"
        )
    };
    format!(
        "SELECT book.book, {}, {} FROM book WHERE book.book = ANY($1)",
        newest("position"),
        newest("chain")
    )
}

fn end_of(row: &Row) -> Option<(u32, Option<Tail>)> {
    let book = u32::try_from(row.get::<i64>(0)).ok()?;
    let position = row.get::<Option<i64>>(1);
    let chain = row.get::<Option<&[u8]>>(2).and_then(|chain| chain.try_into().ok()).map(Chain);
    let end = position.zip(chain).map(|(position, chain)| Tail { position: position as u64, chain });
    Some((book, end.filter(|end| end.chain != CLOSED)))
}
