//! Where a life keeps its journal, and what can befall it there.

use std::sync::{Arc, Mutex, MutexGuard};

use journal::{AppendError, Group, Journal, ReadError, Reader, Room, Snapshots, Tail, Vault};
use journal_file::FileJournal;

use crate::{Random, SimDisk};

pub trait Ground {
    type Journal: Journal + 'static;

    /// The journal as it is found now; whoever had it before has let go of it.
    fn open(&mut self) -> Result<(Self::Journal, Arc<dyn Vault>), String>;

    /// The machine stops without warning.
    fn crash(&mut self, random: &mut Random);

    /// Something is to go wrong with what comes next.
    fn trouble(&mut self, random: &mut Random);

    /// Whatever was to go wrong does not, and what was wrong is right again.
    fn repair(&mut self);

    /// One step of work beside appending; false if there was none.
    fn background(&mut self, journal: &mut Self::Journal) -> bool;
}

/// A journal that the book owns and the life can still reach.
pub(super) struct Shared<J>(Arc<Mutex<J>>);

impl<J> Shared<J> {
    pub fn new(journal: J) -> Self {
        Self(Arc::new(Mutex::new(journal)))
    }

    pub fn journal(&self) -> MutexGuard<'_, J> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl<J> Clone for Shared<J> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<J: Journal> Journal for Shared<J> {
    fn tail(&self) -> Tail {
        self.journal().tail()
    }
    fn append(&mut self, group: &Group) -> Result<(), AppendError> {
        self.journal().append(group)
    }
    fn prove(&mut self) -> Result<(), AppendError> {
        self.journal().prove()
    }
    fn look(&mut self) -> Result<Tail, ReadError> {
        self.journal().look()
    }
    fn room(&self) -> Room {
        self.journal().room()
    }
    fn release_before(&mut self, position: u64) {
        self.journal().release_before(position);
    }
    fn reader(&self) -> Arc<dyn Reader> {
        self.journal().reader()
    }
    fn snapshots(&self) -> Arc<dyn Snapshots> {
        self.journal().snapshots()
    }
}

/// A journal in files, on a disk that fails.
pub struct FailingDisk(SimDisk);

/// The least there is, so that a life passes through many.
const SEGMENT_BYTES: u64 = 16 * 1024;
/// Larger than any group of a life, and small enough that a slot which is used again keeps what it held.
const GROUP_BYTES_MAX: usize = 8 * 1024;
const CAPACITY: u64 = 64 << 20;

fn options() -> journal_file::Options {
    journal_file::Options {
        segment_bytes: SEGMENT_BYTES,
        group_bytes_max: GROUP_BYTES_MAX,
        segments_free: 2,
        segments_max: 12,
        zeroing_bytes: 16 * 1024,
        reserve_bytes: 0,
        cache_bytes: 64 * 1024,
        sidecar: Some(Arc::new(engine::KeySidecar)),
    }
}

impl FailingDisk {
    pub fn new(seed: u64) -> Result<Self, String> {
        let disk = SimDisk::new(seed);
        disk.set_capacity(CAPACITY);
        FileJournal::init(&disk, [7; 16], &options()).map_err(|error| error.to_string())?;
        Ok(Self(disk))
    }
}

impl Ground for FailingDisk {
    type Journal = FileJournal<SimDisk>;

    fn open(&mut self) -> Result<(Self::Journal, Arc<dyn Vault>), String> {
        let opened = FileJournal::open(self.0.clone(), options(), journal_file::Background::Manual);
        let (journal, _) = opened.map_err(|error| error.to_string())?;
        let vault = journal.vault();
        Ok((journal, vault))
    }

    fn crash(&mut self, random: &mut Random) {
        self.0.set_capacity(CAPACITY);
        self.0 = self.0.crash(random.number());
    }

    fn trouble(&mut self, random: &mut Random) {
        match random.below(12) {
            0..=4 => self.0.power_off_at(1 + random.below(12)),
            5..=7 => self.0.fail_sync_at(1 + random.below(6)),
            8 => self.0.set_capacity(self.0.used_bytes() + random.below(100_000)),
            _ => self.0.set_short_writes(random.one_in(2)),
        }
    }

    fn repair(&mut self) {
        self.0.repair();
        self.0.set_capacity(CAPACITY);
    }

    fn background(&mut self, journal: &mut Self::Journal) -> bool {
        // A failure of work beside appending shows when appending needs what it should have made.
        journal.run_background_step().unwrap_or(false)
    }
}
