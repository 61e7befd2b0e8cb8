//! What an operator may choose, and what the journal counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use journal::{GROUP_BYTES_MAX, Sidecar};

use crate::error::OpenError;
use crate::format::PAGE;

#[derive(Clone)]
pub struct Options {
    /// A group must fit into a segment, so below 1 MiB not every group can be appended.
    pub segment_bytes: u64,
    /// A larger group is refused, so that recovery knows how far one append may have reached.
    pub group_bytes_max: usize,
    /// Segments that the background keeps zeroed and ready.
    pub segments_free: usize,
    /// Segments that the ring may have in all.
    pub segments_max: usize,
    /// Zeros written between two syncs: less of it, shorter stalls of appends and a longer wait for a segment.
    pub zeroing_bytes: usize,
    /// Left free on the disk for snapshots and the archive before a segment is added.
    pub reserve_bytes: u64,
    /// Decompressed blocks of the archive that are kept in memory.
    pub cache_bytes: usize,
    /// Distils what is kept beside each archive.
    pub sidecar: Option<Arc<dyn Sidecar>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            group_bytes_max: GROUP_BYTES_MAX,
            segments_free: 3,
            segments_max: 64,
            zeroing_bytes: 1 << 20,
            reserve_bytes: 512 << 20,
            cache_bytes: 64 << 20,
            sidecar: None,
        }
    }
}

impl Options {
    /// What one append may write of a blank slot: the header and its first group.
    pub(crate) fn first_write_bytes(&self) -> u64 {
        (PAGE + self.group_bytes_max) as u64
    }

    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let page = PAGE as u64;
        if !self.segment_bytes.is_multiple_of(page) || !(4 * page..=1 << 31).contains(&self.segment_bytes) {
            return Err(OpenError::Options("segments are whole pages of 4 KiB, from 16 KiB to 2 GiB"));
        }
        if self.zeroing_bytes == 0 || !self.zeroing_bytes.is_multiple_of(PAGE) {
            return Err(OpenError::Options("zeroing goes in whole pages of 4 KiB"));
        }
        if self.segments_free < 2 || self.segments_max < self.segments_free {
            return Err(OpenError::Options("two free segments are the least, and the ring must hold them"));
        }
        Ok(())
    }
}

/// Who does the work beside appending: preparing segments, sealing, recycling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// A thread of the journal's own.
    Thread,
    /// The caller, by `FileJournal::run_background_step`.
    Manual,
}

/// Bytes written to the device since the journal was opened, in whole pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub appends: u64,
    pub append_bytes: u64,
    pub zeroing_bytes: u64,
    pub archive_bytes: u64,
    pub snapshot_bytes: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) appends: AtomicU64,
    pub(crate) append_bytes: AtomicU64,
    pub(crate) zeroing_bytes: AtomicU64,
    pub(crate) archive_bytes: AtomicU64,
    pub(crate) snapshot_bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Written {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Written {
            appends: read(&self.appends),
            append_bytes: read(&self.append_bytes),
            zeroing_bytes: read(&self.zeroing_bytes),
            archive_bytes: read(&self.archive_bytes),
            snapshot_bytes: read(&self.snapshot_bytes),
        }
    }
}
