//! The thread of a node: it follows, takes the lead, opens the book, and lets go of it again.

mod beating;
mod in_flight;
mod others;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use access::Secret;
use dialect::{App, Limits, Site};
use engine::{BookFault, Engine, OpenError};
use journal_postgres::{Lead, NodeId, Nodes, POLL_EVERY, Watch};
use mail::Mailer;
use tokio::runtime::Handle;
use tokio::sync::watch::Sender;

use super::{Role, Standing};
use crate::books::{BOOK, Source};
use crate::{Books, BooksError, BooksOptions, Current, Health, Readiness};
use beating::{ALIVE_EVERY, Beating, Complaints};
use in_flight::counted;

/// After handing over, the lead is left to others for so long; then this node takes it back.
const HANDED_OVER: Duration = Duration::from_secs(2);
/// Requests that had reached the engine are waited for when the lead is handed over.
const FINISH_MAX: Duration = Duration::from_secs(2);

/// How far the process is. Changes wake the node's thread.
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

    fn has(&self, phase: u8) -> bool {
        self.phase.load(Ordering::Acquire) >= phase
    }
}

pub(super) struct Leader {
    pub(super) source: Source,
    pub(super) rows: Nodes,
    pub(super) me: NodeId,
    pub(super) directory: PathBuf,
    pub(super) options: BooksOptions,
    pub(super) token: Option<Secret>,
    pub(super) limits: Limits,
    /// How people come here, and how letters leave.
    pub(super) people: (Site, Mailer),
    pub(super) show_token: fn(&Secret),
    pub(super) runtime: Handle,
    pub(super) role: Sender<Role>,
    pub(super) phase: Arc<Phase>,
    pub(super) standing: Arc<Standing>,
    pub(super) current: Current,
    pub(super) health: Health,
}

/// How a time of leading ended.
enum Ended {
    /// Somebody else was faster, or the database was away.
    NotOpened,
    /// The book stopped: somebody else leads, or nobody knows.
    Lost,
    HandedOver,
    /// The book cannot be opened at all, until somebody does something about it.
    Faulted(BooksError),
}

impl Leader {
    /// Until the process ends. The error is one that a start cannot go on with.
    pub(super) fn run(self) -> Option<BooksError> {
        let mut watch = Watch::new(Instant::now(), u64::from(self.me[0]));
        let (mut has_led, mut fault) = (false, None);
        while self.follow(&mut watch, fault.as_deref()) {
            fault = None;
            let ended = self.lead(&mut has_led);
            self.role.send_replace(Role::Leaderless);
            self.current.set(None);
            self.standing.leads.store(false, Ordering::Relaxed);
            let now = Instant::now();
            match ended {
                Ended::Faulted(error) if !has_led => {
                    self.leave();
                    return Some(error);
                }
                Ended::Faulted(error) => {
                    let reason = chain(&error);
                    tracing::error!(reason, "the book cannot be opened");
                    fault = Some(reason);
                    watch.lost(now);
                }
                Ended::NotOpened => watch.lost(now),
                Ended::Lost => {
                    watch.won();
                    watch.lost(now);
                }
                Ended::HandedOver => watch.wait(now, HANDED_OVER),
            }
        }
        self.leave();
        None
    }

    fn leave(&self) {
        // Rows are advice: one that stays is seen to stand still.
        _ = self.rows.hand_over(BOOK);
        _ = self.rows.leave();
    }

    /// Until the lead was taken: true. False at the end of the process. `fault` is why this node does not
    /// lead, if the book cannot be opened.
    fn follow(&self, watch: &mut Watch, fault: Option<&str>) -> bool {
        let (mut beaten, mut complaints) = (None::<Instant>, Complaints::default());
        loop {
            if self.phase.has(Phase::ENDING) {
                return false;
            }
            let now = Instant::now();
            if beaten.is_none_or(|beaten| now.duration_since(beaten) >= ALIVE_EVERY) {
                beaten = Some(now);
                complaints.hear(self.rows.beat(), "this node's row is not written");
            }
            let lead = self.rows.lead(BOOK);
            // As it was before the question: what the answer took is not silence.
            let may_take = match &lead {
                Ok(lead) => watch.look(lead.as_ref(), now),
                Err(_) => false,
            };
            self.standing.silence_ms.store(watch.silence(now).as_millis() as u64, Ordering::Relaxed);
            match lead {
                Ok(lead) if may_take => match self.rows.take(BOOK, lead.as_ref()) {
                    Ok(true) => return true,
                    taken => {
                        complaints.hear(taken, "the lead is not taken");
                        watch.lost(Instant::now());
                    }
                },
                Ok(lead) => self.tell(lead.as_ref(), fault),
                Err(error) => complaints.hear(Err::<(), _>(error), "who leads is not known"),
            }
            std::thread::park_timeout(POLL_EVERY);
        }
    }

