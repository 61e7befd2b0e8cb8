//! A book on a thread of its own, and the handle through which everyone else reaches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use domain::Timestamp;
use journal::{Anchor, Vault};
use ledger::{Event, Ledger};
use tokio::sync::oneshot;

use crate::book::{Book, Outcome, Parts, Request};
use crate::clock::{Clock, Entropy};
use crate::directory::Directory;
use crate::follower::Follower;
use crate::following::Following;
use crate::history::History;
use crate::origin::Origin;
use crate::record::Content;
use crate::recovery::{OpenError, Recovered};
use crate::refusals::Refusals;
use crate::repeats::{Repeat, settle};
use crate::rounds::{Distilled, Job, Rounds, Shared};
use crate::seal::Seals;
use crate::window::{Asked, Sealed};

/// Commands that may wait at the most; beyond it callers are told to come back.
pub const QUEUE_MAX: usize = 131_072;

/// The handle to a running book. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    directory: Arc<Directory>,
    seals: Seals,
    history: History,
    sealed_keys: Arc<Sealed>,
    refusals: Arc<Refusals>,
    vault: Arc<dyn Vault>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("too many commands are waiting")]
    Overloaded,
    #[error("the book is closing")]
    Closing,
    /// Only reads are answered here.
    #[error("another node decides for the book")]
    Following,
    /// The command may or may not have been done: repeat it with the same key.
    #[error("the outcome is unknown")]
    Unknown,
    #[error("the book has stopped: {0}")]
    Stopped(Arc<str>),
}

/// What a caller wants to know of the event that answers a command, and whether it was done before, under
/// the same key. None, where more is needed.
pub type Distil<T> = fn(&Event, bool) -> Option<T>;

/// What the book has done since it was opened. All but a little behind.
#[derive(Debug, Default)]
pub struct Counters {
    pub groups: AtomicU64,
    pub done: AtomicU64,
    pub rejected: AtomicU64,
    pub repeated: AtomicU64,
    pub refused: AtomicU64,
    pub reads: AtomicU64,
    pub append_micros: AtomicU64,
}

impl Counters {
    pub(crate) fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Done(_) => &self.done,
            Outcome::Repeated(_) => &self.repeated,
            Outcome::Rejected(_) => &self.rejected,
            Outcome::Refused(_) => &self.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ends the book's thread when it is asked to, or dropped.
pub struct Running {
    engine: Engine,
    thread: Option<JoinHandle<Book>>,
}

impl Engine {
    /// Opens the book and starts its thread.
    pub fn start(parts: Parts) -> Result<(Self, Running, Recovered), OpenError> {
        let (engine, rounds, recovered) = Self::open(parts)?;
        let running = Running::begin(&engine, rounds)?;
        Ok((engine, running, recovered))
    }

    /// Opens the book for somebody who runs its rounds: a simulation, which has no threads.
    pub fn open(parts: Parts) -> Result<(Self, Rounds, Recovered), OpenError> {
        let (vault, clock, entropy) = (parts.vault.clone(), parts.clock.clone(), parts.entropy.clone());
        let (book, recovered) = Book::open(parts)?;
        let shared = Arc::<Shared>::default();
        let engine = Self {
            shared: shared.clone(),
            directory: book.directory().clone(),
            seals: book.seals().clone(),
            history: History::new(book.journal.reader(), vault.clone()),
            sealed_keys: book.sealed_keys().clone(),
            refusals: book.refusals.clone(),
            vault,
            clock,
            entropy,
        };
        Ok((engine, Rounds::new(book, shared), recovered))
    }

    /// Follows a book that is led elsewhere, for somebody who brings what is new. Commands are answered once it
    /// leads; reads show what was folded, and only whoever brings it knows how old that is.
    pub fn follow(parts: Parts) -> Result<(Self, Following), OpenError> {
        let follower = Follower::open(parts)?;
        let shared = Arc::<Shared>::default();
        shared.queue().follows = true;
        let parts = &follower.parts;
        let engine = Self {
            shared: shared.clone(),
            directory: follower.directory.clone(),
            seals: follower.seals.clone(),
            history: History::new(parts.journal.reader(), parts.vault.clone()),
            sealed_keys: follower.folded.window.sealed().clone(),
            refusals: follower.refusals.clone(),
            vault: parts.vault.clone(),
            clock: parts.clock.clone(),
            entropy: parts.entropy.clone(),
        };
        Ok((engine, Following::new(follower, shared)))
    }

    /// One command; the answer leaves when it is durable.
    pub async fn submit(&self, request: Request) -> Result<Outcome, Unavailable> {
        self.submit_from(request, None).await
    }

    /// The same, where it is known from where it was asked for: the audit log says so.
    pub async fn submit_from(
        &self,
        request: Request,
        origin: Option<Origin>,
    ) -> Result<Outcome, Unavailable> {
        let content = request.key.map(|(_, content)| content);
        let asked = request.key.map_or_else(Asked::default, |(key, _)| self.sealed_keys.ask_one(key));
        let (reply, answer) = oneshot::channel();
        self.push(Job::One(Box::new(request), asked, origin.map(Box::new), reply), 1)?;
        let outcome = answer.await.map_err(|_| self.lost())?;
        let Outcome::Repeated(at) = outcome else { return Ok(outcome) };
        let mut settled = settle(&self.history, vec![Repeat { at, content }]).await;
        Ok(settled.pop().unwrap_or(outcome))
    }

