//! What may be chosen, and what production takes.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Groups kept in memory for readers, in bytes.
    pub cache_bytes: usize,
    pub era: EraLimit,
    /// A host that has not said by then what it is does not count.
    pub probe_timeout: Duration,
    /// A statement without reply for so long: the socket is dropped and the outcome is asked for.
    pub reply_timeout: Duration,
    /// How long an append whose outcome is unknown goes on asking before it says so.
    pub settle_timeout: Duration,
    pub background: Background,
}

/// Who writes the rows of snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// A thread of their own.
    Threads,
    /// Whoever hands them over: for simulations.
    Inline,
}

/// When the next table is opened. One book's share: eight books fill a table to 2^28 groups, well below
/// the 2^32 out-of-line values that a table of PostgreSQL can have.
#[derive(Clone, Copy, Debug)]
pub struct EraLimit {
    pub groups: u64,
    pub bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            era: EraLimit { groups: 1 << 25, bytes: 1 << 40 },
            probe_timeout: Duration::from_millis(700),
            reply_timeout: Duration::from_secs(5),
            settle_timeout: Duration::from_secs(120),
            background: Background::Threads,
        }
    }
}