    /// Where requests go.
    fn tell(&self, lead: Option<&Lead>, fault: Option<&str>) {
        let address = lead.and_then(|lead| lead.address.clone()).filter(|_| {
            // A row that names this node is of no use: it does not lead.
            lead.is_some_and(|lead| lead.node.is_some_and(|node| node != self.me))
        });
        self.health.set(match (&address, fault) {
            (Some(leader), _) => Readiness::Following(leader.clone()),
            (None, Some(reason)) => Readiness::Faulted(reason.to_owned()),
            (None, None) => Readiness::Leaderless,
        });
        self.role.send_if_modified(|role| match (&*role, address) {
            (Role::Following(known), Some(leader)) if *known == leader => false,
            (Role::Leaderless, None) => false,
            (_, Some(leader)) => {
                *role = Role::Following(leader);
                true
            }
            (_, None) => {
                *role = Role::Leaderless;
                true
            }
        });
    }

    fn lead(&self, has_led: &mut bool) -> Ended {
        let beating = Beating::default();
        std::thread::scope(|scope| {
            scope.spawn(|| beating.run(&self.rows));
            let ended = self.open_and_serve(&beating, has_led);
            beating.stop.store(true, Ordering::Release);
            ended
        })
    }

    fn open_and_serve(&self, beating: &Beating, has_led: &mut bool) -> Ended {
        let begun = Instant::now();
        let opened = self.source.open().and_then(|opened| {
            let start = Books::start(opened, &self.directory, &self.options, self.token.clone());
            self.runtime.block_on(start)
        });
        let books = match opened {
            Ok(books) => books,
            Err(error) if is_passing(&error) => {
                tracing::warn!(reason = chain(&error), "the lead is lost before the book is open");
                return Ended::NotOpened;
            }
            Err(error) => return Ended::Faulted(error),
        };
        *has_led = true;
        if let Some(token) = &books.token {
            (self.show_token)(token);
        }
        let takeovers = self.standing.took_over();
        let (took_ms, replayed) = (begun.elapsed().as_millis() as u64, books.recovered.events);
        tracing::info!(took_ms, replayed, accounts = books.engine.directory().accounts(), "this node leads");
        let in_flight = Arc::new(AtomicUsize::new(0));
        let app = App::new(books.engine.clone(), self.limits).with_sandbox(books.sandbox.clone());
        let (site, mailer) = self.people.clone();
        let app = Arc::new(app.with_site(site, mailer));
        self.runtime.spawn(crate::note_uses(Arc::downgrade(&app)));
        self.runtime.spawn(crate::note_failures(Arc::downgrade(&app)));
        // Letters that another node did not get to are found in the book.
        self.runtime.spawn(crate::deliver_letters(Arc::downgrade(&app)));
        let router = counted(crate::router(app), &in_flight);
        self.current.set(Some(&books));
        self.standing.leads.store(true, Ordering::Relaxed);
        self.standing.silence_ms.store(0, Ordering::Relaxed);
        self.health.set(Readiness::Leading(takeovers));
        self.role.send_replace(Role::Leading(router));
        let ended = self.serve(&books.engine, beating);
        self.role.send_replace(Role::Leaderless);
        if matches!(ended, Ended::HandedOver) {
            let until = Instant::now() + FINISH_MAX;
            while in_flight.load(Ordering::Acquire) > 0 && Instant::now() < until {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
        books.close();
        if matches!(ended, Ended::HandedOver) {
            beating.stop.store(true, Ordering::Release);
            Complaints::default().hear(self.rows.hand_over(BOOK), "the lead is not handed over");
        }
        ended
    }

    /// Until the book stops, or it is time to hand over.
    fn serve(&self, engine: &Engine, beating: &Beating) -> Ended {
        let mut handed_over = false;
        loop {
            if let Some(reason) = engine.stopped() {
                tracing::error!(reason = &*reason, "the book has stopped and is opened again by who leads");
                return Ended::Lost;
            }
            if self.phase.has(Phase::ENDING) {
                return Ended::HandedOver;
            }
            if self.phase.has(Phase::DRAINING) && !handed_over {
                // Who settles an unknown outcome may do so for long: the process is to end.
                self.source.database.give_up();
                if beating.has_others.load(Ordering::Acquire) {
                    return Ended::HandedOver;
                }
                handed_over = true;
            }
            if beating.disputed.swap(false, Ordering::AcqRel) {
                self.prove(engine, beating);
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// The row says that another leads. The journal knows: a read comes back with a proof, or the book stops.
    fn prove(&self, engine: &Engine, beating: &Beating) {
        let (engine, proven) = (engine.clone(), Arc::clone(&beating.proven));
        self.runtime.spawn(async move {
            if engine.read(|_, _| ()).await.is_ok() {
                proven.store(true, Ordering::Release);
            }
        });
    }
}

/// Somebody else was faster, or the database was away: the next attempt may do.
fn is_passing(error: &BooksError) -> bool {
    match error {
        BooksError::Book(OpenError::Book(BookFault::Append(_) | BookFault::OtherKey)) => true,
        BooksError::Book(OpenError::Book(BookFault::Vault(_)) | OpenError::Vault(_)) => true,
        BooksError::Book(OpenError::Read(error)) => !matches!(error, journal::ReadError::Damaged { .. }),
        BooksError::Database(error) => matches!(error, journal_postgres::OpenError::Database(_)),
        BooksError::FirstStart(_) => true,
        _ => false,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
