//! How far the process is. Changes wake the node's thread.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::Thread;

#[derive(Default)]
pub(super) struct Phase {
    phase: AtomicU8,
    thread: OnceLock<Thread>,
}

impl Phase {
    pub(super) const DRAINING: u8 = 1;
    pub(super) const ENDING: u8 = 2;

    pub(super) fn wakes(&self, thread: Thread) {
        _ = self.thread.set(thread);
    }

    pub(super) fn begin(&self, phase: u8) {
        self.phase.fetch_max(phase, Ordering::AcqRel);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub(super) fn has(&self, phase: u8) -> bool {
        self.phase.load(Ordering::Acquire) >= phase
    }
}
