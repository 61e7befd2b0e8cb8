//! Mail that the server sends: short texts to people, through SMTP, or into a folder while developing.
//!
//! The one idea: nothing waits for mail. That a letter is to be sent stands in the book, beside the fact it tells
//! of; here is one try to send it. Whoever leads the book tries, until it is known what became of each letter.
//!
//! | way | a letter is | fails when |
//! |---|---|---|
//! | none | not asked for: whoever would have it sent is shown the link instead | never |
//! | folder | a file `….eml` | the disk does |
//! | SMTP | handed to a relay | the relay refuses or is gone |
//!
//! Invariants: addresses and subjects cannot add headers (`lettre` encodes them); texts, and the links in
//! them, are in no log and no error.

mod letter;
mod way;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use letter::{Letter, LetterError};
use tokio::sync::{Notify, watch};
pub use way::{Way, WayError};

/// Work behind answers that is done at once; more is dropped, and counted as failed.
const PENDING_MAX: usize = 10_000;

/// Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

struct Inner {
    way: Way,
    counters: Counters,
    pending: AtomicUsize,
    settled: Notify,
    asked: watch::Sender<()>,
    /// By book: several may be led here.
    waiting: Mutex<BTreeMap<u8, Waiting>>,
}

#[derive(Debug, Default)]
pub struct Counters {
    pub sent: AtomicU64,
    pub retried: AtomicU64,
    pub failed: AtomicU64,
}

/// Letters of one book that are to be sent, as of the last look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    pub letters: u64,
    /// For how long the oldest has waited.
    pub oldest_seconds: u64,
}

impl Mailer {
    pub fn new(way: Way) -> Self {
        Self(Arc::new(Inner {
            way,
            counters: Counters::default(),
            pending: AtomicUsize::new(0),
            settled: Notify::new(),
            asked: watch::Sender::new(()),
            waiting: Mutex::default(),
        }))
    }

    /// Whether letters go anywhere.
    pub fn is_on(&self) -> bool {
        !matches!(self.0.way, Way::None)
    }

    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// One try. What it comes to is for the caller to write down.
    pub async fn attempt(&self, letter: &Letter) -> Result<(), WayError> {
        self.0.way.send(letter).await
    }

    /// Says that a letter was asked for.
    pub fn asked(&self) {
        self.0.asked.send_replace(());
    }

    /// Hears of it.
    pub fn hear(&self) -> watch::Receiver<()> {
        self.0.asked.subscribe()
    }

    /// What waits in a book; none, where it is led no more.
    pub fn show_waiting(&self, book: u8, waiting: Option<Waiting>) {
        let mut books = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting {
            Some(waiting) => drop(books.insert(book, waiting)),
            None => drop(books.remove(&book)),
        }
    }

    /// In all books together.
    pub fn waiting(&self) -> Waiting {
        let books = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        books.values().fold(Waiting::default(), |all, it| Waiting {
            letters: all.letters + it.letters,
            oldest_seconds: all.oldest_seconds.max(it.oldest_seconds),
        })
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
