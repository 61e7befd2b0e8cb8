//! What appending, reading and the background share, and the life of the ring's slots.
//!
//! ```text
//! new file ─┐
//!           ├→ .zeroing → zeroed, synced → .segment, blank ("ready") → header and groups ("in the ring")
//! released ─┘                                                            │ full: sealed into the archive
//!     └────────────── released by the engine, held by no reader ←────────┘
//! ```
//! A new file is zeroed whole, so that its blocks are there before they are needed. A released one has its
//! blocks: only what the next first write may reach is blanked, and the groups behind that are of lower
//! positions than any that recovery looks for.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::cache::Cache;
use crate::disk::{Disk, DiskFile};
use crate::format::{Incarnation, RING, segment_path, zeroing_path};
use crate::index::Index;
use crate::options::{Counters, Options};
use crate::recovery::Recovered;
use crate::segment::{SegmentFile, Slot};

pub(crate) struct Shared<D: Disk> {
    pub(crate) disk: D,
    _lock: Arc<D::Lock>,
    pub(crate) incarnation: Incarnation,
    pub(crate) options: Options,
    pub(crate) counters: Counters,
    pub(crate) cache: Mutex<Cache<D::File>>,
    pub(crate) sidecars: Mutex<Vec<Arc<SidecarFile<D::File>>>>,
    index: RwLock<Index<D::File>>,
    ready: Mutex<VecDeque<Slot<D::File>>>,
    work: Mutex<Work<D::File>>,
    /// Segments that are ready or can be made so.
    obtainable: AtomicUsize,
    release_before: AtomicU64,
    fault: Mutex<Option<String>>,
    pub(crate) alarm: Alarm,
}

/// A sidecar that is open.
pub(crate) struct SidecarFile<F> {
    pub(crate) number: u64,
    pub(crate) file: F,
    pub(crate) size: u64,
}

/// The state of the background's work. Whoever holds the lock does the next step.
pub(crate) struct Work<F> {
    zeroing: Option<Zeroing<F>>,
    /// Slots that were found half zeroed.
    unzeroed: Vec<u32>,
    /// Out of the ring, but a reader may hold them.
    released: Vec<Arc<SegmentFile<F>>>,
    slot_next: u32,
    /// The disk refused to hold another segment.
    refused: bool,
    /// Archives whose sidecar is to be made again.
    pub(crate) sidecars: Vec<u64>,
}

/// The one slot that is being filled with zeros.
struct Zeroing<F> {
    slot: Slot<F>,
    done: u64,
    end: u64,
}

/// Wakes the background.
#[derive(Default)]
pub(crate) struct Alarm {
    pub(crate) rung: Mutex<Ring>,
    pub(crate) bell: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Ring {
    #[default]
    Quiet,
    Work,
    Stop,
}

impl Alarm {
    pub(crate) fn ring(&self, why: Ring) {
        let mut rung = self.rung.lock().expect("no holder of this lock panics");
        if *rung != Ring::Stop {
            *rung = why;
        }
        self.bell.notify_all();
    }
}

/// What was found on the disk.
pub(crate) struct Slots<F> {
    pub(crate) ready: Vec<Slot<F>>,
    pub(crate) unzeroed: Vec<u32>,
    pub(crate) released: Vec<Arc<SegmentFile<F>>>,
    pub(crate) slot_next: u32,
    pub(crate) sidecars: Vec<u64>,
}

impl<D: Disk> Shared<D> {
    pub(crate) fn new(disk: D, lock: Arc<D::Lock>, options: Options, found: Recovered<D::File>) -> Self {
        let slots = found.slots;
        let shared = Self {
            disk,
            _lock: lock,
            incarnation: found.incarnation,
            counters: Counters::default(),
            cache: Mutex::new(Cache::new(options.cache_bytes)),
            sidecars: Mutex::default(),
            options,
            index: RwLock::new(found.index),
            ready: Mutex::new(slots.ready.into()),
            work: Mutex::new(Work {
                zeroing: None,
                unzeroed: slots.unzeroed,
                released: slots.released,
                slot_next: slots.slot_next,
                refused: false,
                sidecars: slots.sidecars,
            }),
            obtainable: AtomicUsize::new(0),
            release_before: AtomicU64::new(0),
            fault: Mutex::new(None),
            alarm: Alarm::default(),
        };
        shared.count_obtainable(&shared.work());
        shared
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index<D::File>> {
        self.index.read().expect("no holder of this lock panics")
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index<D::File>> {
        self.index.write().expect("no holder of this lock panics")
    }

    fn work(&self) -> MutexGuard<'_, Work<D::File>> {
        self.work.lock().expect("no holder of this lock panics")
    }

    /// Archives up to this number are no longer there.
    pub(crate) fn forget_sidecars(&self, to: u64) {
        self.work().sidecars.retain(|number| *number > to);
        self.sidecars.lock().expect("no holder of this lock panics").retain(|kept| kept.number > to);
    }

    fn ready(&self) -> MutexGuard<'_, VecDeque<Slot<D::File>>> {
        self.ready.lock().expect("no holder of this lock panics")
    }

    pub(crate) fn obtainable(&self) -> usize {
        self.obtainable.load(Ordering::Acquire)
    }

    pub(crate) fn release_before(&self, position: u64) {
        self.release_before.fetch_max(position, Ordering::AcqRel);
    }

    /// What the background last failed at, until it succeeds again.
    pub(crate) fn fault(&self) -> Option<String> {
        self.fault.lock().expect("no holder of this lock panics").clone()
    }

