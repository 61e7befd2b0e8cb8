//! The whole book without HTTP: what a thread that does nothing else can take.

use std::sync::Arc;
use std::time::Instant;

use engine::{Book, Content, Key, ManualClock, Options, Outcome, Parts, Request, SeededEntropy};
use journal::MemoryVault;

use crate::nowhere::Nowhere;
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
        journal: Box::new(Nowhere::default()),
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
    book.commit().expect("it takes everything");
    let mut dice = Dice::new(2);
    let mut requests: Vec<Request> = (0..65_536)
        .map(|_| Request { command: workload::charge(&mut dice, arguments.accounts), key: None })
        .collect();
    let (started, processor) = (Instant::now(), workload::processor_seconds());
    let mut left = arguments.charges;
    while left > 0 {
        for group in requests.chunks_mut(arguments.group) {
            for request in &mut *group {
                let key = Key::new((u128::from(dice.next()) << 64) | u128::from(dice.next()));
                request.key = Some((key, Content(u128::from(dice.next()))));
            }
            book.begin();
            for requests in group.chunks(ledger::WARM_MAX) {
                book.warm(requests);
                for request in requests {
                    step(&mut book, request);
                }
            }
            book.commit().expect("it takes everything");
            left = left.saturating_sub(group.len());
        }
    }
    let rate = arguments.charges as f64 / started.elapsed().as_secs_f64();
    let processor = arguments.charges as f64 / (workload::processor_seconds() - processor);
    println!(
        "book: {:.2} M charges/s, {:.2} M per processor second, {} accounts, no journal",
        rate / 1e6,
        processor / 1e6,
        arguments.accounts
    );
}

fn act(book: &mut Book, act: ledger::Act) {
    step(book, &Request { command: Command { actor: Actor::System, act }, key: None });
}

fn step(book: &mut Book, request: &Request) {
    if !book.has_room() {
        book.commit().expect("it takes everything");
        book.begin();
    }
    let outcome = book.decide(request);
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}
