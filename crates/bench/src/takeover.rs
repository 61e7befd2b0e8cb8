//! From taking the lead of a book in a database to the first durable charge: opened as at a start, and followed
//! before.

use std::sync::Arc;
use std::time::Instant;

use engine::{Book, Follower, Options, Outcome, Parts, SystemClock, SystemEntropy};
use journal_postgres::{Database, PostgresJournal, Url};
use postgres_server::{Durability, Server as Postgres};

use crate::directory::{charge, prepare, request};
use crate::workload::{Dice, median};

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Events since the snapshot.
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// Events since whoever followed looked last.
    #[arg(long, default_value_t = 1_000)]
    unseen: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

fn parts(journal: PostgresJournal) -> Parts {
    Parts {
        vault: journal.vault(),
        journal: Box::new(journal),
        clock: Arc::new(SystemClock::default()),
        entropy: Arc::new(SystemEntropy),
        // One snapshot after the accounts were opened, none behind it.
        options: Options { snapshot_every_bytes: u64::MAX, ..Options::default() },
    }
}

pub fn run(arguments: &Arguments) {
    let Arguments { accounts, events, unseen, rounds } = *arguments;
    let postgres = Postgres::start(Durability::Synced, &["max_wal_size=4GB"]);
    let url = Url::parse(&postgres.database().url(), |_| None).expect("the URL is one");
    let database = Database::connect(&url, journal_postgres::Options::default()).expect("it is reached");
    database.init([9; 16], 1).expect("it is empty");
    let opened = || parts(database.open(0).expect("the book is there"));
    let mut dice = Dice::new(4);

    let (mut book, _) = Book::open(opened()).expect("an empty book opens");
    prepare(&mut book, accounts);
    book.request_snapshot();
    book.snapshot_step();
    book.finish_snapshot();
    charge(&mut book, &mut dice, accounts, events, 1000);

    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let started = Instant::now();
        let (mut taken, _) = Book::open(opened()).expect("the book opens");
        charge_one(&mut taken, &mut dice, accounts);
        cold.push(started.elapsed().as_secs_f64());

        let followed = database.follow(0).expect("the book is there");
        let follower = Follower::open(parts(followed)).expect("the book is followed");
        charge(&mut taken, &mut dice, accounts, unseen, 100);
        let started = Instant::now();
        let (mut taken, _) = follower.lead().expect("it leads");
        charge_one(&mut taken, &mut dice, accounts);
        warm.push(started.elapsed().as_secs_f64());
    }
    let (cold, warm) = (median(cold), median(warm));
    println!(
        "takeover: {:.1} ms to the first durable charge with {unseen} events not seen yet, {:.0} ms opened as at \
         a start with {events} events since the snapshot: {:.0} × sooner",
        warm * 1e3,
        cold * 1e3,
        cold / warm
    );
}

fn charge_one(book: &mut Book, dice: &mut Dice, accounts: usize) {
    book.begin();
    let outcome = book.decide(&request(dice, accounts));
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    book.commit().expect("the database takes it");
}
