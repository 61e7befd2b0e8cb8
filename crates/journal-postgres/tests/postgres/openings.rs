//! What stops a start, in words for an operator and without secrets.

use std::time::Duration;

use journal::{AppendError, Journal, with_causes};
use journal_postgres::{Database, OpenError, Options};
use postgres_server::{Durability, Server};

use crate::fixture::{INCARNATION, impatient, next, open, try_open, url};

#[test]
fn every_reason_is_said() {
    let database = Server::shared().database();
    open(&database.url(), Options::default());
    let (server, name) = (database.server().clone(), database.name().to_owned());
    let port = server.port();
    database.run("CREATE ROLE clerk LOGIN PASSWORD 'right'");
    let at = |user: &str, name: &str| format!("postgres://{user}@127.0.0.1:{port}/{name}?sslmode=disable");
    let nowhere = || "postgres://bursar:secret@127.0.0.1:1/x?sslmode=disable".to_owned();
    let prepared: [(&str, String, &str); 9] = [
        ("", at("clerk:secret", &name), "28P01: password authentication failed for user \"clerk\""),
        ("", at("bursar:secret", "nothing"), "3D000: database \"nothing\" does not exist"),
        ("", nowhere(), "no host of the database can be written (127.0.0.1:1: the connection was lost"),
        ("", at("clerk:right", &name), "42501: permission denied for table"),
        (
            "UPDATE schema_step SET step = 99; UPDATE schema_need SET known = 99",
            at("bursar:secret", &name),
            "made by a newer release (step 99",
        ),
        (
            "UPDATE schema_step SET step = 2",
            at("bursar:secret", &name),
            "at step 2 of 14: run `bursar migrate`",
        ),
        ("DROP TABLE schema_step", at("bursar:secret", &name), "the database holds no journal"),
        (
            "ALTER ROLE bursar IN DATABASE {} SET synchronous_commit = off",
            at("bursar:secret", &name),
            "synchronous_commit is off, and must be on",
        ),
        (
            "ALTER ROLE bursar IN DATABASE {} SET default_transaction_read_only = on",
            at("bursar:secret", &name),
            "read-only",
        ),
    ];
    for (before, url, expected) in prepared {
        database.run(&before.replace("{}", &name));
        let error = with_causes(&try_open(&url, Options::default()).map(drop).unwrap_err());
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(!error.contains("secret") && !error.contains("right"), "{error}");
    }
}

#[test]
fn a_database_that_goes_away_is_said_when_it_stays_away() {
    let database = Server::shared().database();
    let settle_timeout = Duration::from_millis(1);
    let mut journal = open(&database.url(), Options { settle_timeout, ..impatient() });
    journal.append(&next(&journal, b"one")).unwrap();
    database.remove();
    let error = journal.append(&next(&journal, b"two")).unwrap_err();
    assert!(matches!(error, AppendError::Unknown { position: 2, .. }), "{error:?}");
}

#[test]
fn another_copy_is_not_taken_for_the_same_journal() {
    let database = Server::shared().database();
    let mut journal = open(&database.url(), Options::default());
    journal.append(&next(&journal, b"one")).unwrap();
    let follower = Database::connect(&url(&database.url()), Options::default()).unwrap();
    follower.expect(INCARNATION);
    let adopted = Database::connect(&url(&database.url()), Options::default()).unwrap();
    adopted.adopt([9; 16]).unwrap();
    database.end_sessions();
    let error = journal.append(&next(&journal, b"two")).unwrap_err();
    assert!(
        with_causes(&error).contains("another copy of the journal than before"),
        "{}",
        with_causes(&error)
    );
    let error = follower.open(0).err().expect("who has opened nothing yet refuses it too");
    assert!(
        with_causes(&error).contains("another copy of the journal than before"),
        "{}",
        with_causes(&error)
    );
    assert_eq!(open(&database.url(), Options::default()).tail().position, 1);
}

