//! What the tests share.

use std::time::Duration;

use journal::{Group, Journal, Tail, conformance};
use journal_postgres::{Database, EraLimit, OpenError, Options, PostgresJournal, Url};

pub const INCARNATION: [u8; 16] = *b"tests of journal";

pub fn url(text: &str) -> Url {
    Url::parse(text, |_| None).unwrap()
}

pub fn try_open(text: &str, options: Options) -> Result<PostgresJournal, OpenError> {
    Database::connect(&url(text), options)?.open(0)
}

/// Opens the journal of a database, and makes it first where there is none.
pub fn open(text: &str, options: Options) -> PostgresJournal {
    let database = Database::connect(&url(text), options).unwrap();
    if database.incarnation().unwrap().is_none() {
        database.init(INCARNATION, 2).unwrap();
    }
    database.open(0).unwrap()
}

pub fn small_eras() -> Options {
    Options { era: EraLimit { groups: 16, bytes: 1 << 40 }, ..Options::default() }
}

/// Gives up soon enough for a test, late enough for a busy machine.
pub fn impatient() -> Options {
    Options { reply_timeout: Duration::from_millis(300), ..Options::default() }
}

/// The group behind the journal's tail.
pub fn next(journal: &dyn Journal, body: &[u8]) -> Group {
    conformance::group(&journal.tail(), body)
}

/// Follows the whole chain; the bodies that are not empty, in order.
pub fn bodies(journal: &dyn Journal) -> Vec<Vec<u8>> {
    let (mut tail, mut bodies) = (Tail::default(), Vec::new());
    for group in journal.reader().scan(1).unwrap() {
        let group = group.unwrap();
        assert!(group.header().follows(&tail));
        tail = group.tail();
        bodies.extend(Some(group.body().to_vec()).filter(|body| !body.is_empty()));
    }
    bodies
}
