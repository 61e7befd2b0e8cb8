//! The bare ledger against the model: every answer, every figure, every invariant, after every command.

use domain::{Currency, Timestamp};
use ledger::{
    Act, Actor, Command, CredentialIndex, Event, EventRef, Holder, Ledger, OrganizationIndex, Rejection,
    RoleCode, Verifier,
};
use ledger::{decide, invariant};

use crate::Random;
use crate::bridge::{self, Bridge};
use crate::model::Model;
use crate::workload;

/// What a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub commands: u64,
    pub done: u64,
    pub events: u64,
    /// Reloads that started by themselves.
    pub reloads: u64,
}

pub const START: i64 = 1_772_000_000_000_000;

/// Runs `commands` random commands of a seed; the first difference ends it.
pub fn run(seed: u64, commands: u64) -> Result<Tally, String> {
    let mut world = World::new()?;
    let mut random = Random::new(seed);
    for step in 0..commands {
        world.step(&mut random).map_err(|difference| format!("seed {seed}, step {step}: {difference}"))?;
        // The whole state is re-added now and then; single events are checked always.
        if step % 64 == 0 {
            invariant::check(&world.ledger)
                .map_err(|broken| format!("seed {seed}, step {step}: {broken}"))?;
        }
    }
    Ok(world.tally)
}

struct World {
    ledger: Ledger,
    model: Model,
    bridge: Bridge,
    now: i64,
    at: u64,
    events: Vec<Event>,
    tally: Tally,
}

impl World {
    fn new() -> Result<Self, String> {
        let mut world = Self {
            ledger: Ledger::default(),
            model: Model::default(),
            bridge: Bridge::new(CredentialIndex::new(0)),
            now: START,
            at: 0,
            events: Vec::new(),
            tally: Tally::default(),
        };
        let now = Timestamp::from_micros(START);
        let found = engine::found("seller", "UTC", Currency::EUR, now).map_err(|error| error.to_string())?;
        world.ledger.sandbox = true;
        for act in [found, seller_credential()] {
            let command = Command { actor: Actor::System, act };
            decide(&world.ledger, &command, now, &mut world.events).map_err(|no| format!("{no:?}"))?;
            world.fold()?;
        }
        Ok(world)
    }

    fn step(&mut self, random: &mut Random) -> Result<(), String> {
        self.now += pass(random);
        let now = Timestamp::from_micros(self.now);
        let period = period(&self.ledger, now);
        let due: Vec<_> = self.ledger.due(now).collect();
        for (_, hold) in due {
            self.ledger.expire(hold, now, &mut self.events);
            self.wanting(None, now)?;
        }
        self.model.expire(self.now, period);

        let (who, ask) = workload::next(random, &self.model, self.now);
        let expected = self.model.ask(who, &ask, self.now, period);
        let command = self.bridge.command(who, &ask);
        let decided = decide(&self.ledger, &command, now, &mut self.events);
        self.tally.commands += 1;
        self.tally.done += u64::from(decided.is_ok());
        agree(&expected, decided.as_ref().map(drop))
            .map_err(|difference| format!("{who:?} {ask:?}: {difference}"))?;
        self.wanting(decided.err(), now)?;
        self.model.begin_reloads(self.now, period);
        bridge::compare(&self.model, &self.ledger)
            .map_err(|difference| format!("after {who:?} {ask:?}: {difference}"))
    }

    /// Folds what was decided, and then what that starts by itself: as the engine does.
    fn wanting(&mut self, rejection: Option<Rejection>, now: Timestamp) -> Result<(), String> {
        let (events, mut wanting) = (self.events.clone(), Vec::new());
        self.fold()?;
        self.ledger.add_wanting_reload(&events, now, &mut wanting);
        if let Some(rejection) = rejection {
            self.ledger.add_wanting_reload_of(&rejection, now, &mut wanting);
        }
        for balance in wanting {
            let command = Command { actor: Actor::System, act: Act::BeginReload { balance } };
            decide(&self.ledger, &command, now, &mut self.events).map_err(|no| format!("{no:?}"))?;
            self.fold()?;
        }
        Ok(())
    }

    fn fold(&mut self) -> Result<(), String> {
        for event in self.events.drain(..) {
            self.at += 1;
            self.tally.events += 1;
            self.tally.reloads += u64::from(matches!(event, Event::ReloadStarted { .. }));
            invariant::apply_checked(&mut self.ledger, &event, EventRef::from_raw(self.at))
                .map_err(|broken| broken.to_string())?;
            self.bridge.learn(&event);
        }
        Ok(())
    }
}

/// The seller's own credential: the model's seller acts by it.
pub fn seller_credential() -> Act {
    Act::IssueCredential {
        holder: Holder::Organization(OrganizationIndex::new(0)),
        role: RoleCode(1),
        verifier: Verifier::Digest([1; 32]),
        label: None,
        expires_at: Timestamp::NEVER,
        live_max: None,
        scope: None,
    }
}

/// Mostly moments, at times hours, rarely months.
pub fn pass(random: &mut Random) -> i64 {
    const SECOND: i64 = 1_000_000;
    match random.below(300) {
        0 => 40 * 24 * 3600 * SECOND,
        1..=5 => 3 * 24 * 3600 * SECOND,
        6..=40 => 1800 * SECOND,
        _ => random.below(5 * SECOND as u64) as i64,
    }
}

pub fn period(ledger: &Ledger, now: Timestamp) -> u32 {
    let calendar = &ledger.organization(OrganizationIndex::new(0)).calendar;
    calendar.first + calendar.boundaries.partition_point(|boundary| *boundary <= now) as u32
}

/// The same answer, or the same reason.
pub fn agree(
    expected: &Result<(), crate::model::No>,
    found: Result<(), &ledger::Rejection>,
) -> Result<(), String> {
    let same = match (expected, found) {
        (Ok(()), Ok(())) => true,
        (Err(expected), Err(found)) => bridge::no(found) == Some(*expected),
        _ => false,
    };
    if same { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
}
