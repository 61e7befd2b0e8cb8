//! Ledger, engine and journal over a place and a clock that fail, everything from one seed.
//!
//! | what happens | what is checked |
//! |---|---|
//! | random groups of commands | every answer and every figure against the model |
//! | power lost at any write, or between two | every acknowledged group is there; the one in flight, whole or not at all |
//! | a sync fails, the disk is full | refused, never wrong; opened again the state is one the model knows |
//! | the clock is set back or ahead | refused until it is right again or an operator confirms it |
//! | a known key again | the same answer, from its event |
//! | the end | `verify` derives the same state from the first event |

mod ground;

use std::sync::Arc;

use domain::{Currency, Timestamp};
use engine::{
    Asked, Background, Book, Content, History, Key, ManualClock, Options, Outcome, Parts, Recovered, Refusal,
    Request, SeededEntropy,
};
use journal::{Journal, Room, Vault};
use ledger::{Act, Actor, Command, CredentialIndex, Cursor, Event, EventRef, Ledger};

use self::ground::Shared;
pub use self::ground::{FailingDisk, Ground};
use crate::bridge::{self, Bridge};
use crate::model::Model;
use crate::rules::{START, agree, pass, period, seller_credential};
use crate::{Random, workload};

/// What a life came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Story {
    pub commands: u64,
    pub acknowledged: u64,
    pub power_losses: u64,
    pub faults: u64,
    pub restarts_from_snapshot: u64,
    pub repeats: u64,
    /// Of these, found in a key file.
    pub repeats_sealed: u64,
    pub in_flight_kept: u64,
    pub clock_refusals: u64,
}

impl Story {
    pub fn add(&mut self, other: &Self) {
        self.commands += other.commands;
        self.acknowledged += other.acknowledged;
        self.power_losses += other.power_losses;
        self.faults += other.faults;
        self.restarts_from_snapshot += other.restarts_from_snapshot;
        self.repeats += other.repeats;
        self.repeats_sealed += other.repeats_sealed;
        self.in_flight_kept += other.in_flight_kept;
        self.clock_refusals += other.clock_refusals;
    }
}

/// Lives one life over a disk that fails; the first thing that is not as it must be ends it.
pub fn run(seed: u64, rounds: u64) -> Result<Story, String> {
    run_on(FailingDisk::new(seed)?, seed, rounds)
}

/// Lives one life over some other ground.
pub fn run_on(ground: impl Ground, seed: u64, rounds: u64) -> Result<Story, String> {
    let mut life = Life::begin(ground, seed).map_err(|error| format!("seed {seed}, at birth: {error}"))?;
    for round in 0..rounds {
        life.round().map_err(|error| format!("seed {seed}, round {round}: {error}"))?;
    }
    life.end().map_err(|error| format!("seed {seed}, at the end: {error}"))?;
    Ok(life.story)
}

struct Running<J> {
    book: Book,
    journal: Shared<J>,
    vault: Arc<dyn Vault>,
}

/// A command that was answered under a key: what a retry must find.
struct Remembered {
    request: Request,
    at: EventRef,
    event: Event,
    time: Timestamp,
}

struct Life<G: Ground> {
    ground: G,
    running: Option<Running<G::Journal>>,
    clock: Arc<ManualClock>,
    model: Model,
    bridge: Bridge,
    random: Random,
    seed: u64,
    starts: u64,
    keys: Vec<Remembered>,
    /// Asked of key files, but not yet of the writer.
    question: Option<(usize, Asked)>,
    story: Story,
}

impl<G: Ground> Life<G> {
    fn begin(ground: G, seed: u64) -> Result<Self, String> {
        let mut life = Self {
            ground,
            running: None,
            clock: Arc::new(ManualClock::at(Timestamp::from_micros(START))),
            model: Model::default(),
            bridge: Bridge::new(CredentialIndex::new(0)),
            random: Random::new(seed ^ 0x5eed),
            seed,
            starts: 0,
            keys: Vec::new(),
            question: None,
            story: Story::default(),
        };
        life.open()?;
        let running = life.running.as_mut().expect("it was opened");
        running.book.begin();
        let now = running.book.now();
        let found = engine::found("seller", "UTC", Currency::EUR, now).map_err(|error| error.to_string())?;
        for act in [found, seller_credential()] {
            let request = Request { command: Command { actor: Actor::System, act }, key: None };
            match running.book.decide(&request) {
                Outcome::Done(_) => {}
                other => return Err(format!("{other:?}")),
            }
        }
        running.book.commit().map_err(|fault| fault.to_string())?;
        Ok(life)
    }

