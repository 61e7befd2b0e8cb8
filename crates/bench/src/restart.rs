//! P12: killed with many events since the snapshot; how long until the first charge.

use std::time::Instant;

use engine::{Options, Outcome};

use crate::directory::{Directory, request};
use crate::workload::Dice;

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Events since the snapshot.
    #[arg(long, default_value_t = 5_000_000)]
    events: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub fn run(arguments: &Arguments) {
    let place = tempfile::tempdir().expect("a temporary directory");
    // One snapshot after the accounts were opened, none behind it.
    let options = Options { snapshot_every_bytes: u64::MAX, ..Options::default() };
    let mut dice = Dice::new(4);
    {
        let mut directory = Directory::open(place.path(), &options);
        directory.prepare(arguments.accounts);
        directory.book.request_snapshot();
        directory.book.snapshot_step();
        directory.book.finish_snapshot();
        directory.charge(&mut dice, arguments.accounts, arguments.events, 1000);
    }
    let mut seconds = Vec::new();
    for _ in 0..arguments.rounds {
        let started = Instant::now();
        let mut directory = Directory::open(place.path(), &options);
        directory.book.begin();
        let outcome = directory.book.decide(&request(&mut dice, arguments.accounts));
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        directory.book.commit().expect("the disk takes it");
        seconds.push(started.elapsed().as_secs_f64());
    }
    println!(
        "restart: {:.2} s to the first durable charge with {} events since the snapshot (budget 2, moonshot 1)",
        crate::workload::median(seconds),
        arguments.events
    );
}
