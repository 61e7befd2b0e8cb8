use journal::Journal;
use postgres_server::Server;

use super::{counted_check, guarded_insert};
use crate::ends::newest_of;
use crate::{Database, Options, Url};

/// A plan made while the table was empty, or for a column in place of a parameter, costs up to ten times.
#[test]
fn the_guard_is_looked_up_by_the_primary_key_from_the_first_group_on() {
    let server = Server::shared().database();
    let url = Url::parse(&server.url(), |_| None).unwrap();
    let database = Database::connect(&url, Options::default()).unwrap();
    database.init([1; 16], 1).unwrap();
    let mut journal = database.open(0).unwrap();
    for groups in [0, 1, 200] {
        for _ in 0..groups {
            journal.append(&journal::conformance::group(&journal.tail(), b"body")).unwrap();
        }
        let session = journal.lane.session().unwrap();
        session.run("DEALLOCATE ALL").unwrap();
        session.run(&format!("PREPARE guarded AS {}", guarded_insert("journal_1"))).unwrap();
        let explain = "EXPLAIN EXECUTE guarded(0, 1, '', 0, '', 0, '')";
        let rows = session.query(explain, &[]).unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Scan using journal_1_pkey"), "{plan}");
        assert!(plan.contains("(book = $1) AND (\"position\" = $6)"), "by both columns: {plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
        session.run(&format!("PREPARE counted AS {}", counted_check("journal_1"))).unwrap();
        let rows = session.query("EXPLAIN EXECUTE counted(0, 1, '')", &[]).unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Only Scan Backward using journal_1_pkey"), "{plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
        session.run(&format!("PREPARE newest AS {}", newest_of(1))).unwrap();
        let rows = session.query("EXPLAIN EXECUTE newest('{0}')", &[]).unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert_eq!(plan.matches("using journal_1_pkey on journal_1").count(), 2, "{plan}");
        assert!(!plan.contains("Seq Scan on journal_1"), "{plan}");
        journal.lane.drop_session(&session);
    }
}