    fn open(&mut self) -> Result<Recovered, String> {
        self.starts += 1;
        self.question = None;
        let opened = self.ground.open();
        let (journal, vault) = opened.map_err(|error| format!("the journal does not open: {error}"))?;
        let journal = Shared::new(journal);
        let options = Options {
            snapshot_every_bytes: 8_000,
            background: Background::Inline,
            confirm_clock: true,
            sandbox: true,
            ..Options::default()
        };
        let parts = Parts {
            journal: Box::new(journal.clone()),
            vault: vault.clone(),
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(self.seed.wrapping_mul(31) + self.starts)),
            options,
        };
        let (book, recovered) =
            Book::open(parts).map_err(|error| format!("the book does not open: {error}"))?;
        self.story.restarts_from_snapshot += u64::from(recovered.snapshot.is_some());
        self.running = Some(Running { book, journal, vault });
        Ok(recovered)
    }

    fn round(&mut self) -> Result<(), String> {
        let passed = pass(&mut self.random);
        self.clock.advance_to(Timestamp::from_micros(self.clock_now() + passed));
        match self.random.below(100) {
            0..=4 => self.lose_power_between(),
            5..=16 => {
                self.ground.trouble(&mut self.random);
                self.group()?;
                self.background();
                self.ground.repair();
                Ok(())
            }
            17 => self.step_clock(),
            18..=30 => {
                self.background();
                Ok(())
            }
            31..=36 => self.repeat(),
            37 | 38 => self.histories(),
            _ => self.group(),
        }
    }

    fn clock_now(&self) -> i64 {
        engine::Clock::now(&*self.clock).as_micros()
    }

    fn running(&mut self) -> &mut Running<G::Journal> {
        self.running.as_mut().expect("every failure opens the book again")
    }

    /// One group of commands; what it answers counts once it is committed.
    fn group(&mut self) -> Result<(), String> {
        let before = (self.model.clone(), self.bridge.clone());
        let remembered_before = self.keys.len();
        if self.random.one_in(4) && self.running().book.close_tail().is_err() {
            self.story.faults += 1;
            return self.recover(before, remembered_before);
        }
        let now = {
            let book = &mut self.running().book;
            book.begin();
            book.now()
        };
        let period = period(self.running().book.ledger(), now);
        self.expire(now, period);
        for _ in 0..1 + self.random.below(12) {
            self.command(now, period)?;
        }
        let after_model = self.model.clone();
        match self.running().book.commit() {
            Ok(()) => {
                self.check_figures(&after_model)?;
                self.running().book.snapshot_step();
                Ok(())
            }
            Err(_) => {
                self.story.faults += 1;
                // Nobody was told anything: either all of the group is there, or nothing of it.
                self.recover(before, remembered_before)
            }
        }
    }

    /// What falls due as a group is begun, which looks once at how much room there is.
    fn expire(&mut self, now: Timestamp, period: u32) {
        self.model.is_full = self.running().journal.room() == Room::Reserved;
        self.model.expire(now.as_micros(), period);
    }

    fn command(&mut self, now: Timestamp, period: u32) -> Result<(), String> {
        let (who, ask) = workload::next(&mut self.random, &self.model, now.as_micros());
        let command = self.bridge.command(who, &ask);
        let key = self.random.one_in(3).then(|| {
            let high = u128::from(self.random.number()) << 64;
            (Key::new(high | u128::from(self.random.number())), Content(u128::from(self.random.number())))
        });
        let request = Request { command, key };
        let outcome = self.running().book.decide(&request);
        self.story.commands += 1;
        if let Outcome::Refused(Refusal::NoRoom) = outcome {
            return Ok(());
        }
        let expected = self.model.ask(who, &ask, now.as_micros(), period);
        self.model.begin_reloads(now.as_micros(), period);
        match outcome {
            Outcome::Done(receipt) => {
                agree(&expected, Ok(())).map_err(|difference| format!("{who:?} {ask:?}: {difference}"))?;
                self.story.acknowledged += 1;
                self.bridge.learn(&receipt.event);
                if request.key.is_some() {
                    self.keys.push(Remembered { request, at: receipt.at, event: receipt.event, time: now });
                }
                Ok(())
            }
            Outcome::Rejected(rejection) => agree(&expected, Err(&rejection))
                .map_err(|difference| format!("{who:?} {ask:?}: {difference}")),
            other => Err(format!("{who:?} {ask:?}: {other:?}")),
        }
    }

    fn check_figures(&mut self, model: &Model) -> Result<(), String> {
        let ledger = self.running().book.ledger();
        ledger::invariant::check(ledger).map_err(|broken| broken.to_string())?;
        bridge::compare(model, ledger)
    }

    /// Opens again after a failure. The group in flight is there whole, with the barrier behind it, or
    /// not at all: where the journal ends tells which, and the figures must agree.
    fn recover(&mut self, before: (Model, Bridge), remembered: usize) -> Result<(), String> {
        let position = self.running().book.tail().position;
        self.running = None;
        self.ground.crash(&mut self.random);
        self.open()?;
        let kept = match self.running().book.tail().position - position {
            1 => false,
            2 => true,
            more => return Err(format!("{more} groups appeared behind the last one acknowledged")),
        };
        if kept {
            self.story.in_flight_kept += 1;
        } else {
            (self.model, self.bridge) = before;
            self.keys.truncate(remembered);
        }
        let model = self.model.clone();
        self.check_figures(&model).map_err(|difference| format!("in flight, kept: {kept}: {difference}"))
    }

    fn lose_power_between(&mut self) -> Result<(), String> {
        self.story.power_losses += 1;
        let live = self.running().book.ledger().clone();
        self.running = None;
        self.ground.crash(&mut self.random);
        let recovered = self.open()?;
        let replayed = self.running().book.ledger();
        if engine::digest(replayed) == engine::digest(&live) {
            return Ok(());
        }
        Err(format!(
            "replay differs from what was live ({recovered:?}): {}",
            first_difference(&live, replayed)
        ))
    }

    fn background(&mut self) {
        let steps = self.random.below(6);
        let running = self.running.as_mut().expect("every failure opens the book again");
        for _ in 0..steps {
            if !self.ground.background(&mut *running.journal.journal()) {
                break;
            }
        }
        self.running().book.snapshot_step();
    }

    fn step_clock(&mut self) -> Result<(), String> {
        let by = if self.random.one_in(2) { -3600 } else { 90 * 24 * 3600 };
        // What the book believes is what it saw last; a group sees the clock as it is.
        self.group()?;
        self.clock.step_secs(by);
        let newest = self.newest_group_time()?;
        let believable = by < 0 && self.clock_now() >= newest;
        let book = &mut self.running().book;
        book.begin();
        let act = Act::VoidHold { hold: ledger::HoldId(u64::MAX) };
        let outcome = book.decide(&Request { command: Command { actor: Actor::System, act }, key: None });
        let refused = matches!(outcome, Outcome::Refused(Refusal::Clock(_)));
        if book.is_dirty() {
            return Err("something was recorded at a time nobody believes".to_owned());
        }
        self.clock.step_secs(-by);
        self.story.clock_refusals += u64::from(refused);
        if refused || believable {
            Ok(())
        } else {
            Err(format!("a clock that jumped by {by} s was followed: {outcome:?}"))
        }
    }

    fn newest_group_time(&mut self) -> Result<i64, String> {
        let journal = self.running().journal.clone();
        let group = journal.reader().group(journal.tail().position).map_err(|error| error.to_string())?;
        Ok(group.header().time.as_micros())
    }

    /// A client that lost its answer asks again under the same key.
    fn repeat(&mut self) -> Result<(), String> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let (which, asked) = match self.question.take() {
            // Asked some rounds ago, and since then stretches may have been sealed and keys let go of.
            Some((which, asked)) if which < self.keys.len() => (which, asked),
            _ => {
                let which = self.random.below(self.keys.len() as u64) as usize;
                let request = self.keys[which].request.clone();
                let asked = self.running().book.ask(&request);
                match self.random.below(3) {
                    0 => {
                        self.question = Some((which, asked));
                        return Ok(());
                    }
                    1 => (which, asked),
                    _ => (which, Asked::default()),
                }
            }
        };
        let history = self.history();
        let running = self.running.as_mut().expect("every failure opens the book again");
        running.book.begin();
        let now = running.book.now();
        let remembered = &self.keys[which];
        // Beyond the window a key may be forgotten; what it would do then is a new intent.
        if now.micros_since(remembered.time) <= (engine::WINDOW_DEFAULT_SECS - 60) * 1_000_000 {
            match running.book.decide_asked(&remembered.request, asked) {
                Outcome::Repeated(at) if at == remembered.at => {}
                other => {
                    return Err(format!(
                        "a known key was answered by {other:?} instead of {:?}",
                        remembered.at
                    ));
                }
            }
            let record = history.record(remembered.at).map_err(|error| error.to_string())?;
            if record.event != remembered.event || record.envelope.key != remembered.request.key {
                return Err("the event of a known key is another".to_owned());
            }
            self.story.repeats += 1;
            self.story.repeats_sealed += u64::from(asked.is_found());
        }
        // The group that was begun may have ended what was due.
        let period = period(running.book.ledger(), now);
        self.expire(now, period);
        self.running().book.commit().map_err(|fault| fault.to_string())
    }

    fn history(&mut self) -> History {
        let running = self.running();
        History::new(running.journal.reader(), running.vault.clone())
    }

    /// Every balance's history is gapless, and any entry and instant is found by skipping.
    fn histories(&mut self) -> Result<(), String> {
        let history = self.history();
        let heads: Vec<_> = {
            let ledger = self.running().book.ledger();
            ledger
                .balances()
                .map(|(index, balance)| (engine::Head::of(index, balance), balance.amounts))
                .collect()
        };
        let which = self.random.below(heads.len().max(1) as u64) as usize;
        let Some((head, amounts)) = heads.get(which) else { return Ok(()) };
        let entries: Vec<_> = history
            .entries(head, None)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| error.to_string())?;
        let numbers: Vec<u64> = entries.iter().map(engine::Entry::number).collect();
        if numbers != (1..=head.entries).rev().collect::<Vec<_>>() {
            return Err(format!("{:?} has entries {numbers:?} of {}", head.balance, head.entries));
        }
        if entries.first().is_some_and(|newest| newest.image().amounts != *amounts) {
            return Err("the newest entry shows other amounts than the balance has".to_owned());
        }
        for _ in 0..4 {
            let wanted = 1 + self.random.below(head.entries.max(1));
            let found = history.entry_number(head, wanted).map_err(|error| error.to_string())?;
            if found.map(|entry| entry.number()) != numbers.contains(&wanted).then_some(wanted) {
                return Err(format!("entry {wanted} was not found by skipping"));
            }
            let Some(some) = entries.get(self.random.below(entries.len().max(1) as u64) as usize) else {
                continue;
            };
            let instant = some.time();
            let expected = entries.iter().find(|entry| entry.time() <= instant).map(engine::Entry::number);
            let as_of = history.as_of(head, instant).map_err(|error| error.to_string())?;
            if as_of.map(|entry| entry.number()) != expected {
                return Err(format!("the balance as of {instant:?} was not found by skipping"));
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let running = self.running();
        let digest = engine::digest(running.book.ledger());
        let verified = engine::verify(&running.journal, &running.vault, |_| {});
        let verified = verified.map_err(|error| error.to_string())?;
        if verified.digest == digest { Ok(()) } else { Err("verification derives another state".to_owned()) }
    }
}

/// The first object that two states do not share.
fn first_difference(live: &Ledger, replayed: &Ledger) -> String {
    let (mut left, mut right) = (Cursor::default(), Cursor::default());
    loop {
        match (live.next_object(&mut left), replayed.next_object(&mut right)) {
            (None, None) => return "only in what is derived".to_owned(),
            (live, replayed) if live != replayed => return format!("{live:?} became {replayed:?}"),
            _ => {}
        }
    }
}
