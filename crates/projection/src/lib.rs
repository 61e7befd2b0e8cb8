//! The books as plain SQL tables, kept behind the journal, for people and the tools they have.
//!
//! The one idea: **a batch of groups and the position it ends at are one transaction.** Whatever happens,
//! the tables say exactly what the journal said at `reporting.progress`, and going on from there is right.
//! Nothing decides by them, and nothing waits for them.
//!
//! ```text
//! journal ─▶ Passages ─▶ Batch: events as rows ─▶ one transaction ─▶ reporting.*
//!                        ▲                        (only behind the position it began at)
//!                        Catalog: zones, and what a balance was before
//! ```
//!
//! | table | one row for each |
//! |---|---|
//! | `organization`, `account`, `handle`, `credential`, `name` | what entries name |
//! | `balance` | balance, as it is |
//! | `entry` | entry of a balance, with the amounts after it |
//! | `daily_usage` | day, account, currency, product and credential |
//! | `progress` | book: how far the tables are |
//!
//! Money is two columns, whole units and nanos (10⁻⁹) of the same sign; the views `balances`, `entries` and
//! `usage` print it as numbers, beside names instead of numbers.
//!
//! Invariants: `daily_usage` sums to the charges among the entries; an `amount` is what an entry changed of
//! the posted balance, so they sum to it. Left out: what only the engine needs (passwords, links, digests).

mod batch;
mod catalog;
mod follower;
mod row;
mod schema;
mod seed;
mod table;

pub use follower::{Follower, Source, Standing, catch_up};
pub use schema::VERSION;

use engine::HistoryError;
use journal_postgres::{DatabaseError, UrlError};

/// Why the tables could not be brought further, this time.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Connect(#[from] DatabaseError),
    #[error("the database of the reporting tables failed")]
    Database(#[from] tokio_postgres::Error),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(
        "the reporting tables are of version {found}, and this release writes {VERSION}: make them anew with \
         `bursar reporting rebuild`"
    )]
    Version { found: i32 },
    #[error(
        "the reporting tables follow another journal, or one that has lost position {position}: make them anew \
         with `bursar reporting rebuild`"
    )]
    OtherJournal { position: u64 },
    #[error("somebody else writes the reporting tables, too")]
    Overtaken,
    #[error(transparent)]
    TimeZone(#[from] engine::UnknownTimeZone),
}

/// Drops the tables, and makes them empty: whoever follows the journal begins again. Views that others
/// made on them are not dropped, and keep this from happening.
pub async fn rebuild(url: &journal_postgres::Url) -> Result<(), ProjectionError> {
    let mut client = url.connect().await?;
    schema::rebuild(&mut client).await
}
