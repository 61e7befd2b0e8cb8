//! One ordered, append-only, hash-chained journal of groups, and what every kind of journal promises.
//!
//! The one idea: a group names its predecessor by position **and** hash, so an append succeeds only
//! behind the history its writer has seen. Everything else (recovery, taking over, unknown outcomes)
//! follows from that and from asking the journal again.
//!
//! | promise | who keeps it |
//! |---|---|
//! | a group that [`Journal::append`] answered is there after any crash | the journal |
//! | a group is there whole or not at all | the journal, by the chain hash over header and body |
//! | two writers never both append behind one predecessor | the journal |
//! | what was read back after a crash is durable | nobody, until a barrier group was appended behind it |
//!
//! Left out: what a group's body means. Events are the engine's; here they are bytes.

mod anchor;
mod causes;
pub mod conformance;
mod damage;
mod group;
mod memory;
mod sidecar;
mod snapshot;
mod vault;

use std::sync::Arc;

pub use anchor::{Anchor, Retention};
pub use causes::with_causes;
pub use damage::Damage;
pub use group::{Chain, GROUP_BYTES_MAX, Group, GroupError, HEADER_BYTES, Header, Tail};
pub use memory::{MemoryJournal, MemoryStore, MemoryVault};
pub use sidecar::{Archive, Sidecar};
pub use snapshot::{Chunks, SnapshotError, SnapshotId, SnapshotWriter, Snapshots};
pub use vault::{Vault, VaultError, VaultKey};

/// Where the groups of one book are kept. One writer; appends are durable when they return.
pub trait Journal: Send {
    /// The last group that is durable. Position 0 with the zero chain stands before the first.
    fn tail(&self) -> Tail;

    /// Makes `group` durable behind its predecessor, or says why not.
    ///
    /// A journal that had to find out what became of an attempt may have put an empty group of its own
    /// behind it: the next group stands behind [`Journal::tail`], which need not be this one.
    ///
    /// After any error but [`AppendError::Full`] nothing may be appended until the journal was opened again.
    fn append(&mut self, group: &Group) -> Result<(), AppendError>;

    /// Answers once it is certain that nobody had appended behind [`Journal::tail`] when this was called:
    /// what was read from the state without an append of its own leaves only then. A journal that one
    /// process locks has nothing to ask. After an error nothing may be appended, as after [`Journal::append`].
    fn prove(&mut self) -> Result<(), AppendError> {
        Ok(())
    }

    /// Where it ends by now, for one who reads while another writes: from here on readers see that far. What
    /// was seen is not durable by that.
    fn look(&mut self) -> Result<Tail, ReadError> {
        Ok(self.tail())
    }

    /// Whether there is room for more than the ending of what was begun.
    fn room(&self) -> Room;

    /// Everything before `position` has two complete snapshots behind it: its space may be used again
    /// once it is archived.
    fn release_before(&mut self, position: u64);

    fn reader(&self) -> Arc<dyn Reader>;

    fn snapshots(&self) -> Arc<dyn Snapshots>;
}

/// Reads durable groups, from any thread, while the journal is being written.
pub trait Reader: Send + Sync {
    fn tail(&self) -> Tail;

    /// The whole group, checked against its own hash.
    fn group(&self, position: u64) -> Result<Group, ReadError>;

    /// At most `length` bytes of a group's body from `offset` on, appended to `into`. Walking a history
    /// calls this per hop, so the chain hash is not computed.
    fn slice(&self, position: u64, offset: usize, length: usize, into: &mut Vec<u8>)
    -> Result<(), ReadError>;

    /// Where it begins, if its oldest groups were removed.
    fn anchor(&self) -> Option<Anchor> {
        None
    }

    /// The state at the anchor, each chunk checked.
    fn anchor_chunks(&self) -> Result<Chunks, SnapshotError> {
        Err(SnapshotError::Damaged { place: "no anchor".to_owned() })
    }

    /// The groups from `from` to the tail as it is now, in order, each checked and chained to the one before.
    fn scan(&self, from: u64) -> Result<Scan, ReadError>;

    /// What was sealed, oldest first, each with its sidecar.
    fn archives(&self) -> Vec<Archive>;

    /// What was sealed after the archive of this number. The engine asks after each group, so a journal
    /// that seals answers without copying the whole list.
    fn archives_after(&self, number: u64) -> Vec<Archive> {
        let mut archives = self.archives();
        archives.retain(|archive| archive.number > number);
        archives
    }

    /// The whole sidecar, checked.
    fn sidecar(&self, archive: &Archive) -> Result<Vec<u8>, ReadError>;

    /// At most `length` bytes of a sidecar from `offset` on, appended to `into`. Whoever reads a piece
    /// must be able to check it by itself.
    fn sidecar_slice(
        &self,
        archive: &Archive,
        offset: u64,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let bytes = self.sidecar(archive)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(length).min(bytes.len());
        into.extend_from_slice(&bytes[start..end]);
        Ok(())
    }
}

pub type Scan = Box<dyn Iterator<Item = Result<Group, ReadError>> + Send>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Ample,
    /// Only what releases or settles (voids, captures, expiries) should still be written.
    Reserved,
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else's group stands behind the predecessor.
    #[error("another writer appended behind position {position}")]
    Fenced { position: u64 },
    /// The predecessor is gone or is another's.
    #[error("history was lost or replaced at position {position}")]
    HistoryLost { position: u64 },
    /// It may or may not be there.
    #[error("the outcome of appending position {position} is unknown")]
    Unknown { position: u64, source: std::io::Error },
    /// Nothing was written; the journal goes on once there is room.
    #[error("no room for position {position}")]
    Full { position: u64 },
    #[error("appending position {position} failed")]
    Fault { position: u64, source: std::io::Error },
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("position {position} is not in the journal")]
    Missing { position: u64 },
    /// An operator had it removed, with everything up to the anchor.
    #[error("position {position} was removed: the journal begins behind position {}", anchor.tail.position)]
    Removed { position: u64, anchor: Anchor },
    /// `place` says which file and where in it.
    #[error("position {position} is damaged ({place}): {reason}")]
    Damaged { position: u64, place: String, reason: GroupError },
    #[error("reading position {position} failed")]
    Fault { position: u64, source: std::io::Error },
}