#[test]
fn a_journal_is_made_once_and_migrated_by_one() {
    let database = Server::shared().database();
    let connect = || Database::connect(&url(&database.url()), Options::default()).unwrap();
    let together = std::sync::Barrier::new(8);
    let migrate = || {
        let database = connect();
        together.wait();
        database.migrate().unwrap()
    };
    let taken: u32 = std::thread::scope(|scope| {
        let runners: Vec<_> = (0..8).map(|_| scope.spawn(migrate)).collect();
        runners.into_iter().map(|runner| runner.join().unwrap()).sum()
    });
    assert_eq!(taken, 14, "every step is taken by one of them");
    assert_eq!(connect().incarnation().unwrap(), None);
    connect().init(INCARNATION, 1).unwrap();
    assert!(matches!(connect().init([1; 16], 1), Err(OpenError::AlreadyInitialised)));
    assert_eq!(connect().incarnation().unwrap(), Some(INCARNATION));
    assert!(matches!(connect().open(1), Err(OpenError::NoSuchBook(1))));
    database.run("UPDATE schema_step SET step = 3");
    assert_eq!(connect().migrate().unwrap(), 11, "steps may be repeated");
    database.run("UPDATE schema_step SET step = 15");
    assert_eq!(connect().migrate().unwrap(), 0);
    assert_eq!(connect().books().unwrap(), 1, "what a later release added is in nobody's way");
}

#[test]
fn hosts_that_are_dead_or_frozen_are_passed_over() {
    let database = Server::shared().database();
    open(&database.url(), Options::default());
    // Accepts, and never says anything.
    let frozen = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (frozen, live) = (frozen.local_addr().unwrap().port(), database.server().port());
    let hosts = format!("127.0.0.1:1,127.0.0.1:{frozen},127.0.0.1:{live}");
    let url = format!("postgres://bursar@{hosts}/{}?sslmode=disable", database.name());
    let mut journal = try_open(&url, Options::default()).unwrap();
    journal.append(&next(&journal, b"one")).unwrap();
}

#[test]
fn a_database_that_is_slow_to_answer_is_waited_for_and_a_frozen_one_not_for_ever() {
    let database = Server::shared().database();
    open(&database.url(), Options::default());
    let slow = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, server) = (slow.local_addr().unwrap().port(), database.server().port());
    let url = format!("postgres://bursar@127.0.0.1:{port}/{}?sslmode=disable", database.name());
    let options = Options { probe_timeout: Duration::from_millis(200), ..impatient() };
    // Whoever comes first waits in vain.
    let error = try_open(&url, options).map(drop).unwrap_err();
    assert!(
        with_causes(&error).contains("no host of the database answers (127.0.0.1"),
        "{}",
        with_causes(&error)
    );
    std::thread::spawn(move || {
        let mut asked = slow.incoming().map_while(Result::ok);
        let _unanswered: Vec<_> = asked.by_ref().take(4).collect();
        for asked in asked {
            let Ok(answers) = std::net::TcpStream::connect(("127.0.0.1", server)) else { return };
            for (from, to) in [(&asked, &answers), (&answers, &asked)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                std::thread::spawn(move || {
                    _ = std::io::copy(&mut from, &mut to);
                    _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    let options = Options { reply_timeout: Duration::from_secs(20), ..options };
    let mut journal = try_open(&url, options).unwrap();
    journal.append(&next(&journal, b"one")).unwrap();
}

#[test]
fn tls_is_asked_for_and_believed_as_the_url_says() {
    let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let stranger = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let place = Server::shared();
    let pem = place.place("server.pem", &certificate.cert.pem());
    let key = place.place("server.key", &certificate.signing_key.serialize_pem());
    let strange = place.place("stranger.pem", &stranger.cert.pem());
    let settings =
        ["ssl=on", &format!("ssl_cert_file={}", pem.display()), &format!("ssl_key_file={}", key.display())];
    let server = Server::start(Durability::None, &settings);
    let database = server.database();
    open(&database.url(), Options::default());
    let at = |tls: &str| database.url().replace("sslmode=disable", tls);
    for (tls, expected) in [
        ("sslmode=prefer".to_owned(), None),
        ("sslmode=require".to_owned(), None),
        (format!("sslmode=verify-full&sslrootcert={}", pem.display()), None),
        (format!("sslmode=verify-full&sslrootcert={}", strange.display()), Some("invalid peer certificate")),
        ("sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(), Some("cannot read the root certificate")),
    ] {
        let opened = try_open(&at(&tls), Options::default()).map(drop).map_err(|error| with_causes(&error));
        match expected {
            None => assert_eq!(opened, Ok(()), "{tls}"),
            Some(expected) => assert!(opened.as_ref().unwrap_err().contains(expected), "{opened:?}"),
        }
    }
    let plain =
        try_open(&place.database().url().replace("sslmode=disable", "sslmode=require"), Options::default());
    assert!(with_causes(&plain.map(drop).unwrap_err()).contains("TLS"), "a server without it is refused");
}
