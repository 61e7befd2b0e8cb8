//! The rules alone: judged, checked, folded, checked again.

use access::Role;
use domain::{Currency, Timestamp};
use ledger::{
    Act, Actor, Command, CredentialIndex, Event, EventRef, Holder, Ledger, OrganizationIndex, Rejection,
    Verifier, invariant,
};

use super::World;
use super::cast::{Cast, outcome};
use super::cell::{Column, show, show_total};
use super::step::{Line, Step};
use crate::START;

pub struct BareWorld {
    ledger: Ledger,
    now: Timestamp,
    position: u64,
    cast: Cast,
}

impl World for BareWorld {
    async fn open() -> Self {
        let organization = OrganizationIndex::new(0);
        let seller = Actor::Credential(CredentialIndex::new(0));
        let cast = Cast::new(organization, seller, None);
        let mut ledger = Ledger::default();
        ledger.sandbox = true;
        let mut world = Self { ledger, now: START, position: 0, cast };
        let found = engine::found("seller", "UTC", Currency::EUR, START).expect("UTC is a time zone");
        let issue = Act::IssueCredential {
            holder: Holder::Organization(organization),
            role: Role::Owner.code(),
            verifier: Verifier::Digest([255; 32]),
            label: None,
            expires_at: Timestamp::NEVER,
            live_max: None,
            scope: None,
        };
        for act in [found, issue] {
            world.decide(Actor::System, act).expect("a seller is founded");
        }
        world
    }

    async fn act(&mut self, line: &Line) -> String {
        if let Step::Wait { secs } = line.step {
            self.wait(secs);
            return "ok".to_owned();
        }
        let (actor, act) = (self.cast.actor(line), self.cast.act(&line.step, self.now));
        match self.decide(actor, act) {
            Ok(event) => {
                self.cast.note(&line.step, &event);
                "ok".to_owned()
            }
            Err(rejection) => outcome(&rejection),
        }
    }

    async fn cell(&mut self, column: &Column) -> Option<String> {
        let Some(account) = self.cast.of_column(column) else { return Some(String::new()) };
        Some(match column.is_total() {
            true => show_total(&self.ledger, account),
            false => show(&self.ledger, account, column, self.now),
        })
    }
}

impl BareWorld {
    fn decide(&mut self, actor: Actor, act: Act) -> Result<Event, Rejection> {
        let mut events = Vec::new();
        let decided = ledger::decide(&self.ledger, &Command { actor, act }, self.now, &mut events);
        self.fold(&events);
        self.begin_reloads(&events, decided.as_ref().err());
        decided?;
        let main = events.iter().position(|event| !event.is_preparation()).unwrap_or_default();
        Ok(events.swap_remove(main))
    }

    /// What these events, or a refusal, start by themselves.
    fn begin_reloads(&mut self, events: &[Event], rejection: Option<&Rejection>) {
        let mut wanting = Vec::new();
        self.ledger.add_wanting_reload(events, self.now, &mut wanting);
        if let Some(rejection) = rejection {
            self.ledger.add_wanting_reload_of(rejection, self.now, &mut wanting);
        }
        for balance in wanting {
            let command = Command { actor: Actor::System, act: Act::BeginReload { balance } };
            let mut events = Vec::new();
            ledger::decide(&self.ledger, &command, self.now, &mut events).expect("a wanted reload begins");
            self.fold(&events);
        }
    }

    /// Each event does what it says; the whole is in order again behind the last.
    fn fold(&mut self, events: &[Event]) {
        for event in events {
            self.position += 1;
            let at = EventRef::new(self.position, 0);
            invariant::check_event(&self.ledger, event).expect("an event does what it says");
            self.ledger.apply(event, at);
        }
        invariant::check(&self.ledger).expect("the books are in order");
    }

    fn wait(&mut self, secs: i64) {
        self.now = self.now.plus_secs(secs);
        let due: Vec<_> = self.ledger.due(self.now).map(|(_, hold)| hold).collect();
        for hold in due {
            let mut events = Vec::new();
            self.ledger.expire(hold, self.now, &mut events);
            self.fold(&events);
            self.begin_reloads(&events, None);
        }
    }
}
