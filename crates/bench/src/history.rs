//! P13: the last fifty entries of an account, warm, in process.

use std::hint::black_box;
use std::time::Instant;

use engine::{Head, History, Options};
use ledger::BalanceIndex;

use crate::directory::Directory;
use crate::workload::{Dice, median};

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 1_000)]
    accounts: usize,
    #[arg(long, default_value_t = 300_000)]
    charges: usize,
    #[arg(long, default_value_t = 2_000)]
    walks: usize,
}

pub fn run(arguments: &Arguments) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let mut directory = Directory::open(place.path(), &Options::default());
    directory.prepare(arguments.accounts);
    let mut dice = Dice::new(5);
    directory.charge(&mut dice, arguments.accounts, arguments.charges, 512);
    let history: History = directory.book.history();
    let ledger = directory.book.ledger();
    let heads: Vec<Head> = (0..arguments.accounts)
        .map(|slot| {
            let index = BalanceIndex::new(slot);
            Head::of(index, ledger.balance(index))
        })
        .collect();
    let mut micros = Vec::new();
    for _ in 0..arguments.walks {
        let head = &heads[dice.below(heads.len())];
        let started = Instant::now();
        let walk = history.entries(head, None).expect("the journal is there");
        let found = walk.take(50).map(|entry| entry.expect("entries are read").number()).fold(0, u64::max);
        micros.push(started.elapsed().as_secs_f64() * 1e6);
        black_box(found);
    }
    println!(
        "history: last 50 entries in {:.1} µs (median of {}; budget 50, moonshot 15; redb 26)",
        median(micros),
        arguments.walks
    );
}
