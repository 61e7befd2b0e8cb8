//! The whole book without HTTP: what a thread that does nothing else can take.

use std::sync::Arc;
use std::time::Instant;

use engine::{Book, Content, Key, ManualClock, Options, Outcome, Parts, Request, SeededEntropy};
use journal::{MemoryStore, MemoryVault};
use ledger::{Actor, Command};

use crate::workload::{self, Dice};

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    #[arg(long, default_value_t = 2_000_000)]
    charges: usize,
    /// Charges that queue for one group.
    #[arg(long, default_value_t = 1000)]
    group: usize,
}

pub fn run(arguments: &Arguments) {
    let parts = Parts {
        journal: Box::new(MemoryStore::default().open()),
        vault: Arc::new(MemoryVault::default()),
        clock: Arc::new(ManualClock::at(workload::start())),
        entropy: Arc::new(SeededEntropy::new(1)),
        options: Options::default(),
    };
    let (mut book, _) = Book::open(parts).expect("an empty journal opens");
    book.begin();
    act(&mut book, workload::found());
    act(&mut book, workload::product());
    for _ in 0..arguments.accounts {
        act(&mut book, workload::open_account());
    }
    book.commit().expect("memory takes everything");
    let mut dice = Dice::new(2);
    let requests: Vec<Request> = (0..arguments.charges)
        .map(|_| {
            let key = Key((u128::from(dice.next()) << 64) | u128::from(dice.next()));
            Request {
                command: workload::charge(&mut dice, arguments.accounts),
                key: Some((key, Content(u128::from(dice.next())))),
            }
        })
        .collect();
    let started = Instant::now();
    for group in requests.chunks(arguments.group) {
        book.begin();
        for request in group {
            step(&mut book, request);
        }
        book.commit().expect("memory takes everything");
    }
    let rate = arguments.charges as f64 / started.elapsed().as_secs_f64();
    println!("book: {:.2} M charges/s, {} accounts, memory journal", rate / 1e6, arguments.accounts);
}

fn act(book: &mut Book, act: ledger::Act) {
    step(book, &Request { command: Command { actor: Actor::System, act }, key: None });
}

fn step(book: &mut Book, request: &Request) {
    if !book.has_room() {
        book.commit().expect("memory takes everything");
        book.begin();
    }
    let outcome = book.decide(request);
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}
