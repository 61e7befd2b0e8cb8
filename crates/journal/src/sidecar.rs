//! What is kept beside a sealed stretch of the journal so that it can be searched without being read.

use domain::Timestamp;

use crate::Group;

/// A sealed stretch: immutable, compressed, possibly moved elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Counts sealed stretches from 1.
    pub number: u64,
    pub first: u64,
    pub last: u64,
    pub first_time: Timestamp,
    pub last_time: Timestamp,
}

/// Distils the groups of a sealed stretch into bytes whose meaning only the engine knows
/// (keys, last entries). The journal stores them beside the archive and can have them made again.
pub trait Sidecar: Send + Sync {
    fn distil(&self, groups: &mut dyn Iterator<Item = Group>) -> Vec<u8>;
}
