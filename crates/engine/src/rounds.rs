//! The rounds of a book: everything that queued while the last group was written is decided, made durable
//! and answered together.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use ledger::{Event, Ledger, WARM_MAX};
use tokio::sync::oneshot;

use crate::book::{Book, BookFault, Outcome, Request};
use crate::engine::{Counters, Distil};
use crate::origin::Origin;
use crate::window::{Asked, AskedAll};

/// What the book's callers and its rounds share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) queue: Mutex<Queue>,
    pub(crate) wake: Condvar,
    /// Commands that wait.
    pub(crate) waiting: AtomicUsize,
    pub(crate) closing: AtomicBool,
    pub(crate) counters: Counters,
}

#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) jobs: Vec<Job>,
    /// Nothing is decided here yet: reads alone are taken.
    pub(crate) follows: bool,
    /// Whoever waits for jobs is to look around.
    pub(crate) nudged: bool,
    pub(crate) stopped: Option<Arc<str>>,
}

impl Queue {
    /// Whether it is the first that waits.
    pub(crate) fn push(&mut self, job: Job) -> bool {
        self.jobs.push(job);
        self.jobs.len() == 1
    }
}

impl Shared {
    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop(&self, reason: &str) {
        let mut queue = self.queue();
        queue.stopped = Some(reason.into());
        queue.jobs.clear();
        self.waiting.store(0, Ordering::Relaxed);
    }
}

pub(crate) enum Job {
    One(Box<Request>, Asked, Option<Box<Origin>>, oneshot::Sender<Outcome>),
    Many(Vec<Request>, AskedAll, Box<dyn Answers>),
    /// Looks at the state; what it returns tells the caller, once what it saw is durable.
    Read(Look),
    Act(Box<dyn FnOnce(&mut Book) + Send>),
}

pub(crate) type Look = Box<dyn FnOnce(&Ledger, Timestamp) -> Tell + Send>;
pub(crate) type Tell = Box<dyn FnOnce() + Send>;

/// Outcomes of a batch, as they are decided, and whoever waits for them.
pub(crate) trait Answers: Send {
    /// A command was done, as this event says. False, if the whole outcome is wanted.
    fn take(&mut self, event: &Event) -> bool;
    fn take_whole(&mut self, outcome: Outcome);
    fn release(self: Box<Self>);
}

/// What the caller wants to know of each command that was done; the whole of any other outcome.
pub(crate) struct Distilled<T> {
    pub(crate) distil: Distil<T>,
    pub(crate) answers: Vec<Result<T, Box<Outcome>>>,
    pub(crate) reply: oneshot::Sender<Vec<Result<T, Box<Outcome>>>>,
}

impl<T: Send> Answers for Distilled<T> {
    fn take(&mut self, event: &Event) -> bool {
        let distilled = (self.distil)(event, false);
        let is_enough = distilled.is_some();
        self.answers.extend(distilled.map(Ok));
        is_enough
    }
    fn take_whole(&mut self, outcome: Outcome) {
        self.answers.push(Err(Box::new(outcome)));
    }
    fn release(self: Box<Self>) {
        // A caller that went away does not wait for its answer.
        drop(self.reply.send(self.answers));
    }
}

/// An answer that waits for its group to be durable.
#[expect(
    clippy::large_enum_variant,
    reason = "short-lived, and boxing would cost every charge an allocation"
)]
enum Held {
    One(oneshot::Sender<Outcome>, Outcome),
    Many(Box<dyn Answers>),
    Tell(Tell),
}

impl Held {
    fn release(self) {
        // A caller that went away does not wait for its answer.
        match self {
            Self::One(reply, outcome) => drop(reply.send(outcome)),
            Self::Many(answers) => answers.release(),
            Self::Tell(tell) => tell(),
        }
    }
}

/// A bug that ends the thread ends the book as well: nobody may wait for an answer that cannot come.
struct StopOnPanic<'a>(&'a Shared);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop("a bug ended its thread");
        }
    }
}

/// A book with what waits for it, and what waits for its group to be durable.
pub struct Rounds {
    book: Book,
    shared: Arc<Shared>,
    jobs: Vec<Job>,
    held: Vec<Held>,
}

impl Rounds {
    pub(crate) fn new(book: Book, shared: Arc<Shared>) -> Self {
        Self { book, shared, jobs: Vec::new(), held: Vec::new() }
    }

    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Round after round, until the book stops or is closed.
    pub(crate) fn run(mut self) -> Book {
        let shared = self.shared.clone();
        let _stop = StopOnPanic(&shared);
        loop {
            let woken = wait(&self.book, &shared);
            let done = match woken {
                Woken::Work => self.serve(),
                Woken::Quiet | Woken::Closing => self.rest(),
            };
            if done.is_err() || woken == Woken::Closing {
                return self.book;
            }
        }
    }

