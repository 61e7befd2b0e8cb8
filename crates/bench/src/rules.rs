//! P1: decide and apply, nothing else, on one core.

use std::hint::black_box;
use std::time::Instant;

use ledger::{Actor, Command, Event, EventRef, Ledger, decide};

use crate::workload::{self, Dice};

#[derive(clap::Args)]
pub struct Arguments {
    /// How many accounts.
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    #[arg(long, default_value_t = 2_000_000)]
    charges: usize,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

pub fn run(arguments: &Arguments) {
    let mut world = World::default();
    world.act(&workload::found());
    world.act(&workload::product());
    let open = workload::open_account();
    for _ in 0..arguments.accounts {
        world.act(&open);
    }
    let mut dice = Dice::new(1);
    let commands: Vec<Command> =
        (0..65_536).map(|_| workload::charge(&mut dice, arguments.accounts)).collect();
    let mut rates = Vec::new();
    for _ in 0..arguments.rounds {
        let started = Instant::now();
        for command in commands.iter().cycle().take(arguments.charges) {
            world.decide(command);
        }
        rates.push(arguments.charges as f64 / started.elapsed().as_secs_f64());
    }
    println!(
        "rules: {:.2} M charges/s (median of {}), {} accounts, budget 3.0, moonshot 8.0",
        workload::median(rates) / 1e6,
        arguments.rounds,
        arguments.accounts
    );
}

#[derive(Default)]
struct World {
    ledger: Ledger,
    events: Vec<Event>,
    at: u64,
}

impl World {
    fn act(&mut self, act: &ledger::Act) {
        self.decide(&Command { actor: Actor::System, act: act.clone() });
    }

    fn decide(&mut self, command: &Command) {
        self.events.clear();
        let decided = decide(&self.ledger, command, workload::start(), &mut self.events);
        assert!(decided.is_ok(), "{decided:?}");
        for event in &self.events {
            self.at += 1;
            self.ledger.apply(event, EventRef::from_raw(self.at));
        }
        black_box(&self.events);
    }
}
