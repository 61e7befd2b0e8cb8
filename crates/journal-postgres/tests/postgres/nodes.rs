//! Proofs that a writer still has the last word, and the rows by which nodes find each other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use journal::{AppendError, Journal, Tail, VaultKey};
use journal_postgres::{Database, Ends, Nodes, Options};
use postgres_server::Server;

use crate::fixture::{bodies, impatient, next, open, small_eras, url};
use crate::proxy::{Fault, Proxy};

#[test]
fn a_writer_proves_that_it_has_the_last_word_until_it_has_not() {
    let database = Server::shared().database();
    let mut first = open(&database.url(), small_eras());
    first.prove().unwrap();
    for _ in 0..40 {
        first.append(&next(&first, b"group")).unwrap();
        first.prove().unwrap();
    }
    assert_eq!(database.value("SELECT checks FROM lead WHERE book = 0"), "41");
    database.run("DELETE FROM lead");
    first.prove().unwrap();

    let mut second = open(&database.url(), small_eras());
    second.append(&next(&second, b"theirs")).unwrap();
    let late = first.prove().unwrap_err();
    assert!(matches!(late, AppendError::Fenced { position: 40 }), "{late:?}");
    assert!(matches!(first.append(&next(&first, b"late")), Err(AppendError::Fault { .. })));
    second.prove().unwrap();

    // A history that is as long and another.
    database.run("UPDATE journal_3 SET chain = decode(repeat('07', 32), 'hex') WHERE position = 41");
    assert!(matches!(second.prove(), Err(AppendError::Fenced { position: 41 })));
}

#[test]
fn a_process_that_ends_does_not_settle_any_more() {
    let server = Server::shared().database();
    let proxy = Proxy::new(server.server().port());
    open(&server.url(), Options::default());
    let database = Database::connect(&url(&server.url_at(proxy.port)), impatient()).unwrap();
    let mut journal = database.open(0).unwrap();
    proxy.arm(Fault::FreezeBefore, u32::MAX);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let append = scope.spawn(|| {
            let group = next(&journal, b"group");
            journal.append(&group)
        });
        while proxy.struck() == 0 {
            std::thread::yield_now();
        }
        database.give_up();
        let unknown = append.join().unwrap().unwrap_err();
        assert!(matches!(unknown, AppendError::Unknown { position: 1, .. }), "{unknown:?}");
    });
    assert!(begun.elapsed() < Duration::from_secs(20), "far less than it would settle for");
}

#[test]
fn one_of_those_who_saw_the_same_lead_takes_it() {
    let server = Server::shared().database();
    open(&server.url(), Options::default());
    let database = Database::connect(&url(&server.url()), Options::default()).unwrap();
    let [first, second] = [1, 2].map(|node| Nodes::new(&database, [node; 16], "127.0.0.1:1", "1"));
    let lead = |node: &Nodes| node.leads().unwrap().remove(&0);
    let keeps = |node: &Nodes| {
        let before = lead(node).map(|lead| lead.beats);
        node.keep(&[0, 1]).unwrap();
        lead(node).map(|lead| lead.beats) != before
    };
    assert_eq!(lead(&first), None);
    first.beat().unwrap();
    assert!(first.take(0, None).unwrap());
    assert!(!second.take(0, None).unwrap());
    let seen = lead(&second).unwrap();
    assert_eq!((seen.node, seen.address.as_deref()), (Some([1; 16]), Some("127.0.0.1:1")));
    assert!(keeps(&first));
    assert!(!second.take(0, Some(&seen)).unwrap(), "it beats");
    let seen = lead(&second).unwrap();
    assert!(second.take(0, Some(&seen)).unwrap());
    assert!(!keeps(&first));
    assert_eq!(lead(&second).unwrap().address, None, "it has not said where it is");
    second.hand_over(0).unwrap();
    let free = lead(&first).unwrap();
    assert_eq!(free.node, None);
    assert!(first.take(0, Some(&free)).unwrap());
    assert!(first.take(1, None).unwrap());
    assert_eq!(first.leads().unwrap().into_keys().collect::<Vec<_>>(), [0, 1]);
    server.run("DELETE FROM lead");
    assert!(!keeps(&first));
    first.assert(0).unwrap();
    assert!(keeps(&first));
    for node in [&first, &second] {
        node.leave().unwrap();
    }
    assert_eq!(server.value("SELECT count(*) FROM node"), "0");
}

