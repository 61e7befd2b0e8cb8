//! Mail that the server sends: short texts to people, through SMTP, or into a folder while developing.
//!
//! The one idea: nothing waits for mail. What is to be sent follows a fact that is durable already, is
//! tried again for a while, and its failure is counted and logged, without its text.
//!
//! | way | a letter is | fails when |
//! |---|---|---|
//! | none | dropped: whoever asked is shown the link instead | never |
//! | folder | a file `….eml` | the disk does |
//! | SMTP | handed to a relay, tried for some minutes | the relay refuses or is gone |
//!
//! Invariants: addresses and subjects cannot add headers (`lettre` encodes them); texts, and the links in
//! them, are in no log and no error.

mod letter;
mod way;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

pub use letter::{Letter, LetterError};
use tokio::sync::Notify;
pub use way::{Way, WayError};

/// Between the tries for one letter.
const PAUSES: &[Duration] =
    &[Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(300)];
/// Letters that are on their way at once; more are dropped, and counted as failed.
const PENDING_MAX: usize = 10_000;

/// Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

struct Inner {
    way: Way,
    pauses: &'static [Duration],
    counters: Counters,
    pending: AtomicUsize,
    settled: Notify,
}

#[derive(Debug, Default)]
pub struct Counters {
    pub sent: AtomicU64,
    pub retried: AtomicU64,
    pub failed: AtomicU64,
}

impl Mailer {
    pub fn new(way: Way) -> Self {
        Self::trying(way, PAUSES)
    }

    fn trying(way: Way, pauses: &'static [Duration]) -> Self {
        Self(Arc::new(Inner {
            way,
            pauses,
            counters: Counters::default(),
            pending: AtomicUsize::new(0),
            settled: Notify::new(),
        }))
    }

    /// Whether letters go anywhere.
    pub fn is_on(&self) -> bool {
        !matches!(self.0.way, Way::None)
    }

    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Takes a letter and returns at once.
    pub fn send(&self, letter: Letter) {
        let mailer = self.clone();
        self.run(async move { mailer.deliver(&letter).await });
    }

    /// Work that nobody waits for and that ends in a letter, or does not.
    pub fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        if self.0.pending.fetch_add(1, Ordering::AcqRel) >= PENDING_MAX {
            self.0.counters.failed.fetch_add(1, Ordering::Relaxed);
            self.done();
            return;
        }
        let mailer = self.clone();
        tokio::spawn(async move {
            work.await;
            mailer.done();
        });
    }

    /// Sends it, however often it takes.
    pub async fn deliver(&self, letter: &Letter) {
        let mut pauses = self.0.pauses.iter();
        loop {
            match self.0.way.send(letter).await {
                Ok(()) => {
                    self.0.counters.sent.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(error) => {
                    let pause = pauses.next().filter(|_| !error.is_final());
                    let Some(pause) = pause else {
                        tracing::error!(%error, about = letter.about, "a letter could not be sent");
                        self.0.counters.failed.fetch_add(1, Ordering::Relaxed);
                        return;
                    };
                    tracing::warn!(%error, about = letter.about, "a letter is tried again");
                    self.0.counters.retried.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(*pause).await;
                }
            }
        }
    }

    /// Completes once nothing is on its way.
    pub async fn settled(&self) {
        loop {
            let settled = self.0.settled.notified();
            if self.0.pending.load(Ordering::Acquire) == 0 {
                return;
            }
            settled.await;
        }
    }

    fn done(&self) {
        self.0.pending.fetch_sub(1, Ordering::AcqRel);
        self.0.settled.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
