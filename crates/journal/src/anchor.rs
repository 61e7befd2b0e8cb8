//! Where a journal begins whose oldest groups an operator had removed: the state as it was at exactly one
//! position, with the chain there.

use domain::Timestamp;

use crate::{Journal, SnapshotError, Tail};

/// What stands in the place of everything up to its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The last group that was removed.
    pub tail: Tail,
    /// Number of the archive that this group ended.
    pub archive: u64,
    /// Its book time: everything that is later is in the journal.
    pub time: Timestamp,
    /// Of the whole state there.
    pub digest: [u8; 32],
}

/// A journal whose oldest archives an operator may have removed.
///
/// First the anchor is written, then the caller appends a group that says so, then the anchor is cut to.
/// Between any two of these the journal is as it was before.
pub trait Retention: Journal {
    /// Makes the state at the end of an archive durable. It counts for nothing before it is cut to.
    fn write_anchor(
        &mut self,
        anchor: &Anchor,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), SnapshotError>;

    /// From here on the journal begins at the anchor written last; what stands before it is removed.
    fn cut(&mut self) -> Result<(), SnapshotError>;
}
