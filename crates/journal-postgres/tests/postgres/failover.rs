//! Several hosts, of which one is the one to write to.

use std::sync::Arc;
use std::time::Duration;

use journal::{AppendError, Journal};
use journal_postgres::Options;
use postgres_server::{Database, Durability, Server};

use crate::fixture::{bodies, impatient, next, open, try_open};

/// A primary with one group, and a standby of it that is to be promoted.
fn pair() -> (Database, Arc<Server>, String) {
    let old = Server::start(Durability::None, &[]).database();
    let mut journal = open(&old.url(), Options::default());
    journal.append(&next(&journal, b"one")).unwrap();
    let new = old.server().promoted_copy();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", old.server().port(), new.port());
    let url = format!("postgres://bursar@{hosts}/{}?sslmode=disable", old.name());
    (old, new, url)
}

#[test]
fn highest_timeline_wins_and_a_lower_one_is_never_taken_again() {
    let (old, new, url) = pair();
    new.resume();
    let settle_timeout = Duration::from_millis(700);
    let mut journal = try_open(&url, Options { settle_timeout, ..impatient() }).unwrap();
    journal.append(&next(&journal, b"two")).unwrap();
    assert_eq!(bodies(&open(&old.url(), Options::default())).len(), 1, "the first host is the old one");
    assert_eq!(bodies(&open(&old.on(&new).url(), Options::default())).len(), 2);
    new.kill();
    let error = journal.append(&next(&journal, b"three")).unwrap_err();
    let AppendError::Unknown { source, .. } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("on timeline 1, and 2 was seen before"), "{source}");
    assert_eq!(bodies(&open(&old.url(), Options::default())).len(), 1);
}

#[test]
fn a_primary_that_was_replaced_is_left_and_what_it_alone_had_is_lost_aloud() {
    let (old, new, url) = pair();
    let mut journal = try_open(&url, impatient()).unwrap();
    journal.append(&next(&journal, b"on the old one alone")).unwrap();
    new.resume();
    // Until the hosts are looked at again, appends go to the old one.
    let error = loop {
        if let Err(error) = journal.append(&next(&journal, b"more")) {
            break error;
        }
    };
    assert!(matches!(error, AppendError::HistoryLost { .. }), "{error:?}");
    assert_eq!(bodies(&try_open(&url, Options::default()).unwrap()), [b"one".to_vec()]);
    assert!(bodies(&open(&old.url(), Options::default())).len() > 1);
}
