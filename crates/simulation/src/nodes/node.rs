//! A node: it follows, takes the lead, opens the book and serves, as the server's thread of a node does.
//!
//! The rows, the watch, the journal, the engine and its rounds are the server's own. What stands here is
//! what the server does with threads and sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::Timestamp;
use engine::{Background, BookFault, Clock, Engine, OpenError, Parts, Rounds, SeededEntropy};
use journal::{AppendError, ReadError};
use journal_postgres::{
    BEAT_EVERY, Database, EraLimit, Incarnation, NodeId, Nodes, Options, POLL_EVERY, PostgresJournal, Watch,
};

use super::following::{Followed, Kept};
use super::message::{Answer, Request, Said};
use super::session::{SimHosts, wait_until};
use super::world::{Event, MILLI, Micros, SECOND, Shared, Spawned};
use crate::rules::START;

pub(super) const BOOK: u32 = 0;
/// A node's own row moves so often.
const ALIVE_EVERY: Micros = SECOND;
const CHECK_EVERY: Micros = SECOND;

pub fn options() -> Options {
    Options {
        cache_bytes: 16 * 1024,
        era: EraLimit { groups: 24, bytes: 1 << 40 },
        probe_timeout: Duration::from_millis(150),
        reply_timeout: Duration::from_millis(400),
        settle_timeout: Duration::from_secs(2),
        background: journal_postgres::Background::Inline,
    }
}

pub fn hosts(world: &Shared, node: usize) -> Arc<SimHosts> {
    let Options { probe_timeout, reply_timeout, .. } = options();
    Arc::new(SimHosts { world: world.clone(), node, probe_timeout, reply_timeout })
}

/// A wall clock that somebody may set, and a monotonic one.
pub struct SimClock {
    pub world: Shared,
    pub node: usize,
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let world = self.world.lock();
        Timestamp::from_micros(START + world.now as i64 + world.nodes[self.node].skew_micros)
    }

    fn monotonic_micros(&self) -> i64 {
        self.world.lock().now as i64
    }
}

/// One run of the process.
pub struct Node {
    pub world: Shared,
    pub node: usize,
    pub start: u64,
    /// What virtual time is counted from, for those who want an instant.
    pub epoch: Instant,
}

/// How a time of leading ended.
enum Ended {
    NotOpened,
    Lost,
}

/// What goes on beside a book that is opened and served.
#[derive(Default)]
pub struct Beating {
    stop: AtomicBool,
    is_over: AtomicBool,
    /// The row names another node, or is gone.
    pub disputed: AtomicBool,
    /// The journal says that this node leads.
    pub proven: AtomicBool,
}

impl Node {
    pub(super) fn now(&self) -> Micros {
        self.world.lock().now
    }

    fn instant(&self) -> Instant {
        self.epoch + Duration::from_micros(self.now())
    }

    fn pause(&self, time: Micros) {
        wait_until(&self.world, self.now() + time, |_| false);
    }

    fn spawn(&self, work: impl FnOnce(Self) + Send + 'static) {
        let node = Self { world: self.world.clone(), ..*self };
        let mut world = self.world.lock();
        let (id, node_number) = (world.number(), self.node);
        world.spawned.push(Spawned { id, node: node_number, work: Box::new(move || work(node)) });
        world.after(0, Event::Wake(id));
    }

    pub fn run(self) {
        let database = loop {
            let database = Database::over(hosts(&self.world, self.node), options());
            match database.and_then(|it| Ok((it.incarnation()?, it))) {
                Ok((Some(incarnation), database)) if self.belongs_to(incarnation) => {
                    database.expect(incarnation);
                    break Arc::new(database);
                }
                _ => self.pause(100 * MILLI),
            }
        };
        let mut me: NodeId = [self.node as u8 + 1; 16];
        me[..8].copy_from_slice(&self.start.to_le_bytes());
        let rows = Arc::new(Nodes::new(&database, me, "somewhere", "simulated"));
        let checked = database.clone();
        self.spawn(move |node| {
            loop {
                node.pause(CHECK_EVERY);
                checked.check_hosts();
            }
        });
        let mut watch = Watch::new(self.instant(), self.start);
        let mut kept = Kept::new(&database, me);
        loop {
            self.follow(&rows, &mut watch, &mut kept);
            let beating = Arc::new(Beating::default());
            let (beats, beaten) = (rows.clone(), beating.clone());
            self.spawn(move |node| node.beat(me, &beats, &beaten));
            let ended = self.lead(&database, &beating, kept.take());
            self.world.lock().nodes[self.node].leads = false;
            beating.stop.store(true, Ordering::Release);
            while !beating.is_over.load(Ordering::Acquire) {
                self.pause(10 * MILLI);
            }
            if matches!(ended, Ended::Lost) {
                watch.won();
            }
            watch.lost(self.instant());
        }
    }

    /// The directory is of one journal only.
    fn belongs_to(&self, found: Incarnation) -> bool {
        *self.world.lock().nodes[self.node].journal.get_or_insert(found) == found
    }

