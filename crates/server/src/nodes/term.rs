//! The time for which this node leads a book: it opens it, serves it, and lets go of it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use access::Secret;
use dialect::{App, Limits};
use engine::{BookFault, BookNumber, Engine, OpenError, SandboxClock};
use journal::with_causes;
use tokio::runtime::Handle;
use tokio::sync::watch::Sender;

use super::feeding::Feeds;
use super::follow::Follow;
use super::forward::{Front, led_router};
use super::in_flight::counted;
use super::phase::Phase;
use super::{Led, Role, Standing};
use crate::listen::Surrounding;
use crate::open_book::{Followed, Source};
use crate::{BookError, BookOptions, Current, Health, OpenBook, People};

/// Requests that had reached the engine are waited for when the lead is handed over.
const FINISH_MAX: Duration = Duration::from_secs(2);

/// What every book is led with.
pub(super) struct Grounds {
    pub(super) front: Arc<Front>,
    pub(super) source: Source,
    pub(super) options: BookOptions,
    pub(super) token: Option<Secret>,
    pub(super) limits: Limits,
    pub(super) people: People,
    pub(super) show_token: fn(&Secret),
    pub(super) runtime: Handle,
    pub(super) around: Surrounding,
    pub(super) phase: Arc<Phase>,
    pub(super) current: Current,
    pub(super) health: Health,
    /// None, where nothing is followed.
    pub(super) feeds: Option<Feeds>,
    /// Other nodes live, and are reached.
    pub(super) has_others: AtomicBool,
    /// Times this node has opened a book.
    pub(super) takeovers: AtomicU64,
}

impl Grounds {
    /// What the dialects stand on.
    pub(super) fn app(&self, engine: &Engine, sandbox: Option<Arc<SandboxClock>>) -> Arc<App> {
        self.people.app(engine, self.limits, sandbox)
    }
}

/// How a term ended.
pub(super) enum Ended {
    /// Somebody else was faster, or the database was away.
    NotOpened,
    /// The book stopped: somebody else leads, or nobody knows.
    Lost,
    HandedOver,
    /// The book cannot be opened at all, until somebody does something about it.
    Faulted(BookError),
}

#[derive(Default)]
struct Signals {
    /// The row names another node, or is gone.
    disputed: AtomicBool,
    /// The journal says that this node leads.
    proven: AtomicBool,
    /// Another node is to have it.
    leave: AtomicBool,
}

pub(super) struct Term {
    signals: Arc<Signals>,
    thread: JoinHandle<Ended>,
}

impl Term {
    pub(super) fn begin(
        book: BookNumber,
        grounds: &Arc<Grounds>,
        role: Sender<Role>,
        standing: &Arc<Standing>,
        follow: Option<Follow>,
    ) -> std::io::Result<Self> {
        let signals = Arc::<Signals>::default();
        let (grounds, standing) = (Arc::clone(grounds), Arc::clone(standing));
        let leading = Leading { book, grounds, role, standing, signals: Arc::clone(&signals) };
        let thread = std::thread::Builder::new().name(format!("leads {book}"));
        Ok(Self { signals, thread: thread.spawn(move || leading.run(follow))? })
    }

    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    pub(super) fn join(self) -> Ended {
        self.thread.join().unwrap_or_else(|_| {
            tracing::error!("a book's thread ended by a bug");
            Ended::Lost
        })
    }

    pub(super) fn dispute(&self) {
        self.signals.disputed.store(true, Ordering::Release);
    }

    pub(super) fn hand_over(&self) {
        self.signals.leave.store(true, Ordering::Release);
        self.thread.thread().unpark();
    }

    /// Once for each proof.
    pub(super) fn is_proven(&self) -> bool {
        self.signals.proven.swap(false, Ordering::AcqRel)
    }
}

/// On the term's own thread.
struct Leading {
    book: BookNumber,
    grounds: Arc<Grounds>,
    role: Sender<Role>,
    standing: Arc<Standing>,
    signals: Arc<Signals>,
}

impl Leading {
    fn run(self, follow: Option<Follow>) -> Ended {
        let Self { book, grounds, .. } = &self;
        let begun = Instant::now();
        let followed = follow.and_then(Follow::finish);
        let (opened, is_warm) = match followed {
            Some(followed) => self.lead(followed),
            None => (self.open(), false),
        };
        let open = match opened {
            Ok(open) => open,
            Err(error) if is_passing(&error) => {
                tracing::warn!(
                    book = book.get(),
                    reason = with_causes(&error),
                    "the lead is lost before the book is open"
                );
                return Ended::NotOpened;
            }
            Err(error) => return Ended::Faulted(error),
        };
        if let Some(token) = &open.token {
            (grounds.show_token)(token);
        }
        grounds.takeovers.fetch_add(1, Ordering::Relaxed);
        let (took_ms, replayed) = (begun.elapsed().as_millis() as u64, open.recovered.events);
        let accounts = open.engine.directory().accounts();
        tracing::info!(book = book.get(), took_ms, is_warm, replayed, accounts, "this node leads");
        self.standing.took_over(is_warm);
        let ended = self.serve(&open);
        grounds.current.set(*book, None);
        open.close();
        ended
    }

