//! The keys beside the journal, in a table of their own: `owner, key`, and an empty key where one was
//! destroyed. All of them are in memory, for the book asks on its way.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use journal::{Vault, VaultError, VaultKey};

use crate::error::{DatabaseError, Meaning};
use crate::hosts::Session;
use crate::lane::Lane;
use crate::row::Row;

/// Keys read at once.
const PAGE: i64 = 65_536;
/// Others may put keys of the same owners at the same time.
const RACES_MAX: u32 = 8;

pub(crate) struct PostgresVault {
    lane: Arc<Lane>,
    book: i64,
    /// A destroyed key stays as `None`, so that its owner gets no other.
    keys: RwLock<HashMap<u64, Option<VaultKey>>>,
}

impl PostgresVault {
    pub(crate) fn open(lane: Arc<Lane>, book: i64) -> Result<Self, DatabaseError> {
        let mut keys = HashMap::new();
        let (mut after, sql) = (
            i64::MIN,
            "SELECT owner, key FROM vault WHERE book = $1 AND owner >= $2 ORDER BY owner LIMIT $3",
        );
        loop {
            let rows = lane.with(|session| session.query(sql, &[&book, &after, &PAGE]))?;
            keys.extend(rows.iter().map(key_of));
            let last = rows.last().map(|row| row.get::<i64>(0));
            match last.and_then(|last| last.checked_add(1)) {
                Some(next) if rows.len() as i64 == PAGE => after = next,
                _ => break,
            }
        }
        Ok(Self { lane, book, keys: RwLock::new(keys) })
    }

    fn keys(&self) -> RwLockReadGuard<'_, HashMap<u64, Option<VaultKey>>> {
        self.keys.read().expect("no holder of this lock panics")
    }

    fn keys_mut(&self) -> RwLockWriteGuard<'_, HashMap<u64, Option<VaultKey>>> {
        self.keys.write().expect("no holder of this lock panics")
    }

    /// Runs statements that may be repeated. When the outcome of one was unknown, what stands there may
    /// be on no standby: the keys are written once more, and that is acknowledged.
    fn settled(
        &self,
        owners: &[i64],
        write: impl Fn(&dyn Session) -> Result<u64, DatabaseError>,
    ) -> Result<u64, DatabaseError> {
        let in_doubt = std::cell::Cell::new(false);
        self.lane.with(|session| {
            let done = write(session);
            match &done {
                Err(error) => in_doubt.set(in_doubt.get() || error.meaning() == Meaning::Unknown),
                Ok(_) if in_doubt.get() => {
                    let again = "UPDATE vault SET key = key WHERE book = $1 AND owner = ANY($2)";
                    session.execute(again, &[&self.book, &owners])?;
                }
                Ok(_) => {}
            }
            done
        })
    }

    fn insert(&self, fresh: &[(u64, VaultKey)]) -> Result<(), DatabaseError> {
        let owners: Vec<i64> = fresh.iter().map(|(owner, _)| *owner as i64).collect();
        let keys: Vec<&[u8]> = fresh.iter().map(|(_, key)| key.0.as_slice()).collect();
        let sql = "INSERT INTO vault (book, owner, key) SELECT $1, fresh.owner, fresh.key \
             FROM unnest($2::int8[], $3::bytea[]) AS fresh (owner, key) WHERE NOT EXISTS \
             (SELECT 1 FROM vault WHERE vault.book = $1 AND vault.owner = fresh.owner)";
        let mut races = 0;
        let inserted = loop {
            match self.settled(&owners, |session| session.execute(sql, &[&self.book, &owners, &keys])) {
                Err(error) if error.meaning() == Meaning::Taken && races < RACES_MAX => races += 1,
                inserted => break inserted?,
            }
        };
        if inserted == fresh.len() as u64 {
            self.keys_mut().extend(fresh.iter().map(|(owner, key)| (*owner, Some(*key))));
            return Ok(());
        }
        // Some were there: theirs stay.
        self.read(&owners)
    }

    fn read(&self, owners: &[i64]) -> Result<(), DatabaseError> {
        let sql = "SELECT owner, key FROM vault WHERE book = $1 AND owner = ANY($2)";
        let rows = self.lane.with(|session| session.query(sql, &[&self.book, &owners]))?;
        self.keys_mut().extend(rows.iter().map(key_of));
        Ok(())
    }
}

fn key_of(row: &Row) -> (u64, Option<VaultKey>) {
    let key: &[u8] = row.get(1);
    (row.get::<i64>(0) as u64, key.try_into().ok().map(VaultKey))
}

impl Vault for PostgresVault {
    fn get(&self, owner: u64) -> Option<VaultKey> {
        self.keys().get(&owner).copied().flatten()
    }

    fn all(&self) -> Vec<(u64, Option<VaultKey>)> {
        let mut all: Vec<_> = self.keys().iter().map(|(owner, key)| (*owner, *key)).collect();
        all.sort_unstable_by_key(|(owner, _)| *owner);
        all
    }

    fn put(&self, keys: &[(u64, VaultKey)]) -> Result<(), VaultError> {
        let mut fresh: Vec<(u64, VaultKey)> = Vec::new();
        {
            let kept = self.keys();
            let mut seen = std::collections::HashSet::new();
            fresh.extend(keys.iter().filter(|(owner, _)| !kept.contains_key(owner) && seen.insert(*owner)));
        }
        if fresh.is_empty() {
            return Ok(());
        }
        self.insert(&fresh).map_err(fault)
    }

    fn refresh(&self, owners: &[u64]) -> Result<(), VaultError> {
        let owners: Vec<i64> = owners.iter().map(|owner| *owner as i64).collect();
        owners.chunks(PAGE as usize).try_for_each(|some| self.read(some)).map_err(fault)
    }

    fn destroy(&self, owner: u64) -> Result<(), VaultError> {
        let id = owner as i64;
        let gone: &[u8] = &[];
        let update = "UPDATE vault SET key = $3 WHERE book = $1 AND owner = $2";
        let insert = "INSERT INTO vault (book, owner, key) VALUES ($1, $2, $3)";
        let write = |session: &dyn Session| match session.execute(update, &[&self.book, &id, &gone])? {
            0 => session.execute(insert, &[&self.book, &id, &gone]),
            rows => Ok(rows),
        };
        let mut races = 0;
        loop {
            match self.settled(&[id], write) {
                Err(error) if error.meaning() == Meaning::Taken && races < RACES_MAX => races += 1,
                done => {
                    done.map_err(fault)?;
                    break;
                }
            }
        }
        self.keys_mut().insert(owner, None);
        Ok(())
    }
}

fn fault(error: DatabaseError) -> VaultError {
    VaultError::Fault(io::Error::from(error))
}
