//! A book on a thread of its own, and the handle through which everyone else reaches it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::Timestamp;
use journal::Vault;
use ledger::{Event, Ledger, WARM_MAX};
use tokio::sync::oneshot;

use crate::book::{Book, Outcome, Parts, Receipt, Refusal, Request};
use crate::clock::Entropy;
use crate::directory::Directory;
use crate::history::History;
use crate::origin::Origin;
use crate::record::Content;
use crate::recovery::{OpenError, Recovered};
use crate::seal::Seals;
use crate::window::{Asked, AskedAll, Sealed};

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
    vault: Arc<dyn Vault>,
    entropy: Arc<dyn Entropy>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("too many commands are waiting")]
    Overloaded,
    #[error("the book is closing")]
    Closing,
    /// The command may or may not have been done: repeat it with the same key.
    #[error("the outcome is unknown")]
    Unknown,
    #[error("the book has stopped: {0}")]
    Stopped(Arc<str>),
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    waiting: AtomicUsize,
    closing: AtomicBool,
    counters: Counters,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    stopped: Option<Arc<str>>,
}

enum Job {
    One(Box<Request>, Asked, Option<Box<Origin>>, oneshot::Sender<Outcome>),
    Many(Vec<Request>, AskedAll, Box<dyn Answers>),
    /// Looks at the state; what it returns tells the caller, once what it saw is durable.
    Read(Box<dyn FnOnce(&Book) -> Tell + Send>),
    Act(Box<dyn FnOnce(&mut Book) + Send>),
}

type Tell = Box<dyn FnOnce() + Send>;

/// Outcomes of a batch, as they are decided, and whoever waits for them.
trait Answers: Send {
    /// A command was done, as this event says. False, if the whole outcome is wanted.
    fn take(&mut self, event: &Event) -> bool;
    fn take_whole(&mut self, outcome: Outcome);
    fn release(self: Box<Self>);
}

/// What a caller wants to know of the event that answers a command, and whether it was done before, under
/// the same key. None, where more is needed.
pub type Distil<T> = fn(&Event, bool) -> Option<T>;

/// What the caller wants to know of each command that was done; the whole of any other outcome.
struct Distilled<T> {
    distil: Distil<T>,
    answers: Vec<Result<T, Box<Outcome>>>,
    reply: oneshot::Sender<Vec<Result<T, Box<Outcome>>>>,
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
    fn count(&self, outcome: &Outcome) {
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
        let (vault, entropy) = (parts.vault.clone(), parts.entropy.clone());
        let (book, recovered) = Book::open(parts)?;
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            waiting: 0.into(),
            closing: false.into(),
            counters: Counters::default(),
        });
        let engine = Self {
            shared: shared.clone(),
            directory: book.directory().clone(),
            seals: book.seals().clone(),
            history: History::new(book.journal.reader(), vault.clone()),
            sealed_keys: book.sealed_keys().clone(),
            vault,
            entropy,
        };
        let thread = std::thread::Builder::new()
            .name("book".to_owned())
            .spawn(move || run(book, &shared))
            .map_err(|error| OpenError::Snapshots(error.into()))?;
        Ok((engine.clone(), Running { engine, thread: Some(thread) }, recovered))
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
        Ok(self.settle(outcome, content))
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
        for (answer, content) in answers.iter_mut().zip(contents) {
            if let Err(outcome) = answer
                && let Outcome::Repeated(_) = **outcome
            {
                let settled = self.settle((**outcome).clone(), content);
                let distilled = match &settled {
                    Outcome::Done(receipt) => distil(&receipt.event, receipt.repeated),
                    _ => None,
                };
                *answer = distilled.ok_or_else(|| Box::new(settled));
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
        let job = Job::Read(Box::new(move |book| {
            let seen = look(book.ledger(), book.now());
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

    /// Begins a snapshot now.
    pub fn request_snapshot(&self) -> Result<(), Unavailable> {
        self.push(Job::Act(Box::new(Book::request_snapshot)), 1)
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

    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
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
        self.queue().stopped.clone()
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job, commands: usize) -> Result<(), Unavailable> {
        let shared = &self.shared;
        let mut queue = self.queue();
        if let Some(reason) = &queue.stopped {
            return Err(Unavailable::Stopped(reason.clone()));
        }
        if shared.closing.load(Ordering::Acquire) {
            return Err(Unavailable::Closing);
        }
        if shared.waiting.load(Ordering::Relaxed) + commands > QUEUE_MAX {
            return Err(Unavailable::Overloaded);
        }
        shared.waiting.fetch_add(commands, Ordering::Relaxed);
        queue.jobs.push(job);
        let first = queue.jobs.len() == 1;
        drop(queue);
        if first {
            shared.wake.notify_one();
        }
        Ok(())
    }

    fn lost(&self) -> Unavailable {
        Unavailable::Unknown
    }

    /// Rebuilds the answer to a repeated key from its event.
    fn settle(&self, outcome: Outcome, content: Option<Content>) -> Outcome {
        let Outcome::Repeated(at) = outcome else { return outcome };
        match self.history.record(at) {
            Ok(record) if record.envelope.key.map(|(_, content)| content) == content => {
                Outcome::Done(Receipt { at, time: record.envelope.time, event: record.event, repeated: true })
            }
            Ok(_) => Outcome::Refused(Refusal::KeyConflict),
            Err(_) => Outcome::Refused(Refusal::Unreadable),
        }
    }
}

impl Running {
    /// Takes no more, finishes what waits, and gives the book back.
    pub fn stop(mut self) -> Option<Book> {
        self.close();
        self.thread.take().and_then(|thread| thread.join().ok())
    }

    fn close(&self) {
        let shared = &self.engine.shared;
        let queue = self.engine.queue();
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
            stop(self.0, "a bug ended its thread");
        }
    }
}

fn run(mut book: Book, shared: &Shared) -> Book {
    let _stop = StopOnPanic(shared);
    let mut jobs = Vec::new();
    let mut held = Vec::new();
    loop {
        let woken = wait(&mut jobs, &book, shared);
        let mut count = 0;
        let served = match woken {
            Woken::Work => serve(&mut book, &mut jobs, &mut held, &mut count, shared),
            Woken::Quiet | Woken::Closing => book.close_tail(),
        };
        if let Err(fault) = served {
            // Everyone in the lost group learns that the outcome is unknown: their channels close.
            held.clear();
            jobs.clear();
            stop(shared, &error_chain(&fault));
            return book;
        }
        if woken == Woken::Closing {
            return book;
        }
        shared.waiting.fetch_sub(count, Ordering::Relaxed);
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
fn wait(jobs: &mut Vec<Job>, book: &Book, shared: &Shared) -> Woken {
    let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if !queue.jobs.is_empty() {
            std::mem::swap(&mut queue.jobs, jobs);
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
) -> Result<(), crate::book::BookFault> {
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
                held.push(Held::Tell(look(book)));
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
fn make_room(
    book: &mut Book,
    held: &mut Vec<Held>,
    counters: &Counters,
) -> Result<(), crate::book::BookFault> {
    if !book.has_room() {
        commit(book, held, counters)?;
        book.begin();
    }
    Ok(())
}

fn commit(book: &mut Book, held: &mut Vec<Held>, counters: &Counters) -> Result<(), crate::book::BookFault> {
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

fn stop(shared: &Shared, reason: &str) {
    let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.stopped = Some(reason.into());
    queue.jobs.clear();
    shared.waiting.store(0, Ordering::Relaxed);
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

#[cfg(test)]
mod tests;