    /// Until the lead was taken.
    fn follow(&self, rows: &Nodes, watch: &mut Watch, kept: &mut Kept) {
        let mut beaten = None::<Micros>;
        loop {
            self.keep_up(kept);
            self.decline(kept);
            let (now, instant) = (self.now(), self.instant());
            if beaten.is_none_or(|beaten| now - beaten >= ALIVE_EVERY) {
                beaten = Some(now);
                drop(rows.beat());
            }
            let lead = rows.leads().map(|mut leads| leads.remove(&BOOK));
            if std::mem::take(&mut self.world.lock().nodes[self.node].usurps) {
                // The rows lie, or this node does not read them.
                return;
            }
            if let Ok(lead) = lead
                && watch.look(lead.as_ref(), instant)
            {
                match rows.take(BOOK, lead.as_ref()) {
                    Ok(true) => return,
                    _ => watch.lost(self.instant()),
                }
            }
            self.pause(u64::try_from(POLL_EVERY.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Whoever asks is told to ask elsewhere, unless an answer may be a little old.
    fn decline(&self, kept: &mut Kept) {
        for Request { client, attempt, wanted, .. } in self.inbox() {
            let said = self.near(kept, wanted);
            self.answer(client, attempt, &said);
        }
    }

    pub(super) fn inbox(&self) -> Vec<Request> {
        let mut world = self.world.lock();
        let mut inbox = std::mem::take(&mut world.nodes[self.node].inbox);
        // Names of what was lost may stand for something else by now.
        inbox.retain(|request| request.losses == world.clients.losses);
        inbox
    }

    pub(super) fn answer(&self, client: usize, attempt: u64, said: &Said) {
        let mut world = self.world.lock();
        for _ in 0..=u64::from(world.random.one_in(30)) {
            let answer = Answer { client, attempt, said: said.clone() };
            let delay = world.delay();
            if !world.random.one_in(40) {
                world.after(delay, Event::Answer(Box::new(answer)));
            }
        }
    }

    fn beat(&self, me: NodeId, rows: &Nodes, beating: &Beating) {
        let mut alive = None::<Micros>;
        while !beating.stop.load(Ordering::Acquire) {
            if beating.proven.swap(false, Ordering::AcqRel) {
                drop(rows.assert(BOOK));
            } else {
                drop(rows.keep(&[BOOK]));
            }
            if let Ok(leads) = rows.leads()
                && leads.get(&BOOK).and_then(|lead| lead.node) != Some(me)
            {
                beating.disputed.store(true, Ordering::Release);
            }
            let now = self.now();
            if alive.is_none_or(|alive| now - alive >= ALIVE_EVERY) {
                alive = Some(now);
                drop(rows.beat());
            }
            self.pause(u64::try_from(BEAT_EVERY.as_micros()).unwrap_or(u64::MAX));
        }
        beating.is_over.store(true, Ordering::Release);
    }

    fn lead(&self, database: &Database, beating: &Beating, kept: Option<Followed>) -> Ended {
        let warm = kept.and_then(|kept| self.lead_warm(kept).transpose());
        let (engine, mut rounds) = match warm.unwrap_or_else(|| self.open(database)) {
            Ok(opened) => opened,
            Err(error) => {
                if let Some(wrong) = is_wrong(&error) {
                    self.world.lock().fail(format!("node {}: the book does not open: {wrong}", self.node));
                }
                return Ended::NotOpened;
            }
        };
        {
            let mut world = self.world.lock();
            world.story.takeovers += 1;
            world.nodes[self.node].leads = true;
        }
        match self.serve(&engine, &mut rounds, beating) {
            Ok(()) => Ended::Lost,
            Err(fault) => {
                let mut world = self.world.lock();
                match fault {
                    BookFault::Append(AppendError::Fenced { .. }) => world.story.fenced += 1,
                    BookFault::Append(AppendError::HistoryLost { .. }) => world.story.history_lost += 1,
                    BookFault::Append(AppendError::Unknown { .. }) => world.story.unknown += 1,
                    _ => world.story.faults += 1,
                }
                Ended::Lost
            }
        }
    }

    fn open(&self, database: &Database) -> Result<(Engine, Rounds), OpenError> {
        let parts = self.parts(database.open(BOOK))?;
        let (engine, rounds, recovered) = Engine::open(parts)?;
        self.world.lock().story.from_snapshot += u64::from(recovered.snapshot.is_some());
        Ok((engine, rounds))
    }

    pub(super) fn parts(
        &self,
        journal: Result<PostgresJournal, journal_postgres::OpenError>,
    ) -> Result<Parts, OpenError> {
        let journal = journal.map_err(|error| match error {
            journal_postgres::OpenError::Damaged { place, reason } => {
                self.world.lock().fail(format!("node {}: {place}: {reason}", self.node));
                OpenError::Read(ReadError::Missing { position: 0 })
            }
            _ => OpenError::Read(ReadError::Missing { position: 0 }),
        })?;
        let entropy = self.world.lock().random.number();
        Ok(Parts {
            vault: journal.vault(),
            journal: Box::new(journal),
            clock: Arc::new(SimClock { world: self.world.clone(), node: self.node }),
            entropy: Arc::new(SeededEntropy::new(entropy)),
            options: engine::Options {
                snapshot_every_bytes: 1_500,
                background: Background::Inline,
                sandbox: true,
                ..engine::Options::default()
            },
        })
    }
}

/// What must never be met when a book is opened, whatever the network does.
pub(super) fn is_wrong(error: &OpenError) -> Option<String> {
    let passes = match error {
        OpenError::Book(_) | OpenError::Vault(_) | OpenError::Snapshots(_) | OpenError::Replaced { .. } => {
            true
        }
        OpenError::Read(error) => !matches!(error, ReadError::Damaged { .. }),
        _ => false,
    };
    (!passes).then(|| format!("{error:?}"))
}
