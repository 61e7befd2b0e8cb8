//! Many threads on one engine: what they were answered is one sequence, and it is the journal's.
//!
//! Every acknowledged event is read back from where it stands; replayed in that order, through the
//! invariants, they lead to the very state that is live, byte for byte; and a shared balance that all
//! threads drain is never overspent.
#![expect(clippy::unwrap_used, reason = "an integration test is a test throughout")]

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{Currency, Nanos, Timestamp};
use engine::{Content, Engine, Key, ManualClock, Outcome, Parts, Request, SeededEntropy};
use journal::{Journal, MemoryStore, MemoryVault, Vault};
use journal_postgres::Url;
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, Event, ExcessPolicy, Funding, HoldId,
    NewAccount, OrganizationIndex, Rejection, Usage,
};
use simulation::{Random, rules};

const THREADS: u64 = 8;
const CHILDREN: u64 = 24;

#[test]
fn many_threads_are_one_sequence() {
    let commands = std::env::var("THREAD_COMMANDS").map_or(1_000_000, |it| it.parse().expect("a number"));
    let (store, vault) = (MemoryStore::default(), Arc::new(MemoryVault::default()));
    are_one_sequence(commands, || (Box::new(store.open()), vault.clone()));
}

#[test]
fn many_threads_are_one_sequence_in_a_database() {
    let database = postgres_server::Server::shared().database();
    let url = Url::parse(&database.url(), |_| None).unwrap();
    let tables = journal_postgres::Database::connect(&url, journal_postgres::Options::default()).unwrap();
    tables.init([7; 16], 1).unwrap();
    are_one_sequence(200_000, || {
        let journal = tables.open(0).unwrap();
        let vault = journal.vault();
        (Box::new(journal), vault)
    });
}

fn are_one_sequence(commands: u64, open: impl Fn() -> (Box<dyn Journal>, Arc<dyn Vault>)) {
    let (journal, vault) = open();
    let parts = Parts {
        journal,
        vault,
        clock: Arc::new(ManualClock::at(Timestamp::from_micros(rules::START))),
        entropy: Arc::new(SeededEntropy::new(1)),
        options: engine::Options::default(),
    };
    let (engine, running, _) = Engine::start(parts).unwrap();
    prepare(&engine);

    let acknowledged: Vec<Vec<engine::Receipt>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let engine = engine.clone();
                scope.spawn(move || work(&engine, thread, commands / THREADS))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });

    let mut places = BTreeSet::new();
    let mut charged = Nanos::ZERO;
    for receipt in acknowledged.iter().flatten() {
        assert!(places.insert(receipt.at), "two answers rest on one event");
        if let Event::Charged(it) = &receipt.event {
            charged = charged.checked_add(it.amount).unwrap();
        }
        if let Event::HoldCaptured { charged: it, .. } = &receipt.event {
            charged = charged.checked_add(it.amount).unwrap();
        }
    }
    for receipt in acknowledged.iter().flatten().step_by(97) {
        assert_eq!(engine.history().record(receipt.at).unwrap().event, receipt.event);
    }
    let book = running.stop().expect("the book was running");
    let root = AccountIndex::new(0);
    let balance = book.ledger().balance(book.ledger().balance_of(root, Currency::EUR).unwrap());
    assert_eq!(balance.amounts.used, charged, "what was acknowledged is what was used");
    assert!(!balance.amounts.available().is_negative(), "the shared balance is never overspent");

    let live = engine::digest(book.ledger());
    let (journal, vault) = open();
    let verified = engine::verify(&*journal, &vault, |_| {}).unwrap();
    assert_eq!(verified.digest, live, "replay is what was live");
    println!("{} of {commands} acknowledged in {} events", places.len(), verified.events);
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn request(act: Act) -> Request {
    Request { command: Command { actor: Actor::System, act }, key: None }
}

/// A partner with a pool that a few thousand charges drain, and children that share it.
fn prepare(engine: &Engine) {
    let start = Timestamp::from_micros(rules::START);
    let mut requests = vec![request(engine::found("seller", "UTC", Currency::EUR, start).unwrap())];
    for child in 0..=CHILDREN {
        requests.push(request(Act::OpenAccount(Box::new(NewAccount {
            organization: OrganizationIndex::new(0),
            parent: (child > 0).then(|| AccountIndex::new(0)),
            currency: Currency::EUR,
            funding: if child > 0 { Funding::Shared } else { Funding::Own },
            managed: true,
            may_open_children: true,
            allows_overruns: false,
            name: None,
            credit: if child > 0 { Nanos::ZERO } else { Nanos::from_units(1_000_000) },
            credential: None,
        }))));
    }
    for outcome in block(engine.submit_all(requests)).unwrap() {
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
}

/// Charges and holds in batches of random length; every key is used twice and answered the same.
fn work(engine: &Engine, thread: u64, commands: u64) -> Vec<engine::Receipt> {
    let mut random = Random::new(thread);
    let mut receipts: Vec<engine::Receipt> = Vec::new();
    let mut holds: Vec<HoldId> = Vec::new();
    let mut sent = 0;
    while sent < commands {
        let length = 1 + random.below(200).min(commands - sent - 1);
        let requests: Vec<Request> =
            (0..length).map(|number| next(&mut random, &mut holds, thread, sent + number)).collect();
        sent += length;
        let again = requests.iter().find(|request| request.key.is_some()).cloned();
        for outcome in block(engine.submit_all(requests)).unwrap() {
            match outcome {
                Outcome::Done(receipt) => {
                    if let Event::HoldPlaced(placed) = &receipt.event {
                        holds.push(placed.hold);
                    }
                    receipts.push(receipt);
                }
                Outcome::Rejected(Rejection::InsufficientFunds { need, have, .. }) => assert!(need > have),
                other => panic!("{other:?}"),
            }
        }
        if let Some(again) = again {
            match block(engine.submit(again)).unwrap() {
                Outcome::Done(repeated) => {
                    if repeated.repeated {
                        let first = receipts.iter().rev().find(|receipt| receipt.at == repeated.at);
                        assert_eq!(first.map(|first| &first.event), Some(&repeated.event));
                    } else {
                        receipts.push(repeated);
                    }
                }
                Outcome::Rejected(Rejection::InsufficientFunds { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    receipts
}

fn next(random: &mut Random, holds: &mut Vec<HoldId>, thread: u64, number: u64) -> Request {
    let account = AccountIndex::new(random.below(CHILDREN + 1) as usize);
    let amount = Nanos::new(i128::from(1 + random.below(20_000_000_000)));
    if random.one_in(20) && !holds.is_empty() {
        let hold = holds.swap_remove(random.below(holds.len() as u64) as usize);
        let act = if random.one_in(3) {
            Act::VoidHold { hold }
        } else {
            let excess = ExcessPolicy::UpToAvailable;
            Act::CaptureHold { hold, amount, excess, keep_open: false, quantity: None, reference: None }
        };
        return request(act);
    }
    if random.one_in(20) {
        let expires_at = Timestamp::from_micros(rules::START).plus_secs(3600);
        return request(Act::PlaceHold {
            account,
            currency: None,
            amount,
            expires_at,
            usage: Usage::default(),
        });
    }
    let charge = Act::Charge {
        account,
        currency: None,
        amount,
        kind: ChargeKind::Metered,
        admission: Admission::Strict,
        usage: Usage::default(),
    };
    let key =
        (Key::new((u128::from(thread) << 64) | u128::from(number) | 1 << 120), Content(u128::from(number)));
    Request { key: Some(key), ..request(charge) }
}