    /// Many commands, judged in order, each on its own. Answered together when the last is durable.
    pub async fn submit_all(&self, requests: Vec<Request>) -> Result<Vec<Outcome>, Unavailable> {
        let answers = self.submit_all_for(requests, |_, _| None::<Outcome>).await?;
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(|outcome| *outcome)).collect())
    }

    /// The same for a caller who needs little of each outcome: `distil` runs where it was decided, so that
    /// only that little travels to the caller.
    pub async fn submit_all_for<T: Send + 'static>(
        &self,
        requests: Vec<Request>,
        distil: Distil<T>,
    ) -> Result<Vec<Result<T, Box<Outcome>>>, Unavailable> {
        let contents: Vec<Option<Content>> =
            requests.iter().map(|request| request.key.map(|(_, content)| content)).collect();
        let keys = requests.iter().enumerate();
        let keys = keys.filter_map(|(place, request)| request.key.map(|(key, _)| (place, key)));
        let asked = self.sealed_keys.ask(keys);
        let (reply, answer) = oneshot::channel();
        let count = requests.len();
        let answers = Distilled { distil, answers: Vec::with_capacity(count), reply };
        self.push(Job::Many(requests, asked, Box::new(answers)), count)?;
        let mut answers = answer.await.map_err(|_| self.lost())?;
        let (mut places, mut repeats) = (Vec::new(), Vec::new());
        for (place, (answer, content)) in answers.iter().zip(contents).enumerate() {
            if let Err(outcome) = answer
                && let Outcome::Repeated(at) = **outcome
            {
                places.push(place);
                repeats.push(Repeat { at, content });
            }
        }
        if !repeats.is_empty() {
            let settled = settle(&self.history, repeats).await;
            for (place, outcome) in places.into_iter().zip(settled) {
                let distilled = match &outcome {
                    Outcome::Done(receipt) => distil(&receipt.event, receipt.repeated),
                    _ => None,
                };
                answers[place] = distilled.ok_or_else(|| Box::new(outcome));
            }
        }
        Ok(answers)
    }

    /// Looks at the state in the order of commands; what was seen is durable when the answer arrives.
    /// `look` runs on the book's thread: it must be short, and lists must be cut.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Ledger, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Read(Box::new(move |ledger, now| {
            let seen = look(ledger, now);
            // Nobody waits for the answer any more: that is their business.
            Box::new(move || drop(reply.send(seen)))
        }));
        self.push(job, 1)?;
        answer.await.map_err(|_| self.lost())
    }

    /// An operator says that the clock is right as it is.
    pub fn confirm_clock(&self) -> Result<(), Unavailable> {
        self.push(Job::Act(Box::new(Book::confirm_clock)), 1)
    }

    /// Whoever runs a follower looks around.
    pub fn nudge(&self) {
        self.shared.queue().nudged = true;
        self.shared.wake.notify_one();
    }

    /// Begins a snapshot now.
    pub fn request_snapshot(&self) -> Result<(), Unavailable> {
        self.push(Job::Act(Box::new(Book::request_snapshot)), 1)
    }

    /// Has the journal say what an operator is about to have removed; it is durable a little later.
    pub fn name_anchor(&self, anchor: Anchor) -> Result<(), Unavailable> {
        self.push(Job::Act(Box::new(move |book| book.name_anchor(&anchor))), 1)
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn seals(&self) -> &Seals {
        &self.seals
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    pub fn vault(&self) -> &Arc<dyn Vault> {
        &self.vault
    }

    /// The clock that the book follows as far as it believes it: for what nothing is decided by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// What was refused since the book was opened. A follower refuses nothing.
    pub fn refusals(&self) -> Result<&Refusals, Unavailable> {
        if self.shared.queue().follows { Err(Unavailable::Following) } else { Ok(&self.refusals) }
    }

    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Commands that wait right now.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Why the book has stopped, if it has.
    pub fn stopped(&self) -> Option<Arc<str>> {
        self.shared.queue().stopped.clone()
    }

    fn push(&self, job: Job, commands: usize) -> Result<(), Unavailable> {
        let shared = &self.shared;
        let mut queue = self.shared.queue();
        if let Some(reason) = &queue.stopped {
            return Err(Unavailable::Stopped(reason.clone()));
        }
        if shared.closing.load(Ordering::Acquire) {
            return Err(Unavailable::Closing);
        }
        if queue.follows && !matches!(job, Job::Read(_)) {
            return Err(Unavailable::Following);
        }
        if shared.waiting.load(Ordering::Relaxed) + commands > QUEUE_MAX {
            return Err(Unavailable::Overloaded);
        }
        shared.waiting.fetch_add(commands, Ordering::Relaxed);
        let is_first = queue.push(job);
        drop(queue);
        if is_first {
            shared.wake.notify_one();
        }
        Ok(())
    }

    fn lost(&self) -> Unavailable {
        Unavailable::Unknown
    }
}

impl Running {
    /// Runs a book's rounds on a thread of their own.
    pub fn begin(engine: &Engine, rounds: Rounds) -> Result<Self, OpenError> {
        let thread = std::thread::Builder::new().name("book".to_owned()).spawn(move || rounds.run());
        let thread = thread.map_err(|error| OpenError::Snapshots(error.into()))?;
        Ok(Self { engine: engine.clone(), thread: Some(thread) })
    }

    /// Takes no more, finishes what waits, and gives the book back.
    pub fn stop(mut self) -> Option<Book> {
        self.close();
        self.thread.take().and_then(|thread| thread.join().ok())
    }

    fn close(&self) {
        let shared = &self.engine.shared;
        let queue = shared.queue();
        shared.closing.store(true, Ordering::Release);
        drop(queue);
        shared.wake.notify_one();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests;
