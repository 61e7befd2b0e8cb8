//! Where snapshots of the folded state are kept. They bound recovery and are never the truth.

use crate::Tail;

/// A snapshot that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotId {
    /// Replay starts behind this group.
    pub begun: Tail,
    /// The last group any of its objects has seen; it counts only if the journal has this very group.
    pub ended: Tail,
}

pub trait Snapshots: Send + Sync {
    /// Starts a snapshot behind `begun`. It does not count before it is finished.
    fn begin(&self, begun: Tail) -> Result<Box<dyn SnapshotWriter>, SnapshotError>;

    /// Complete snapshots, newest first. Two are kept.
    fn list(&self) -> Result<Vec<SnapshotId>, SnapshotError>;

    /// The chunks in the order they were written, each checked.
    fn read(&self, id: &SnapshotId) -> Result<Chunks, SnapshotError>;
}

pub type Chunks = Box<dyn Iterator<Item = Result<Vec<u8>, SnapshotError>> + Send>;

pub trait SnapshotWriter: Send {
    fn chunk(&mut self, bytes: &[u8]) -> Result<(), SnapshotError>;

    /// Makes it durable and complete, and drops all but the newest two.
    fn finish(self: Box<Self>, ended: Tail) -> Result<SnapshotId, SnapshotError>;
}

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("the snapshot is damaged ({place})")]
    Damaged { place: String },
    #[error("no room for a snapshot")]
    Full,
    #[error("snapshot storage failed")]
    Fault(#[from] std::io::Error),
}