#[test]
fn all_nodes_have_the_same_secret() {
    let server = Server::shared().database();
    open(&server.url(), Options::default());
    let secret = |fresh| {
        let database = Database::connect(&url(&server.url()), Options::default()).unwrap();
        database.nodes_secret(VaultKey([fresh; 32])).unwrap()
    };
    assert_eq!([secret(1), secret(2)], [VaultKey([1; 32]); 2]);
    let database = Database::connect(&url(&server.url()), Options::default()).unwrap();
    let kept = |book, fresh| database.kept_key(book, u64::MAX, VaultKey([fresh; 32])).unwrap();
    assert_eq!([kept(0, 3), kept(1, 4), kept(0, 5)].map(|key| key.0[0]), [3, 4, 3]);
}

#[test]
fn who_begins_a_journal_says_whether_it_is_a_sandbox() {
    for begun in [true, false] {
        let server = Server::shared().database();
        open(&server.url(), Options::default());
        let database = Database::connect(&url(&server.url()), Options::default()).unwrap();
        assert_eq!([begun, !begun].map(|asked| database.is_sandbox(asked).unwrap()), [begun; 2]);
    }
}

#[test]
fn where_books_end_is_seen_from_table_to_table_and_is_proven_by_a_row_of_ones_own() {
    let server = Server::shared().database();
    let mut leader = open(&server.url(), small_eras());
    let database = Database::connect(&url(&server.url()), Options::default()).unwrap();
    let ends = Ends::new(&database, [1; 16]);
    let mut followers = [0, 1].map(|book| database.follow(book).unwrap());
    let whereabouts = followers.each_ref().map(journal_postgres::PostgresJournal::whereabouts);
    let eras = || BTreeMap::from([0, 1].map(|book| (book, whereabouts[book as usize].era())));

    let unproven = ends.look(&eras(), true).unwrap();
    assert!(unproven.ends.is_empty() && !unproven.is_proven, "this node is not among those who count");
    Nodes::new(&database, [1; 16], "", "1").beat().unwrap();
    for position in 1..=40 {
        leader.append(&next(&leader, b"group")).unwrap();
        let mut seen = ends.look(&eras(), true).unwrap();
        if seen.ends[&0].is_none() {
            followers[0].look().unwrap();
            seen = ends.look(&eras(), true).unwrap();
        }
        assert!(seen.is_proven);
        assert_eq!(seen.ends, BTreeMap::from([(0, Some(leader.tail())), (1, Some(Tail::default()))]));
        if position % 7 == 0 {
            assert_eq!(followers[0].look().unwrap(), leader.tail());
            assert_eq!(bodies(&followers[0]).len(), position);
        }
    }
    assert_eq!(whereabouts[0].era(), 3, "small tables fill");
    assert!(!ends.look(&eras(), false).unwrap().is_proven);

    // Whoever followed leads, and appends where the other would have.
    followers[0].look().unwrap();
    followers[0].append(&next(&leader, b"another")).unwrap();
    assert!(matches!(leader.prove(), Err(AppendError::Fenced { position: 40 })));

    // What was there is gone.
    server.run("DELETE FROM journal_3 WHERE position >= 40");
    assert_eq!(followers[0].look().unwrap().position, 39);
}

#[test]
fn keys_that_another_put_or_destroyed_are_read_again() {
    let server = Server::shared().database();
    let leader = open(&server.url(), Options::default()).vault();
    let database = Database::connect(&url(&server.url()), Options::default()).unwrap();
    let follower = database.follow(0).unwrap().vault();
    let keys = [(1, VaultKey([1; 32])), (2, VaultKey([2; 32]))];
    leader.put(&keys).unwrap();
    assert_eq!(follower.get(1), None);
    follower.refresh(&[1, 2, 3]).unwrap();
    assert_eq!([1, 2, 3].map(|owner| follower.get(owner)), [Some(keys[0].1), Some(keys[1].1), None]);
    leader.destroy(2).unwrap();
    follower.refresh(&[2]).unwrap();
    assert_eq!(follower.all(), [(1, Some(keys[0].1)), (2, None)]);
}
