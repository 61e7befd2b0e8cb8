//! Writers that all believe they lead.

use std::collections::BTreeSet;
use std::sync::Mutex;

use journal::{AppendError, Journal};
use journal_postgres::Options;
use postgres_server::Server;

use crate::fixture::{bodies, next, open, small_eras};

#[test]
fn one_of_two_behind_one_predecessor_wins() {
    let database = Server::shared().database();
    let (mut first, mut second) =
        (open(&database.url(), Options::default()), open(&database.url(), Options::default()));
    first.append(&next(&first, b"mine")).unwrap();
    let late = second.append(&next(&second, b"theirs")).unwrap_err();
    assert!(matches!(late, AppendError::Fenced { position: 0 }), "{late:?}");
    assert_eq!(bodies(&open(&database.url(), Options::default())), [b"mine".to_vec()]);
}

#[test]
fn many_who_race_over_eras_lose_and_double_nothing() {
    let database = Server::shared().database();
    open(&database.url(), small_eras());
    let answered = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for writer in 0..8u32 {
            let (database, answered) = (&database, &answered);
            scope.spawn(move || {
                let mut journal = open(&database.url(), small_eras());
                let mut number = 0u32;
                while number < 12 {
                    let body = [writer.to_le_bytes(), number.to_le_bytes()].concat();
                    match journal.append(&next(&journal, &body)) {
                        Ok(()) => {
                            assert!(answered.lock().unwrap().insert(body));
                            number += 1;
                        }
                        Err(AppendError::Fenced { .. }) => journal = open(&database.url(), small_eras()),
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
    });
    let found = bodies(&open(&database.url(), small_eras()));
    assert_eq!(found.len(), 8 * 12, "each stands there once");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), answered.into_inner().unwrap());
    assert!(database.value("SELECT era FROM identity").parse::<u32>().unwrap() > 5);
}
