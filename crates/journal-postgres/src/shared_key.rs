//! Keys that all who use a journal have in common: made by whoever asks first.

use journal::VaultKey;

use crate::error::Meaning;
use crate::row::Row;
use crate::{Database, OpenError};

/// In the vault, beside the books': of no book.
const CLUSTER: i64 = -1;
const NODES_SECRET: i64 = 0;
const SANDBOX: i64 = 1;

impl Database {
    /// By which the nodes of this journal know each other: `fresh`, if this is the first that asks.
    pub fn nodes_secret(&self, fresh: VaultKey) -> Result<VaultKey, OpenError> {
        self.kept(CLUSTER, NODES_SECRET, fresh)
    }

    /// Whether the journal is a marked test server's: as the first that asks says of itself.
    pub fn is_sandbox(&self, asked: bool) -> Result<bool, OpenError> {
        let mark = |is_sandbox| VaultKey([u8::from(is_sandbox); 32]);
        Ok(self.kept(CLUSTER, SANDBOX, mark(asked))? != mark(false))
    }

    /// The key that `owner` has in a book's vault: `fresh`, if it has none yet.
    pub fn kept_key(&self, book: u32, owner: u64, fresh: VaultKey) -> Result<VaultKey, OpenError> {
        self.kept(i64::from(book), owner as i64, fresh)
    }

    /// Written once more before it is used, so that no failover takes it back.
    fn kept(&self, book: i64, owner: i64, fresh: VaultKey) -> Result<VaultKey, OpenError> {
        let insert = "INSERT INTO vault (book, owner, key) SELECT $1::int8, $2::int8, $3::bytea \
                      WHERE NOT EXISTS (SELECT 1 FROM vault WHERE book = $1 AND owner = $2)";
        let update = "UPDATE vault SET key = key WHERE book = $1 AND owner = $2";
        let select = "SELECT key FROM vault WHERE book = $1 AND owner = $2";
        let rows = self.lane().with(|session| {
            match session.execute(insert, &[&book, &owner, &fresh.0.as_slice()]) {
                Err(error) if error.meaning() != Meaning::Taken => return Err(error),
                _ => {}
            }
            session.execute(update, &[&book, &owner])?;
            session.query(select, &[&book, &owner])
        })?;
        let key = rows.first().and_then(|row: &Row| row.get::<&[u8]>(0).try_into().ok());
        key.map(VaultKey).ok_or_else(|| OpenError::Damaged {
            place: "vault".to_owned(),
            reason: "a key that all have in common is not one".to_owned(),
        })
    }
}
