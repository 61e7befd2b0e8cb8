//! P13: the last fifty entries of an account, warm, in process.

use std::hint::black_box;
use std::time::Instant;

use engine::{Head, History, Options};
use ledger::BalanceIndex;
use redb::ReadableDatabase;

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
        "history: last 50 entries in {:.1} µs (median of {}; budget 50, moonshot 15); redb in {:.1} µs",
        median(micros),
        arguments.walks,
        redb(arguments, &mut dice)
    );
}

const ENTRY: [u8; 110] = [7; 110];
const ENTRIES: redb::TableDefinition<'_, (u32, u32), &[u8]> = redb::TableDefinition::new("entries");

/// The same entries in a tree that is ordered by account: what an index would give.
fn redb(arguments: &Arguments, dice: &mut Dice) -> f64 {
    let place = tempfile::tempdir().expect("a temporary directory");
    let database = redb::Database::create(place.path().join("tree")).expect("the directory is writable");
    let mut numbers = vec![0_u32; arguments.accounts];
    let writing = database.begin_write().expect("nobody else writes");
    {
        let mut table = writing.open_table(ENTRIES).expect("the table is new");
        for _ in 0..arguments.charges {
            let account = dice.below(arguments.accounts);
            table.insert((account as u32, numbers[account]), ENTRY.as_slice()).expect("the disk takes it");
            numbers[account] += 1;
        }
    }
    writing.commit().expect("the disk takes it");
    let reading = database.begin_read().expect("it was committed");
    let table = reading.open_table(ENTRIES).expect("the table is there");
    let mut micros = Vec::new();
    for _ in 0..arguments.walks {
        let account = dice.below(arguments.accounts) as u32;
        let started = Instant::now();
        let newest = table.range((account, 0)..=(account, u32::MAX)).expect("the tree is whole").rev();
        let bytes = newest.take(50).map(|entry| entry.expect("entries are read").1.value().len());
        black_box(bytes.sum::<usize>());
        micros.push(started.elapsed().as_secs_f64() * 1e6);
    }
    median(micros)
}
