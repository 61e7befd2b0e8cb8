//! One book: the journal and the state folded from it, advanced group by group on one thread.
//!
//! | phase | what happens | may it fail |
//! |---|---|---|
//! | open | load a snapshot, replay (or have followed), append a barrier | yes: the book does not start |
//! | begin | read the clock, end what is due | a clock not to be believed refuses the group |
//! | decide | key known? → rules → events → folded and written into the group's buffer | no |
//! | commit | text keys kept, one durable append, directory told | yes: the book stops |
//! | rest | after a little quiet, an empty group closes the tail | yes: the book stops |
//! | prove | where nothing was appended: that nobody else has appended either | yes: the book stops |
//! | answer | whoever asked in this group is told | no |
//!
//! The state runs ahead of the journal only between begin and commit, and nothing of it is told to
//! anyone in between. After a failed append the book is thrown away and opened again from the journal.

mod key_ring;
mod open_group;
mod outcome;

use std::sync::Arc;

use domain::Timestamp;
use journal::{Anchor, AppendError, Group, Journal, Room, Snapshots, Tail, Vault, VaultError};
use ledger::{
    Act, Actor, Audited, BalanceIndex, Command, Cursor, Event, EventRef, Ledger, OrganizationIndex,
};

use self::key_ring::KeyRing;
use self::open_group::OpenGroup;
pub(crate) use self::outcome::{Done, NotDone};
pub use self::outcome::{Outcome, Receipt, Refusal, Request};
use crate::BookNumber;
use crate::audit::{self, Was};
use crate::calendar;
use crate::clock::{BookTime, Clock, Entropy};
use crate::directory::{self, Directory};
use crate::follower::Follower;
use crate::history::History;
use crate::origin::Origin;
use crate::record::{Envelope, FORMAT, Links, Mark, links};
use crate::refusals::Refusals;
use crate::retention::anchored;
use crate::seal::{Owner, Seals};
use crate::snapshot::{Background, Snapshotting};
use crate::window::{Age, Asked, Remembered, Sealed, Window};

/// What a book is made of.
pub struct Parts {
    pub journal: Box<dyn Journal>,
    pub vault: Arc<dyn Vault>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub options: Options,
}

#[derive(Clone, Debug)]
pub struct Options {
    /// Which of the journal's books this is.
    pub book: BookNumber,
    /// How long idempotency keys are remembered, at least.
    pub window_secs: i64,
    /// A snapshot is begun when this much was written since the last began.
    pub snapshot_every_bytes: u64,
    /// An operator vouches for the clock, however long the book has rested.
    pub confirm_clock: bool,
    /// What approves every payment may be used.
    pub sandbox: bool,
    pub background: Background,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            book: BookNumber::FIRST,
            window_secs: crate::window::WINDOW_DEFAULT_SECS,
            snapshot_every_bytes: 512 * 1024 * 1024,
            confirm_clock: false,
            sandbox: false,
            background: Background::Threads,
        }
    }
}

/// A digest covers a slice of the state, so that it costs the writer half a millisecond at the most.
const DIGEST_OBJECTS: u32 = 2048;
const DIGEST_EVERY_SECS: i64 = 60;

/// The book is over until it was opened again.
#[derive(Debug, thiserror::Error)]
pub enum BookFault {
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("another writer left a key for texts of this group")]
    OtherKey,
}

pub struct Book {
    pub(crate) ledger: Ledger,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) window: Window,
    pub(crate) time: BookTime,
    pub(crate) directory: Arc<Directory>,
    pub(crate) seals: Seals,
    keys: KeyRing,
    clock: Arc<dyn Clock>,
    snapshots: Arc<dyn Snapshots>,
    snapshotting: Snapshotting,
    group: OpenGroup,
    events: Vec<Event>,
    /// Balances that what was decided last left with reason to start a reload.
    wanting: Vec<BalanceIndex>,
    pub(crate) refusals: Arc<Refusals>,
    calendar_checked: Timestamp,
    /// How far the digests in the journal have come around the state, and when the last was written.
    digested: (Cursor, Timestamp),
    /// Whether the last group is one that was answered for.
    tail_open: bool,
    /// To be written with the next group.
    marks: Vec<Mark>,
}

impl Book {
    /// A follower that has folded all there is leads.
    pub(crate) fn assemble(follower: Follower) -> Result<Self, BookFault> {
        let Follower { parts, mut folded, mut time, directory, seals, refusals, .. } = follower;
        folded.ledger.sandbox = parts.options.sandbox;
        if parts.options.confirm_clock {
            time.confirm(&*parts.clock);
        }
        let snapshots = parts.journal.snapshots();
        let mut book = Self {
            ledger: folded.ledger,
            window: folded.window,
            time,
            directory,
            seals,
            keys: KeyRing::new(parts.vault, parts.entropy),
            clock: parts.clock,
            snapshots,
            snapshotting: Snapshotting::new(parts.options.snapshot_every_bytes, parts.options.background),
            group: OpenGroup::new(),
            events: Vec::new(),
            wanting: Vec::new(),
            refusals,
            calendar_checked: Timestamp::EPOCH,
            digested: (Cursor::Start, Timestamp::EPOCH),
            tail_open: false,
            marks: Vec::new(),
            journal: parts.journal,
        };
        book.barrier()?;
        book.refusals.begin(book.time.last);
        Ok(book)
    }

