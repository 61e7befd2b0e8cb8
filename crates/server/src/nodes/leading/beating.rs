//! What goes on beside a book that is opened and served: the beat, and a look at who else is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use journal_postgres::{BEAT_EVERY, DatabaseError, Nodes};

use super::others::Others;
use crate::books::BOOK;

/// A node's own row moves so often.
pub(super) const ALIVE_EVERY: Duration = Duration::from_secs(1);

/// What goes on beside a book that is opened and served.
#[derive(Default)]
pub(super) struct Beating {
    pub(super) stop: AtomicBool,
    /// The row names another node, or is gone.
    pub(super) disputed: AtomicBool,
    /// The journal says that this node leads.
    pub(super) proven: Arc<AtomicBool>,
    /// Other nodes live, and are reached.
    pub(super) has_others: AtomicBool,
}

impl Beating {
    pub(super) fn run(&self, rows: &Nodes) {
        let mut alive = None::<Instant>;
        let (mut others, mut complaints) = (Others::default(), Complaints::default());
        while !self.stop.load(Ordering::Acquire) {
            let now = Instant::now();
            if self.proven.swap(false, Ordering::AcqRel) {
                complaints.hear(rows.assert(BOOK), "the lead is not written");
            } else {
                match rows.keep(BOOK) {
                    Ok(true) => {}
                    Ok(false) => self.disputed.store(true, Ordering::Release),
                    kept => complaints.hear(kept, "the leader's beat is not written"),
                }
            }
            if alive.is_none_or(|alive| now.duration_since(alive) >= ALIVE_EVERY) {
                alive = Some(now);
                complaints.hear(rows.beat(), "this node's row is not written");
                match rows.others() {
                    Ok(rows_of_others) => {
                        others.look(&rows_of_others, now);
                        self.has_others.store(others.has_any(now), Ordering::Release);
                        for gone in others.gone(now) {
                            complaints
                                .hear(rows.forget(gone), "the row of a node that is gone is not removed");
                        }
                    }
                    Err(error) => complaints.hear(Err::<(), _>(error), "who else is there is not known"),
                }
            }
            std::thread::park_timeout(BEAT_EVERY);
        }
    }
}

/// Says once what goes on failing: it is tried again many times a second.
#[derive(Default)]
pub(super) struct Complaints {
    last: Option<String>,
}

impl Complaints {
    pub(super) fn hear<T>(&mut self, done: Result<T, DatabaseError>, what: &str) {
        let Err(error) = done else {
            self.last = None;
            return;
        };
        let complaint = format!("{what}: {error}");
        if self.last.as_ref() != Some(&complaint) {
            tracing::warn!("{complaint}");
            self.last = Some(complaint);
        }
    }
}
