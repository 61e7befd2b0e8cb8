//! Every row of the table of what the database may say.

use std::time::Duration;

use journal::{AppendError, Journal};
use journal_postgres::{Options, PostgresJournal};
use postgres_server::{Database, Durability, Server};

use crate::fixture::{bodies, impatient, next, open};
use crate::proxy::{Fault, Proxy};

/// A journal with one group, behind a proxy.
fn behind_proxy(options: Options) -> (Database, Proxy, PostgresJournal) {
    let database = Server::shared().database();
    let proxy = Proxy::new(database.server().port());
    let mut journal = open(&database.url_at(proxy.port), options);
    journal.append(&next(&journal, b"first")).unwrap();
    (database, proxy, journal)
}

/// Appends the group at which the proxy fails.
fn append(journal: &mut PostgresJournal) -> Result<(), AppendError> {
    let group = next(journal, b"second");
    journal.append(&group)
}

/// What is there in the end, looked at past the proxy.
fn found(database: &Database) -> Vec<Vec<u8>> {
    bodies(&open(&database.url(), Options::default()))
}

#[test]
fn unknown_outcomes_are_settled_and_answered_once() {
    use Fault::*;
    let written_once = [
        // What happens, how often in a row, groups behind the one that was appended.
        (CutBefore, 1, 0),
        (CutBefore, 3, 0),
        (CutAfter, 1, 1),
        (FreezeBefore, 1, 0),
        (FreezeAfter, 1, 1),
        (Warn, 1, 1),
        (Refuse("08006"), 1, 0),
        (Refuse("40003"), 1, 0),
        (Refuse("57P01"), 1, 0),
        (Refuse("57P02"), 1, 0),
        (Refuse("57P03"), 1, 0),
        (Refuse("25006"), 1, 0),
        (Deny("40003"), 1, 1),
        (Deny("57P01"), 1, 1),
        (Refuse("40001"), 3, 0),
        (Refuse("40P01"), 1, 0),
        (Refuse("55P03"), 1, 0),
        (Refuse("57014"), 1, 0),
    ];
    let (database, proxy, mut journal) = behind_proxy(impatient());
    let mut expected = vec![b"first".to_vec()];
    for (fault, times, barriers) in written_once {
        let before = journal.tail().position;
        proxy.arm(fault, times);
        append(&mut journal).unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(proxy.struck(), times, "{fault:?}");
        assert_eq!(journal.tail().position, before + 1 + barriers, "{fault:?}");
        expected.push(b"second".to_vec());
        assert_eq!(found(&database), expected, "{fault:?}");
        assert_eq!(journal.tail(), open(&database.url(), Options::default()).tail());
    }
}

#[test]
fn what_cannot_be_settled_is_said() {
    type Wanted = fn(&AppendError) -> bool;
    let cases: &[(Fault, u32, Wanted, usize)] = &[
        // What happens, how often, what is said, how many groups are there.
        (Fault::Refuse("40001"), 99, |it| matches!(it, AppendError::Fault { position: 2, .. }), 1),
        (Fault::Refuse("XX000"), 1, |it| matches!(it, AppendError::Fault { position: 2, .. }), 1),
        (Fault::Refuse("42501"), 1, |it| matches!(it, AppendError::Fault { position: 2, .. }), 1),
        (Fault::CutBefore, 99, |it| matches!(it, AppendError::Unknown { position: 2, .. }), 1),
        (Fault::CutAfter, 99, |it| matches!(it, AppendError::Unknown { position: 2, .. }), 2),
        (Fault::FreezeAfter, 99, |it| matches!(it, AppendError::Unknown { position: 2, .. }), 2),
    ];
    for (fault, times, wanted, groups) in cases {
        let settle_timeout = Duration::from_millis(1);
        let (database, proxy, mut journal) = behind_proxy(Options { settle_timeout, ..impatient() });
        proxy.arm(*fault, *times);
        let error = append(&mut journal).unwrap_err();
        assert!(wanted(&error), "{fault:?}: {error:?}");
        assert_eq!(found(&database).len(), *groups, "{fault:?}");
        let stopped = append(&mut journal).unwrap_err();
        assert!(matches!(stopped, AppendError::Fault { .. }), "{fault:?}: nothing more is appended");
    }
}

#[test]
fn a_full_disk_writes_nothing_and_the_journal_goes_on_when_there_is_room() {
    let (database, proxy, mut journal) = behind_proxy(impatient());
    proxy.arm(Fault::Refuse("53100"), 1);
    let full = append(&mut journal).unwrap_err();
    assert!(matches!(full, AppendError::Full { position: 2 }), "{full:?}");
    append(&mut journal).unwrap();
    assert_eq!(found(&database).len(), 2);
}

#[test]
fn a_group_found_behind_an_unknown_outcome_may_be_somebody_elses() {
    let (database, proxy, mut journal) = behind_proxy(impatient());
    let mut other = open(&database.url(), Options::default());
    other.append(&next(&other, b"theirs")).unwrap();
    proxy.arm(Fault::CutBefore, 1);
    let fenced = append(&mut journal).unwrap_err();
    assert!(matches!(fenced, AppendError::Fenced { position: 1 }), "{fenced:?}");
    assert_eq!(found(&database), [b"first".to_vec(), b"theirs".to_vec()]);
}

#[test]
fn reads_and_keys_go_on_when_connections_are_lost() {
    let (database, _proxy, mut journal) = behind_proxy(Options { cache_bytes: 0, ..impatient() });
    database.end_sessions();
    assert_eq!(journal.reader().group(1).unwrap().body(), b"first");
    let mut slice = Vec::new();
    database.end_sessions();
    journal.reader().slice(1, 1, 3, &mut slice).unwrap();
    assert_eq!(slice, b"irs");
    database.end_sessions();
    journal.vault().put(&[(7, journal::VaultKey([7; 32]))]).unwrap();
    database.end_sessions();
    append(&mut journal).unwrap();
    assert_eq!(found(&database).len(), 2);
    let again = open(&database.url(), Options::default());
    assert_eq!(again.vault().get(7), Some(journal::VaultKey([7; 32])));
}

#[test]
fn what_was_answered_survives_a_killed_server() {
    let server = Server::start(Durability::Synced, &[]);
    let database = server.database();
    let mut journal = open(&database.url(), Options::default());
    for number in 0..20u8 {
        journal.append(&next(&journal, &[number + 1; 200])).unwrap();
    }
    let tail = journal.tail();
    server.kill();
    server.resume();
    assert_eq!(open(&database.url(), Options::default()).tail(), tail);
    journal.append(&next(&journal, b"and on")).unwrap();
    assert_eq!(bodies(&journal).len(), 21);
}
