//! History that somebody changed by hand, and history over several tables.

use journal::{AppendError, HEADER_BYTES, Journal, ReadError};
use journal_postgres::{Database, OpenError, Options};
use postgres_server::Server;

use crate::fixture::{bodies, next, open, small_eras, try_open, url};

#[test]
fn a_changed_row_is_found_wherever_it_is_read() {
    for (change, scanned) in [
        ("UPDATE journal_1 SET body = set_byte(body, 130, 7) WHERE position = 2", "its hash does not match"),
        ("UPDATE journal_1 SET chain = decode(repeat('00', 32), 'hex') WHERE position = 2", "its hash"),
        ("UPDATE journal_1 SET events = 7 WHERE position = 2", "its hash"),
        ("UPDATE journal_1 SET body = substring(body FROM 1 FOR 9) WHERE position = 2", "shorter than"),
        (
            "UPDATE journal_1 AS it SET body = other.body, chain = other.chain FROM journal_1 AS other \
          WHERE it.position = 2 AND other.position = 3",
            "does not follow",
        ),
        ("DELETE FROM journal_1 WHERE position = 2", "position 2 is not in the journal"),
    ] {
        let database = Server::shared().database();
        let mut journal = open(&database.url(), Options::default());
        for body in [b"one", b"two", b"six"] {
            journal.append(&next(&journal, body)).unwrap();
        }
        database.run(change);
        let reader = open(&database.url(), Options::default()).reader();
        let error = reader.scan(1).unwrap().find_map(Result::err).unwrap();
        assert!(error.to_string().contains(scanned), "{change}: {error}");
        let missing = matches!(error, ReadError::Missing { .. });
        assert!(missing || error.to_string().contains("(journal_1, book 0, position 2)"), "{error}");
        assert!(reader.group(2).is_err(), "{change}");
    }
}

#[test]
fn a_changed_end_stops_the_start_and_the_writer() {
    for (change, opens) in [
        ("UPDATE journal_1 SET chain = decode(repeat('00', 32), 'hex') WHERE position = 2", false),
        ("DELETE FROM journal_1 WHERE position = 2", true),
    ] {
        let database = Server::shared().database();
        let mut journal = open(&database.url(), Options::default());
        journal.append(&next(&journal, b"one")).unwrap();
        journal.append(&next(&journal, b"two")).unwrap();
        database.run(change);
        let error = journal.append(&next(&journal, b"three")).unwrap_err();
        assert!(matches!(error, AppendError::HistoryLost { position: 2 }), "{change}: {error:?}");
        match try_open(&database.url(), Options::default()) {
            Ok(journal) => assert!(opens && journal.tail().position == 1),
            Err(error) => assert!(!opens && matches!(error, OpenError::Damaged { .. }), "{error:?}"),
        }
    }
}

#[test]
fn history_goes_on_from_table_to_table() {
    let database = Server::shared().database();
    let mut expected = Vec::new();
    for restart in 0..4u8 {
        let mut journal = open(&database.url(), small_eras());
        for number in 0..20u8 {
            let body = vec![restart + 1, number];
            journal.append(&next(&journal, &body)).unwrap();
            expected.push(body);
        }
        assert_eq!(bodies(&journal), expected);
    }
    let journal = open(&database.url(), Options { cache_bytes: 0, ..small_eras() });
    let eras: u32 = database.value("SELECT era FROM identity").parse().unwrap();
    assert!(eras >= 5, "{eras}");
    let tables = "SELECT count(*) FROM pg_attribute WHERE attname = 'body' AND attstorage = 'e' \
                  AND attrelid::regclass::text LIKE 'journal_%'";
    assert_eq!(database.value(tables), eras.to_string(), "every one keeps bodies as they are");
    for (at, body) in expected.iter().enumerate() {
        let position = at as u64 + 1;
        assert_eq!(journal.reader().group(position).unwrap().body(), body);
        let mut slice = Vec::new();
        journal.reader().slice(position, 1, 1, &mut slice).unwrap();
        assert_eq!(slice, body[1..]);
    }
    // What an operator archived and dropped is missing, and says so; the rest is there.
    database.run("DROP TABLE journal_1");
    let journal = open(&database.url(), Options { cache_bytes: 0, ..small_eras() });
    assert!(matches!(journal.reader().group(1), Err(ReadError::Missing { position: 1 })));
    assert_eq!(journal.reader().group(80).unwrap().body(), expected[79]);
}