    /// What stands before the barrier is durable once the barrier is.
    fn barrier(&mut self) -> Result<(), BookFault> {
        let tail = self.journal.tail();
        let now = self.time.last.max(self.time.read(&*self.clock).unwrap_or(self.time.last));
        let mut buffer = Group::buffer();
        // Said at every start: kinds of this release may stand in the journal from here on.
        Mark::FormatRaised(FORMAT).write(&mut buffer);
        Mark::Barrier { epoch: tail.position + 1, nonce: self.keys.nonce() }.write(&mut buffer);
        let group = Group::seal(buffer, &tail, now, 0);
        self.journal.append(&group)?;
        self.time.last = now;
        Ok(())
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn tail(&self) -> Tail {
        self.journal.tail()
    }

    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    pub fn history(&self) -> History {
        History::new(self.journal.reader(), self.keys.vault().clone())
    }

    pub fn seals(&self) -> &Seals {
        &self.seals
    }

    pub fn remembered(&self) -> Remembered {
        self.window.remembered()
    }

    /// What key files say of a request's key. It may be asked at any time before the request is decided.
    pub fn ask(&self, request: &Request) -> Asked {
        request.key.map_or_else(Asked::default, |(key, _)| self.window.sealed().ask_one(key))
    }

    pub(crate) fn sealed_keys(&self) -> &Arc<Sealed> {
        self.window.sealed()
    }

    /// Book time of the group being filled, or of the newest one.
    pub fn now(&self) -> Timestamp {
        self.group.now.unwrap_or(self.time.last).max(self.time.last)
    }

    /// An operator says that the clock is right as it is.
    pub fn confirm_clock(&mut self) {
        self.time.confirm(&*self.clock);
    }

    /// Starts a group: one instant for all of it, and due things first, so that no decision sees an
    /// expired hold as open. A group that was begun and is not committed goes on, at its own instant.
    pub fn begin(&mut self) {
        if self.is_dirty() {
            return;
        }
        self.group.begin(&*self.journal, self.time.read(&*self.clock));
        let Ok(now) = self.group.now else { return };
        let mut due: Vec<_> = self.ledger.due(now).take(ledger::DUE_MAX + 1).collect();
        let now = if due.len() > ledger::DUE_MAX {
            // More is due than one group ends: time stands at the last that this one does.
            due.truncate(ledger::DUE_MAX);
            due.last().map_or(now, |(at, _)| (*at).max(self.time.last))
        } else {
            now
        };
        self.group.now = Ok(now);
        for (_, hold) in due {
            self.events.clear();
            self.ledger.expire(hold, now, &mut self.events);
            self.record(0, Envelope { time: now, actor: Actor::System, key: None }, None);
            self.ledger.add_wanting_reload(&self.events, now, &mut self.wanting);
            self.begin_reloads(now);
        }
        self.extend_calendars(now);
    }

    /// Whether one more command certainly fits.
    pub fn has_room(&self) -> bool {
        self.group.has_room()
    }

    /// Whether there is anything to append.
    pub fn is_dirty(&self) -> bool {
        self.group.events > 0
    }

    /// Fetches what deciding these requests will read, all at once; see [`Ledger::warm`].
    pub fn warm(&self, requests: &[Request]) {
        requests.iter().filter_map(|request| request.key).for_each(|(key, _)| self.window.warm(key));
        std::hint::black_box(self.ledger.warm(requests.iter().map(|request| &request.command)));
    }

    /// Judges one request in the group that was begun.
    pub fn decide(&mut self, request: &Request) -> Outcome {
        self.decide_asked(request, Asked::default())
    }

    /// The same, where key files were asked for the request's key before.
    pub fn decide_asked(&mut self, request: &Request, asked: Asked) -> Outcome {
        self.decide_from(request, asked, None)
    }

    /// The same, where it is known from where it was asked for.
    pub fn decide_from(&mut self, request: &Request, asked: Asked, origin: Option<&Origin>) -> Outcome {
        match self.judge(request, asked, origin) {
            Ok(done) => Outcome::Done(self.receipt(done)),
            Err(not_done) => not_done.into(),
        }
    }

    /// The same, leaving the event where it is: most callers want little of it.
    pub(crate) fn judge(
        &mut self,
        request: &Request,
        asked: Asked,
        origin: Option<&Origin>,
    ) -> Result<Done, NotDone> {
        let now = self.group.now.map_err(|fault| NotDone::Refused(Refusal::Clock(fault)))?;
        if let Some((key, _)) = request.key {
            match self.window.find(key, asked) {
                Ok(None) => {}
                Ok(Some(at)) => return Err(NotDone::Repeated(at)),
                Err(_) => return Err(NotDone::Refused(Refusal::Unreadable)),
            }
            match self.window.age(key, now) {
                Age::Fitting => {}
                Age::TooOld => return Err(NotDone::Refused(Refusal::KeyTooOld)),
                Age::FromFuture => return Err(NotDone::Refused(Refusal::KeyFromFuture)),
            }
        }
        if self.group.room == Room::Reserved && !ends_something(&request.command.act) {
            return Err(NotDone::Refused(Refusal::NoRoom));
        }
        self.events.clear();
        if let Err(rejection) = ledger::decide(&self.ledger, &request.command, now, &mut self.events) {
            self.ledger.add_wanting_reload_of(&rejection, now, &mut self.wanting);
            self.begin_reloads(now);
            self.refusals.count(&self.ledger, &request.command, &rejection, now);
            return Err(NotDone::Rejected(rejection));
        }
        let actor = self.ledger.recorded(request.command.actor);
        let done = self.record(0, Envelope { time: now, actor, key: request.key }, origin);
        if let Some((key, _)) = request.key {
            self.window.insert(key, done.at, now);
        }
        self.ledger.add_wanting_reload(&self.events, now, &mut self.wanting);
        self.begin_reloads(now);
        Ok(done)
    }

    /// Each by a command of its own in the same group, behind the events of the command that led to it.
    fn begin_reloads(&mut self, now: Timestamp) {
        if self.wanting.is_empty() {
            return;
        }
        let mut wanting = std::mem::take(&mut self.wanting);
        let has_room = self.group.room != Room::Reserved;
        for balance in wanting.drain(..).filter(|_| has_room) {
            let from = self.events.len();
            let command = Command { actor: Actor::System, act: Act::BeginReload { balance } };
            // What cannot be received does not start.
            if ledger::decide(&self.ledger, &command, now, &mut self.events).is_ok() {
                self.record(from, Envelope { time: now, actor: Actor::System, key: None }, None);
            }
        }
        self.wanting = wanting;
    }

    /// The event that answers the command judged last.
    pub(crate) fn event(&self, done: Done) -> &Event {
        &self.events[done.main]
    }

    pub(crate) fn receipt(&mut self, done: Done) -> Receipt {
        let event = self.events.swap_remove(done.main);
        Receipt { at: done.at, time: self.now(), event, repeated: false }
    }

    /// Writes and folds the decided events from `from` on; where the one that answers stands, and which it is.
    fn record(&mut self, from: usize, envelope: Envelope, origin: Option<&Origin>) -> Done {
        let main = self.events[from..].iter().position(|event| !event.is_preparation()).unwrap_or(0) + from;
        let mut answer = EventRef::NONE;
        let mut audit = None;
        for (index, event) in self.events.iter().enumerate().skip(from) {
            let at = self.group.end();
            if let Some(owner) = Owner::of_event(event) {
                self.keys.ensure(owner);
            }
            if index == main {
                let organization = self.ledger.audited_for(event);
                audit = organization.map(|organization| (organization, audit::before(&self.ledger, event)));
            }
            let envelope = if index == main { envelope } else { Envelope { key: None, ..envelope } };
            self.group.write(&envelope, event, &links(&self.ledger, event), &self.keys);
            debug_assert_eq!(ledger::invariant::check_event(&self.ledger, event), Ok(()));
            self.ledger.apply(event, at);
            if directory::concerns(event) {
                self.group.published.push(event.clone());
            }
            if index == main {
                answer = at;
            }
        }
        if let Some((organization, was)) = audit {
            self.audit(&envelope, organization, was, answer, main, origin);
        }
        Done { at: answer, main }
    }

    /// Writes and folds who asked for the act that stands at `of`, and from where.
    fn audit(
        &mut self,
        envelope: &Envelope,
        organization: OrganizationIndex,
        was: Was,
        of: EventRef,
        main: usize,
        origin: Option<&Origin>,
    ) {
        let at = self.group.end();
        let actor = Owner::of_actor(&self.ledger, envelope.actor, organization);
        let named = audit::owner_before(&self.events[main], &was);
        if origin.is_some() {
            self.keys.ensure(actor);
        }
        named.into_iter().for_each(|owner| self.keys.ensure(owner));
        let (entry, previous, skips) = self.ledger.audit_head(organization).next();
        let event = Event::Audited(Box::new(Audited {
            organization,
            entry,
            of,
            previous,
            skips,
            before: audit::stored(was, named, at, &self.keys),
            origin: origin.and_then(|origin| audit::seal_origin(actor, origin, at, &self.keys)),
        }));
        let envelope = Envelope { key: None, ..*envelope };
        self.group.write(&envelope, &event, &Links::default(), &self.keys);
        self.ledger.apply(&event, at);
    }

    /// Makes the group durable. A group without events needs nothing: what it saw is durable already.
    pub fn commit(&mut self) -> Result<(), BookFault> {
        if self.group.events == 0 {
            return Ok(());
        }
        self.keys.keep()?;
        let now = self.group.now.expect("events were decided at some time");
        self.append(now)?;
        self.tail_open = true;
        self.directory.publish(&self.ledger, &self.group.published);
        self.group.published.clear();
        self.window.step(now);
        Ok(())
    }

    /// Makes sure that this book still has the last word: what is told without a group of its own (refusals,
    /// reads, repeated answers) is told behind this.
    pub(crate) fn prove(&mut self) -> Result<(), BookFault> {
        Ok(self.journal.prove()?)
    }

    /// Makes what is in the group's buffer durable, with a digest when one is due.
    fn append(&mut self, now: Timestamp) -> Result<(), BookFault> {
        if now >= self.digested.1.plus_secs(DIGEST_EVERY_SECS) {
            Mark::digest(&self.ledger, &mut self.digested.0, DIGEST_OBJECTS).write(&mut self.group.buffer);
            self.digested.1 = now;
        }
        for mark in self.marks.drain(..) {
            mark.write(&mut self.group.buffer);
        }
        let buffer = std::mem::take(&mut self.group.buffer);
        let group = Group::seal(buffer, &self.journal.tail(), now, self.group.events);
        let appended = self.journal.append(&group);
        self.snapshotting.written(group.bytes().len());
        self.group.buffer = group.into_buffer();
        self.group.events = 0;
        appended?;
        self.time.last = now;
        Ok(())
    }

    /// Says in the journal, with the next group, what an operator is about to have removed.
    pub fn name_anchor(&mut self, anchor: &Anchor) {
        self.marks.push(anchored(anchor));
        // Where no command comes, the group that closes the tail says it.
        self.tail_open = true;
    }

    /// Closes the tail with an empty group: what was answered and is damaged later can then be told from
    /// what was never whole. Between groups only, once nothing has come for a while.
    pub fn close_tail(&mut self) -> Result<(), BookFault> {
        if self.tail_open && self.journal.room() == Room::Ample {
            let now = self.time.read(&*self.clock).unwrap_or(self.time.last);
            self.append(now)?;
            self.tail_open = false;
        }
        Ok(())
    }

    pub(crate) fn is_tail_open(&self) -> bool {
        self.tail_open
    }

    /// A bounded piece of the running snapshot, or the start of the next one. Between groups only.
    pub fn snapshot_step(&mut self) {
        let step = self.snapshotting.step(
            &self.ledger,
            self.time.last,
            self.journal.tail(),
            &*self.snapshots,
            &self.keys,
        );
        if let Some(release) = step {
            self.journal.release_before(release);
        }
    }

    /// Begins a snapshot now, whatever was written since the last.
    pub fn request_snapshot(&mut self) {
        self.snapshotting.request();
    }

    /// The whole running snapshot at once: for a drain.
    pub fn finish_snapshot(&mut self) {
        while self.snapshotting.is_running() {
            self.snapshot_step();
        }
    }

    pub(crate) fn has_snapshot_work(&self) -> bool {
        self.snapshotting.is_running()
    }

    /// How long until something falls due that nobody asks for.
    pub(crate) fn next_due_in(&self) -> Option<std::time::Duration> {
        let (due, _) = self.ledger.due(Timestamp::NEVER).next()?;
        let micros = due.micros_since(self.clock.now()).clamp(1_000, 3_600_000_000);
        Some(std::time::Duration::from_micros(micros.unsigned_abs()))
    }

    pub fn snapshots_finished(&self) -> u64 {
        self.snapshotting.finished()
    }

    /// Keeps boundaries recorded ahead of time, so that no rule has to know a calendar.
    fn extend_calendars(&mut self, now: Timestamp) {
        if now < self.calendar_checked.plus_secs(24 * 3600) {
            return;
        }
        self.calendar_checked = now;
        for (organization, boundaries) in calendar::continued(&self.ledger, now) {
            let act = Act::ExtendCalendar { organization, boundaries: boundaries.into() };
            let request = Request { command: Command { actor: Actor::System, act }, key: None };
            self.decide(&request);
        }
    }
}

/// What is still taken when there is hardly any room: it frees what was set aside.
fn ends_something(act: &Act) -> bool {
    matches!(act, Act::CaptureHold { .. } | Act::VoidHold { .. })
}
