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
    println!(
        "rules: {:.2} M charges/s (median of {}), {} accounts (budget 3.0, moonshot 8.0)",
        measure(arguments.accounts, arguments.charges, arguments.rounds) / 1e6,
        arguments.rounds,
        arguments.accounts
    );
}

/// Charges per second, the median of `rounds`.
pub fn measure(accounts: usize, charges: usize, rounds: usize) -> f64 {
    let mut world = World::with_accounts(accounts);
    workload::median((0..rounds).map(|_| world.rate(charges)).collect())
}

pub struct World {
    ledger: Ledger,
    commands: Vec<Command>,
    events: Vec<Event>,
    at: u64,
}

/// Commands made beforehand and taken in turn.
const COMMANDS: usize = 65_536;

impl World {
    pub fn with_accounts(accounts: usize) -> Self {
        let mut world = Self { ledger: Ledger::default(), commands: Vec::new(), events: Vec::new(), at: 0 };
        world.act(&workload::found());
        world.act(&workload::product());
        let open = workload::open_account();
        for _ in 0..accounts {
            world.act(&open);
        }
        let mut dice = Dice::new(1);
        world.commands = (0..COMMANDS).map(|_| workload::charge(&mut dice, accounts)).collect();
        world
    }

    /// Charges per second of processor time.
    pub fn rate(&mut self, charges: usize) -> f64 {
        let (started, processor) = (Instant::now(), workload::processor_seconds());
        self.charge(charges);
        let processor = workload::processor_seconds() - processor;
        charges as f64 / if processor > 0.0 { processor } else { started.elapsed().as_secs_f64() }
    }

    pub fn charge(&mut self, charges: usize) {
        let commands = std::mem::take(&mut self.commands);
        let mut left = charges;
        while left > 0 {
            for commands in commands[..left.min(COMMANDS)].chunks(ledger::WARM_MAX) {
                black_box(self.ledger.warm(commands.iter()));
                commands.iter().for_each(|command| self.decide(command));
            }
            left -= left.min(COMMANDS);
        }
        self.commands = commands;
    }

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
