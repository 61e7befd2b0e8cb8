use std::sync::Arc;

use journal::{Journal, conformance};
use journal_postgres::{Database, EraLimit, Options, PostgresJournal, Url};
use postgres_server::Server;

const INCARNATION: [u8; 16] = *b"tests of journal";

fn open(url: &str, options: Options) -> PostgresJournal {
    let url = Url::parse(url, |_| None).unwrap();
    let database = Database::connect(&url, options).unwrap();
    if database.incarnation().unwrap().is_none() {
        database.init(INCARNATION, 2).unwrap();
    }
    database.open(0).unwrap()
}

fn run(options: Options) {
    conformance::run(|| {
        let database = Server::shared().database();
        Box::new(move || Box::new(open(&database.url(), options)) as Box<dyn Journal>)
    });
}

#[test]
fn keeps_every_promise_of_a_journal() {
    run(Options::default());
}

#[test]
fn keeps_every_promise_over_many_small_eras() {
    run(Options { era: EraLimit { groups: 16, bytes: 1 << 40 }, ..Options::default() });
}

#[test]
fn keeps_every_promise_without_memory() {
    run(Options { cache_bytes: 0, ..Options::default() });
}

#[test]
fn keeps_every_promise_of_a_vault() {
    let database = Server::shared().database();
    conformance::vault(move || Arc::clone(&open(&database.url(), Options::default()).vault()));
}