#[test]
fn verifying_names_every_damage_with_its_place() {
    let database = Server::shared().database();
    let mut journal = open(&database.url(), small_eras());
    for number in 1..=40u8 {
        journal.append(&next(&journal, &[number])).unwrap();
    }
    let tail = journal.tail();
    let mut writer = journal.snapshots().begin(tail).unwrap();
    writer.chunk(b"state").unwrap();
    let id = writer.finish(tail).unwrap();
    journal.vault().put(&[(1, journal::VaultKey([1; 32]))]).unwrap();
    let verify = || Database::connect(&url(&database.url()), small_eras()).unwrap().verify(0).unwrap();
    let whole = verify();
    assert_eq!((whole.tail, whole.groups, whole.eras), (tail, 40, 3));
    assert_eq!((whole.snapshots.as_slice(), whole.damage.as_slice()), ([id].as_slice(), [].as_slice()));
    database.run(
        "UPDATE journal_1 SET body = set_byte(body, 128, 99) WHERE position = 3; \
         DELETE FROM journal_2 WHERE position = 20; \
         UPDATE snapshot SET body = set_byte(body, 40, 0) WHERE chunks = 0; \
         UPDATE vault SET key = 'short'",
    );
    let damage: Vec<String> =
        verify().damage.iter().map(|damage| format!("{}: {}", damage.place, damage.reason)).collect();
    assert_eq!(
        damage,
        [
            "journal_1, book 0, position 3: its hash does not match its bytes",
            "journal_1, book 0, position 4: the group before it is position 2",
            "journal_2, book 0, position 21: the group before it is position 19",
            "snapshot, book 0, position 40: the snapshot is damaged (snapshot, book 0, position 40, chunk 1)",
            "vault, book 0, owner 1: its key is not as long as a key",
        ]
    );
}

#[test]
fn a_local_copy_serves_what_was_confirmed_and_nothing_of_another_history() {
    let database = Server::shared().database();
    drop(open(&database.url(), Options::default()));
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let opened = Database::connect(&url(&database.url()), Options::default()).unwrap();
        opened.keep_copies(directory.path().to_owned(), 1 << 20);
        opened.open(0).unwrap()
    };
    let mut journal = open();
    for body in ["one", "two", "three", "four", "five"] {
        journal.append(&next(&journal, body.as_bytes())).unwrap();
    }
    assert_eq!(bodies(&journal).len(), 5);
    let bytes = || -> u64 {
        let files = std::fs::read_dir(directory.path().join("0")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    };
    while bytes() < 5 * HEADER_BYTES as u64 + 19 {
        std::thread::yield_now();
    }
    // The database is not asked for what is at hand.
    database.run("UPDATE journal_1 SET body = '' WHERE position = 2");
    let again = open();
    assert_eq!(again.reader().group(2).unwrap().body(), b"two");
    assert_eq!(bodies(&again), ["one", "two", "three", "four", "five"].map(|body| body.as_bytes().to_vec()));
    drop(again);

    // Lost from there on, and gone on in another way: the copy's four and five never happened.
    database.run("DELETE FROM journal_1 WHERE position > 3");
    let mut other = open();
    assert!(matches!(other.reader().group(4), Err(ReadError::Missing { position: 4 })));
    for body in ["4", "5", "6"] {
        other.append(&next(&other, body.as_bytes())).unwrap();
    }
    drop(other);
    let last = open();
    assert_eq!(last.reader().group(5).unwrap().body(), b"5");
    std::fs::remove_dir_all(directory.path()).unwrap();
    assert_eq!(open().reader().group(6).unwrap().body(), b"6");
}