    fn open(&self) -> Result<OpenBook, BookError> {
        let Self { book, grounds, .. } = self;
        let opened = grounds.source.open(*book)?;
        let start = OpenBook::start(*book, opened, &grounds.options, grounds.token.clone());
        grounds.runtime.block_on(start)
    }

    /// What was followed leads; or the book is opened as at a start, if that is not what the journal holds.
    fn lead(&self, followed: Followed) -> (Result<OpenBook, BookError>, bool) {
        let Self { book, grounds, .. } = self;
        let lead = OpenBook::lead(*book, followed, &grounds.options, grounds.token.clone());
        match grounds.runtime.block_on(lead) {
            // Somebody else's barrier stands there.
            Err(error @ BookError::Book(OpenError::Book(_))) => (Err(error), true),
            Err(error) => {
                tracing::warn!(
                    book = book.get(),
                    reason = with_causes(&error),
                    "what was followed does not lead"
                );
                (self.open(), false)
            }
            lead => (lead, true),
        }
    }

    /// Until the book stops, or it is time to hand over.
    fn serve(&self, open: &OpenBook) -> Ended {
        let grounds = &self.grounds;
        let in_flight = Arc::new(AtomicUsize::new(0));
        let app = grounds.app(&open.engine, open.sandbox.clone());
        grounds.runtime.spawn(crate::note_uses(Arc::downgrade(&app)));
        grounds.runtime.spawn(crate::note_failures(Arc::downgrade(&app)));
        // Letters that another node did not get to are found in the book.
        grounds.runtime.spawn(crate::deliver_letters(Arc::downgrade(&app)));
        let bare = counted(crate::router(Arc::clone(&app)), &in_flight);
        let node = grounds.around.around(bare.clone());
        let public = grounds.around.around(led_router(&grounds.front, self.book, bare.clone()));
        grounds.current.set(self.book, Some(open));
        self.standing.leads.store(true, Ordering::Relaxed);
        self.standing.silence_ms.store(0, Ordering::Relaxed);
        self.role.send_replace(Role::Leading(Led { public, node, bare, app }));
        let ended = self.until_over(&open.engine);
        self.role.send_replace(Role::Leaderless);
        if matches!(ended, Ended::HandedOver) {
            let until = Instant::now() + FINISH_MAX;
            while in_flight.load(Ordering::Acquire) > 0 && Instant::now() < until {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
        ended
    }

    fn until_over(&self, engine: &Engine) -> Ended {
        let Self { grounds, signals, .. } = self;
        let mut handed_over = false;
        loop {
            if let Some(reason) = engine.stopped() {
                let book = self.book.get();
                tracing::error!(
                    book,
                    reason = &*reason,
                    "the book has stopped and is opened again by who leads"
                );
                return Ended::Lost;
            }
            if grounds.phase.has(Phase::ENDING) || signals.leave.load(Ordering::Acquire) {
                return Ended::HandedOver;
            }
            if grounds.phase.has(Phase::DRAINING) && !handed_over {
                if grounds.has_others.load(Ordering::Acquire) {
                    return Ended::HandedOver;
                }
                handed_over = true;
            }
            if signals.disputed.swap(false, Ordering::AcqRel) {
                self.prove(engine);
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// The row says that another leads. The journal knows: a read comes back with a proof, or the book stops.
    fn prove(&self, engine: &Engine) {
        let (engine, signals) = (engine.clone(), Arc::clone(&self.signals));
        self.grounds.runtime.spawn(async move {
            if engine.read(|_, _| ()).await.is_ok() {
                signals.proven.store(true, Ordering::Release);
            }
        });
    }
}

/// Somebody else was faster, or the database was away: the next attempt may do.
pub(super) fn is_passing(error: &BookError) -> bool {
    match error {
        BookError::Book(OpenError::Replaced { .. }) => true,
        BookError::Book(OpenError::Book(BookFault::Append(_) | BookFault::OtherKey)) => true,
        BookError::Book(OpenError::Book(BookFault::Vault(_)) | OpenError::Vault(_)) => true,
        BookError::Book(OpenError::Read(error)) => !matches!(error, journal::ReadError::Damaged { .. }),
        BookError::Database(error) => matches!(error, journal_postgres::OpenError::Database(_)),
        BookError::FirstStart(_) => true,
        _ => false,
    }
}
