//! Whole books over the journal: every business scenario, and starting again.

use std::sync::Arc;

use domain::{Currency, Nanos, Timestamp};
use engine::{
    Background, Book, Content, Head, Key, ManualClock, Outcome, Parts, Recovered, Request, SeededEntropy,
};
use journal_postgres::Options;
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, Funding, NewAccount, OrganizationIndex, Usage,
};
use postgres_server::{Database, Server};
use testkit::TestBook;
use testkit::scenario::{BookWorld, Column, Line, World, check_in};

use crate::fixture::{impatient, open, small_eras};
use crate::proxy::{Fault, Proxy};

/// A book whose journal is in a database of its own, over tables so small that scenarios cross them.
struct PostgresWorld(BookWorld);

impl World for PostgresWorld {
    async fn open() -> Self {
        let database = Server::shared().database();
        let book = TestBook::over(move || {
            let journal = open(&database.url(), small_eras());
            let vault = journal.vault();
            (Box::new(journal), vault)
        });
        Self(BookWorld::of(book.await))
    }

    async fn act(&mut self, line: &Line) -> String {
        self.0.act(line).await
    }

    async fn cell(&mut self, column: &Column) -> Option<String> {
        self.0.cell(column).await
    }
}

#[tokio::test]
async fn every_scenario_holds_over_a_database() {
    check_in::<PostgresWorld>().await;
}

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn reopen(url: &str, options: Options, seed: u64) -> (Book, Recovered) {
    let journal = open(url, options);
    let parts = Parts {
        vault: journal.vault(),
        journal: Box::new(journal),
        clock: Arc::new(ManualClock::at(NOW)),
        entropy: Arc::new(SeededEntropy::new(seed)),
        options: engine::Options {
            snapshot_every_bytes: 30_000,
            background: Background::Inline,
            ..engine::Options::default()
        },
    };
    Book::open(parts).unwrap()
}

fn act(book: &mut Book, act: Act, key: Option<(Key, Content)>) -> Outcome {
    book.decide(&Request { command: Command { actor: Actor::System, act }, key })
}

fn found(book: &mut Book) {
    book.begin();
    let founded = act(book, engine::found("seller", "UTC", Currency::EUR, NOW).unwrap(), None);
    assert!(matches!(founded, Outcome::Done(_)));
    for number in 0..4u8 {
        let new = NewAccount {
            organization: OrganizationIndex::new(0),
            parent: None,
            currency: Currency::EUR,
            funding: Funding::Own,
            managed: true,
            may_open_children: true,
            allows_overruns: false,
            name: Some([b'a' + number].as_slice().into()),
            credit: Nanos::from_units(1_000_000),
            credential: None,
        };
        assert!(matches!(act(book, Act::OpenAccount(Box::new(new)), None), Outcome::Done(_)));
    }
    book.commit().unwrap();
}

fn charge(book: &mut Book, number: u64) -> Outcome {
    let charge = Act::Charge {
        account: AccountIndex::new((number % 4) as usize),
        currency: None,
        amount: Nanos::from_units(1 + number as i64),
        kind: ChargeKind::Metered,
        admission: Admission::Strict,
        usage: Usage::default(),
    };
    act(book, charge, Some((Key::new(u128::from(number)), Content(1))))
}

/// Charges in groups of ten, with a piece of the snapshot between them.
fn charges(book: &mut Book, numbers: std::ops::Range<u64>) {
    for group in numbers.clone().step_by(10) {
        book.begin();
        for number in group..(group + 10).min(numbers.end) {
            assert!(matches!(charge(book, number), Outcome::Done(_)));
        }
        book.commit().unwrap();
        book.snapshot_step();
    }
}

#[test]
fn a_book_that_is_opened_again_is_the_same() {
    let database = Server::shared().database();
    let (mut book, recovered) = reopen(&database.url(), small_eras(), 1);
    assert_eq!(recovered, Recovered::default());
    found(&mut book);
    charges(&mut book, 0..500);
    assert!(book.snapshots_finished() > 0);
    let digest = engine::digest(book.ledger());
    drop(book);

    let (mut book, recovered) = reopen(&database.url(), small_eras(), 2);
    assert!(recovered.snapshot.is_some() && recovered.events < 400, "{recovered:?}");
    assert_eq!(engine::digest(book.ledger()), digest);
    book.begin();
    assert!(matches!(charge(&mut book, 123), Outcome::Repeated(_)), "keys are remembered");
    charges(&mut book, 500..520);
    let (index, balance) = book.ledger().balances().next().unwrap();
    let head = Head::of(index, balance);
    let numbers: Vec<u64> =
        book.history().entries(&head, None).unwrap().map(|entry| entry.unwrap().number()).collect();
    assert_eq!(numbers, (1..=head.entries).rev().collect::<Vec<_>>(), "history goes back over all tables");
    let digest = engine::digest(book.ledger());
    drop(book);

    database.run("DELETE FROM snapshot");
    let (book, recovered) = reopen(&database.url(), small_eras(), 3);
    assert_eq!(recovered.snapshot, None);
    assert_eq!(engine::digest(book.ledger()), digest);
    let journal = open(&database.url(), small_eras());
    let vault = journal.vault();
    let verified = engine::verify(&journal, &vault, |_| {}).unwrap();
    assert_eq!((verified.digest, verified.events), (digest, recovered.events));
}

/// The book does not notice: what was unknown is known when it is answered.
#[test]
fn a_book_goes_on_through_lost_connections() {
    let database: Database = Server::shared().database();
    let proxy = Proxy::new(database.server().port());
    let (mut book, _) = reopen(&database.url_at(proxy.port), impatient(), 1);
    found(&mut book);
    let faults = [Fault::CutBefore, Fault::CutAfter, Fault::Warn, Fault::FreezeAfter, Fault::Deny("57P01")];
    for (round, fault) in (0..).zip(faults) {
        proxy.arm(fault, 1);
        charges(&mut book, round * 10..round * 10 + 10);
        assert_eq!(proxy.struck(), 1, "{fault:?}");
    }
    let digest = engine::digest(book.ledger());
    drop(book);
    let (book, _) = reopen(&database.url(), Options::default(), 2);
    assert_eq!(engine::digest(book.ledger()), digest);
}