    /// One round. A fault stops the book: everyone in the lost group learns that the outcome is unknown.
    pub fn serve(&mut self) -> Result<(), BookFault> {
        let (shared, mut count) = (self.shared.clone(), 0);
        std::mem::swap(&mut shared.queue().jobs, &mut self.jobs);
        serve(&mut self.book, &mut self.jobs, &mut self.held, &mut count, &shared)
            .inspect_err(|fault| self.stop(fault))?;
        shared.waiting.fetch_sub(count, Ordering::Relaxed);
        Ok(())
    }

    /// Nothing has come for a while: the tail is closed.
    pub fn rest(&mut self) -> Result<(), BookFault> {
        self.book.close_tail().inspect_err(|fault| self.stop(fault))
    }

    fn stop(&mut self, fault: &BookFault) {
        self.held.clear();
        self.jobs.clear();
        self.shared.stop(&error_chain(fault));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Woken {
    /// Jobs, something due, or a snapshot to go on with.
    Work,
    /// Nothing has come for a while.
    Quiet,
    Closing,
}

/// Without anything to do for this long, the tail is closed.
const QUIET: Duration = Duration::from_millis(50);

/// Blocks until there is something to do.
fn wait(book: &Book, shared: &Shared) -> Woken {
    let mut queue = shared.queue();
    loop {
        if !queue.jobs.is_empty() {
            return Woken::Work;
        }
        if shared.closing.load(Ordering::Acquire) {
            return Woken::Closing;
        }
        if book.has_snapshot_work() {
            return Woken::Work;
        }
        let quiet = book.is_tail_open().then_some((QUIET, Woken::Quiet));
        let due = book.next_due_in().map(|time| (time, Woken::Work));
        let next = quiet.into_iter().chain(due).min_by_key(|(time, _)| *time);
        queue = match next {
            None => shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner),
            Some((time, woken)) => {
                let (queue, timeout) =
                    shared.wake.wait_timeout(queue, time).unwrap_or_else(PoisonError::into_inner);
                if timeout.timed_out() && queue.jobs.is_empty() {
                    return woken;
                }
                queue
            }
        };
    }
}

/// One round: everything that queued while the last group was written.
fn serve(
    book: &mut Book,
    jobs: &mut Vec<Job>,
    held: &mut Vec<Held>,
    count: &mut usize,
    shared: &Shared,
) -> Result<(), BookFault> {
    let counters = &shared.counters;
    book.begin();
    for job in jobs.drain(..) {
        match job {
            Job::One(request, asked, origin, reply) => {
                *count += 1;
                make_room(book, held, counters)?;
                let outcome = book.decide_from(&request, asked, origin.as_deref());
                counters.count(&outcome);
                held.push(Held::One(reply, outcome));
            }
            Job::Many(requests, asked, mut answers) => {
                *count += requests.len();
                for (chunk, requests) in requests.chunks(WARM_MAX).enumerate() {
                    book.warm(requests);
                    for (place, request) in (chunk * WARM_MAX..).zip(requests) {
                        make_room(book, held, counters)?;
                        let outcome = match book.judge(request, asked.of(place), None) {
                            Ok(done) if answers.take(book.event(done)) => {
                                counters.done.fetch_add(1, Ordering::Relaxed);
                                continue;
                            }
                            Ok(done) => Outcome::Done(book.receipt(done)),
                            Err(not_done) => not_done.into(),
                        };
                        counters.count(&outcome);
                        answers.take_whole(outcome);
                    }
                }
                held.push(Held::Many(answers));
            }
            Job::Read(look) => {
                *count += 1;
                counters.reads.fetch_add(1, Ordering::Relaxed);
                held.push(Held::Tell(look(book.ledger(), book.now())));
            }
            Job::Act(act) => {
                *count += 1;
                act(book);
            }
        }
    }
    commit(book, held, counters)?;
    book.snapshot_step();
    Ok(())
}

/// One more command fits into the group after this.
fn make_room(book: &mut Book, held: &mut Vec<Held>, counters: &Counters) -> Result<(), BookFault> {
    if !book.has_room() {
        commit(book, held, counters)?;
        book.begin();
    }
    Ok(())
}

fn commit(book: &mut Book, held: &mut Vec<Held>, counters: &Counters) -> Result<(), BookFault> {
    if book.is_dirty() {
        let started = std::time::Instant::now();
        book.commit()?;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        counters.append_micros.fetch_add(micros, Ordering::Relaxed);
        counters.groups.fetch_add(1, Ordering::Relaxed);
    } else if !held.is_empty() {
        book.prove()?;
    }
    held.drain(..).for_each(Held::release);
    Ok(())
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