    /// A ready slot, if one can be had. While the background lags, its work is done here.
    pub(crate) fn take_slot(&self) -> Option<Slot<D::File>> {
        let mut worked = true;
        loop {
            let slot = self.ready().pop_front();
            if slot.is_some() {
                // The background may have counted it out already; its next step counts again.
                let taken = |count: usize| Some(count.saturating_sub(1));
                let _ = self.obtainable.fetch_update(Ordering::AcqRel, Ordering::Acquire, taken);
                return slot;
            }
            if !worked {
                return None;
            }
            // Even a step that finds nothing to do may have waited for one that made a slot ready.
            worked = matches!(self.step(), Ok(true));
        }
    }

    /// One bounded piece of work. False when there is nothing to do, or no room to do it.
    pub(crate) fn step(&self) -> Result<bool, String> {
        let mut work = self.work();
        let done = self.try_step(&mut work);
        self.count_obtainable(&work);
        *self.fault.lock().expect("no holder of this lock panics") = done.as_ref().err().cloned();
        done
    }

    fn try_step(&self, work: &mut Work<D::File>) -> Result<bool, String> {
        let before = self.release_before.load(Ordering::Acquire);
        work.released.extend(self.index_mut().take_released(before));
        let short = self.ready().len() < self.options.segments_free;
        if short && self.prepare(work).map_err(|error| format!("a segment cannot be prepared: {error}"))? {
            return Ok(true);
        }
        if self.seal_next()? || self.remake_sidecar(work)? {
            return Ok(true);
        }
        if short {
            return Ok(false);
        }
        self.drop_surplus(work).map_err(|error| format!("a segment cannot be removed: {error}"))
    }

    /// Begins to zero a slot, or goes on with it.
    fn prepare(&self, work: &mut Work<D::File>) -> io::Result<bool> {
        let Some(Zeroing { slot, done, end }) = work.zeroing.take() else {
            work.zeroing = self.slot_to_zero(work)?;
            return Ok(work.zeroing.is_some());
        };
        let next = (done + self.options.zeroing_bytes as u64).min(end);
        let zeros = (next - done) as usize;
        let synced = slot.file.write_zeros_at(zeros, done).and_then(|()| slot.file.sync_data());
        if let Err(error) = synced {
            self.disk.remove(&zeroing_path(slot.slot))?;
            if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
                work.refused = true;
                return Ok(false);
            }
            return Err(error);
        }
        Counters::add(&self.counters.zeroing_bytes, zeros);
        work.refused = false;
        if next < end {
            work.zeroing = Some(Zeroing { slot, done: next, end });
            return Ok(true);
        }
        self.disk.rename(&zeroing_path(slot.slot), &segment_path(slot.slot))?;
        self.disk.sync_directory(RING)?;
        self.ready().push_back(slot);
        Ok(true)
    }

    fn slot_to_zero(&self, work: &mut Work<D::File>) -> io::Result<Option<Zeroing<D::File>>> {
        if let Some(slot) = work.unzeroed.pop() {
            return self.new_file(slot).map(Some);
        }
        if let Some(slot) = take_unheld(&mut work.released) {
            self.disk.rename(&segment_path(slot.slot), &zeroing_path(slot.slot))?;
            self.disk.sync_directory(RING)?;
            if slot.size == self.options.segment_bytes {
                let end = slot.size.min(self.options.first_write_bytes());
                return Ok(Some(Zeroing { slot, done: 0, end }));
            }
            return self.new_file(slot.slot).map(Some);
        }
        if self.creatable(work)? == 0 {
            return Ok(None);
        }
        let zeroing = self.new_file(work.slot_next)?;
        work.slot_next += 1;
        Ok(Some(zeroing))
    }

    fn new_file(&self, slot: u32) -> io::Result<Zeroing<D::File>> {
        let (size, file) = (self.options.segment_bytes, self.disk.create(&zeroing_path(slot))?);
        Ok(Zeroing { slot: Slot { slot, size, file }, done: 0, end: size })
    }

    /// A burst leaves more slots than are needed: one whose turn to be zeroed would come is removed.
    fn drop_surplus(&self, work: &mut Work<D::File>) -> io::Result<bool> {
        let Some(slot) = take_unheld(&mut work.released) else {
            return Ok(false);
        };
        self.disk.remove(&segment_path(slot.slot))?;
        self.disk.sync_directory(RING)?;
        Ok(true)
    }

    /// How many segments the ring's limit and the disk would still allow.
    fn creatable(&self, work: &Work<D::File>) -> io::Result<usize> {
        let slots = self.index().ring.len()
            + self.ready().len()
            + usize::from(work.zeroing.is_some())
            + work.unzeroed.len()
            + work.released.len();
        let unwritten = work.zeroing.as_ref().map_or(0, |zeroing| zeroing.end - zeroing.done);
        let free = self.disk.free_bytes()?.saturating_sub(self.options.reserve_bytes + unwritten);
        let fitting = usize::try_from(free / self.options.segment_bytes).unwrap_or(usize::MAX);
        Ok(self.options.segments_max.saturating_sub(slots).min(fitting))
    }

    fn count_obtainable(&self, work: &Work<D::File>) {
        let creatable = if work.refused { 0 } else { self.creatable(work).unwrap_or(0) };
        let unheld = work.released.iter().filter(|file| Arc::strong_count(file) == 1).count();
        let coming = usize::from(work.zeroing.is_some() && !work.refused) + work.unzeroed.len() + unheld;
        let ready = self.ready().len();
        self.obtainable.store(ready + coming + creatable, Ordering::Release);
    }
}

/// One that no reader holds. Nobody can take hold of it again: it is out of the index.
fn take_unheld<F>(released: &mut Vec<Arc<SegmentFile<F>>>) -> Option<Slot<F>> {
    let at = released.iter().position(|file| Arc::strong_count(file) == 1)?;
    let file = released.swap_remove(at);
    Some(Arc::into_inner(file).expect("it was counted and is out of reach").slot)
}
