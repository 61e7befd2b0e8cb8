//! What remembered keys cost: nanoseconds of a question for a fresh key, memory, and the next start.
//!
//! `cargo run --release -p engine --example keys -- [millions of keys]`
#![expect(clippy::unwrap_used, reason = "a measurement may stop where it stands")]

use std::sync::Arc;
use std::time::Instant;

use domain::{Currency, Nanos, Timestamp};
use engine::{Book, Content, Key, KeySidecar, ManualClock, Outcome, Parts, Request, SeededEntropy};
use journal_file::{Background, FileJournal, OsDisk};
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, Funding, NewAccount, OrganizationIndex, Usage,
};

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const GROUP: u64 = 1_000;
const FRESH: u64 = 2_000_000;

fn main() {
    let millions: u64 = std::env::args().nth(1).map_or(4, |it| it.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let disk = OsDisk::new(directory.path());
    FileJournal::init(&disk, [1; 16], &options()).unwrap();
    let mut book = open(&directory);
    prepare(&mut book);
    let empty = resident_bytes();
    for group in 0..millions * 1_000_000 / GROUP {
        book.begin();
        for number in group * GROUP..(group + 1) * GROUP {
            let outcome = book.decide(&charge(number));
            assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        }
        book.commit().unwrap();
    }
    let remembered = book.remembered();
    println!("{remembered:?}");
    println!(
        "{:.2} bytes of filter and index per sealed key",
        per(remembered.sealed_bytes, remembered.sealed_keys)
    );
    println!("resident: {} MiB more than without keys", resident_bytes().saturating_sub(empty) >> 20);

    let fresh: Vec<Request> = (0..FRESH).map(|number| charge(1 << 40 | number)).collect();
    let started = Instant::now();
    let found = fresh.iter().filter(|request| book.ask(request).is_found()).count();
    println!("{:.0} ns per fresh key, {found} found", started.elapsed().as_nanos() as f64 / FRESH as f64);
    let made = Some(START.plus_secs(120));
    let timed: Vec<Request> = fresh
        .into_iter()
        .map(|mut request| {
            if let Some((key, _)) = &mut request.key {
                key.made = made;
            }
            request
        })
        .collect();
    let started = Instant::now();
    let found = timed.iter().filter(|request| book.ask(request).is_found()).count();
    println!(
        "{:.0} ns per fresh key that carries its time, {found} found",
        started.elapsed().as_nanos() as f64 / FRESH as f64
    );
    let known: Vec<Request> = (0..100_000).map(charge).collect();
    let started = Instant::now();
    let found = known.iter().filter(|request| book.ask(request).is_found()).count();
    println!("{:.1} µs per sealed key, {found} found", started.elapsed().as_micros() as f64 / 100_000.0);

    drop(book);
    let started = Instant::now();
    let book = open(&directory);
    println!(
        "opened again without a snapshot in {:.2} s: {:?}",
        started.elapsed().as_secs_f64(),
        book.remembered()
    );
    println!("resident: {} MiB", resident_bytes() >> 20);
}

fn per(bytes: usize, keys: usize) -> f64 {
    bytes as f64 / keys.max(1) as f64
}

fn options() -> journal_file::Options {
    journal_file::Options { sidecar: Some(Arc::new(KeySidecar)), ..Default::default() }
}

fn open(directory: &tempfile::TempDir) -> Book {
    let disk = OsDisk::new(directory.path());
    let (journal, _) = FileJournal::open(disk, options(), Background::Thread).unwrap();
    let vault = journal.vault();
    let parts = Parts {
        journal: Box::new(journal),
        vault,
        clock: Arc::new(ManualClock::at(START)),
        entropy: Arc::new(SeededEntropy::new(1)),
        options: engine::Options { snapshot_every_bytes: u64::MAX, ..Default::default() },
    };
    Book::open(parts).unwrap().0
}

fn request(act: Act) -> Request {
    Request { command: Command { actor: Actor::System, act }, key: None }
}

fn prepare(book: &mut Book) {
    book.begin();
    let account = NewAccount {
        organization: OrganizationIndex::new(0),
        parent: None,
        currency: Currency::EUR,
        funding: Funding::Own,
        managed: true,
        may_open_children: true,
        allows_overruns: false,
        name: None,
        credit: Nanos::from_units(1_000_000_000),
        credential: None,
    };
    book.decide(&request(engine::found("seller", "UTC", Currency::EUR, START).unwrap()));
    book.decide(&request(Act::OpenAccount(Box::new(account))));
    book.commit().unwrap();
}

fn charge(number: u64) -> Request {
    let hash = blake3::hash(&number.to_le_bytes());
    let key = u128::from_le_bytes(hash.as_bytes()[..16].try_into().unwrap());
    let act = Act::Charge {
        account: AccountIndex::new(0),
        currency: None,
        amount: Nanos::new(1),
        kind: ChargeKind::Metered,
        admission: Admission::Strict,
        usage: Usage::default(),
    };
    Request { key: Some((Key::new(key), Content(1))), ..request(act) }
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
