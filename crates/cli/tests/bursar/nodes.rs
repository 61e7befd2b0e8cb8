//! Several servers on one database, as processes: whatever happens to them, an answer that was given holds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use postgres_server::{Durability, Server};

use crate::cluster::{Cluster, PATIENCE, agent, eventually, open, open_account};
use crate::served::TOKEN;
use crate::told::{By, Stopping, Told};

const CALLERS: usize = 6;

/// Charges that fit on the balance: enough for all that happens meanwhile. More for a long run.
fn charges() -> usize {
    std::env::var("BURSAR_NODES_CHARGES").map_or(6_000, |text| text.parse().unwrap())
}

#[test]
fn nodes_that_die_freeze_and_restart_lose_and_double_nothing() {
    let cluster = Cluster::start(3);
    let limit = charges();
    let account = open_account(&cluster, limit);
    // One balance, and several who spend it.
    let sharing: Vec<String> =
        (0..CALLERS).map(|_| open(&cluster, &["--parent", &account, "--shared"])).collect();
    let told = Told::default();
    let mut took = BTreeMap::<&str, Vec<Duration>>::new();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (told, cluster, account) = (&told, &cluster, sharing[caller].as_str());
                // One of them spends by batches.
                let by = if caller == 0 { By::Batch } else { By::Charge };
                scope.spawn(move || told.call(cluster, by, account, caller))
            })
            .collect();
        let rounds = (limit / 2_000).max(1);
        for _ in 0..rounds {
            told.more(20);
            let leader = cluster.leader(None);
            drop(cluster.remove(leader));
            took.entry("killed").or_default().push(told.probe(&cluster, &account, leader));
            cluster.restart(leader);

            told.more(20);
            let leader = cluster.leader(None);
            cluster.signal(leader, "-STOP");
            took.entry("frozen").or_default().push(told.probe(&cluster, &account, leader));
            let other = cluster.leader(Some(leader));
            assert_ne!(other, leader);
            cluster.signal(leader, "-CONT");

            told.more(20);
            let leader = cluster.leader(None);
            let served = cluster.remove(leader);
            served.terminate();
            took.entry("drained").or_default().push(told.probe(&cluster, &account, leader));
            served.ends_well();
            cluster.restart(leader);
        }
        for caller in callers {
            caller.join().unwrap();
        }
    });
    assert_eq!(told.done.load(Ordering::SeqCst), limit, "drained to zero, and not beyond");
    told.fits_one_order(limit as i64);
    told.holds(&cluster, &account, cluster.journal());
    for (what, mut times) in took {
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!("leader {what}: answers again after {median:?} (p50), {worst:?} (worst)");
    }
}

#[test]
fn who_asks_a_node_that_loses_the_lead_or_its_leader_waits_and_is_told_of_no_fault() {
    let cluster = Cluster::start(2);
    let account = open_account(&cluster, 1_000_000);
    let told = Told::default();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (told, account, url) = (&told, account.as_str(), cluster.url(caller).unwrap());
            let by = if caller < 2 { By::Batch } else { By::Charge };
            scope.spawn(move || told.call_one(&url, by, account, caller));
        }
        let _stopping = Stopping(&told.stop);
        for _ in 0..2 {
            told.more(50);
            let leader = cluster.leader(None);
            cluster.signal(leader, "-STOP");
            let other = cluster.leader(Some(leader));
            told.more(50);
            // What it had begun it cannot finish any more: it asks the other.
            cluster.signal(leader, "-CONT");
            assert_ne!(other, leader);
        }
        told.more(50);
    });
    told.holds(&cluster, &account, cluster.journal());
}

#[test]
fn charges_without_keys_are_done_once_though_their_leader_freezes_under_them() {
    let cluster = Cluster::start(2);
    let account = open_account(&cluster, 1_000_000);
    let leader = cluster.leader(None);
    let (url, agent) = (cluster.url(1 - leader).unwrap(), agent(PATIENCE));
    let line = format!(r#"{{"account":"{account}","amount":"1"}}"#);
    let asked = [
        (format!("{url}/api/v1/charges"), format!("[{line},{line},{line}]"), 3),
        (format!("{url}/api/v1/accounts/{account}/charges"), r#"{"amount":"1"}"#.to_owned(), 1),
    ];
    let (done, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for (url, body, count) in &asked {
            let (agent, done, stop) = (&agent, &done, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let post = agent.post(url).header("content-type", "application/json");
                    let mut answer =
                        post.header("authorization", format!("Bearer {TOKEN}")).send(body).unwrap();
                    let text = answer.body_mut().read_to_string().unwrap();
                    assert!([200, 201].contains(&answer.status().as_u16()), "{text}");
                    assert_eq!(text.matches("available").count(), *count, "{text}");
                    let headers = answer.headers();
                    assert!(!text.contains("replayed") && !headers.contains_key("idempotent-replayed"));
                    done.fetch_add(*count, Ordering::SeqCst);
                }
            });
        }
        let _stopping = Stopping(&stop);
        let more = || {
            let from = done.load(Ordering::SeqCst);
            eventually(|| (done.load(Ordering::SeqCst) > from + 20).then_some(()));
        };
        more();
        cluster.signal(leader, "-STOP");
        more();
        cluster.signal(leader, "-CONT");
        more();
    });
    assert_eq!(cluster.charged(&account), done.load(Ordering::SeqCst));
}

#[test]
fn whatever_the_rows_say_who_leads_the_journal_decides() {
    let database = Server::shared().database();
    let cluster = Cluster::over(2, database.url());
    let account = open_account(&cluster, 1_000_000);
    let told = Told::default();
    let edits = [
        "UPDATE lead SET node = 'deadbeef-dead-4ead-8ead-deadbeefdead'",
        "DELETE FROM lead",
        "UPDATE lead SET node = COALESCE((SELECT node FROM node ORDER BY node LIMIT 1), node), beats = 7",
        "UPDATE lead SET node = '00000000-0000-0000-0000-000000000000'",
        "UPDATE lead SET beats = beats - 1000, checks = 0",
        "UPDATE lead SET node = COALESCE((SELECT node FROM node ORDER BY node DESC LIMIT 1), node)",
        "UPDATE node SET address = '127.0.0.1:1'",
        "DELETE FROM node",
    ];
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (told, cluster, account) = (&told, &cluster, account.as_str());
            let by = if caller == 0 { By::Batch } else { By::Charge };
            scope.spawn(move || told.call(cluster, by, account, caller));
        }
        let _stopping = Stopping(&told.stop);
        for round in 0..3 {
            for number in 0..edits.len() {
                database.run(edits[(number * 3 + round) % edits.len()]);
                told.more(7);
            }
        }
    });
    told.holds(&cluster, &account, cluster.journal());
}

#[test]
fn a_node_that_settles_an_unknown_outcome_ends_when_it_is_told_to() {
    let server = Server::start(Durability::None, &[]);
    let cluster = Cluster::over(1, server.database().url());
    let account = open_account(&cluster, 10);
    let (url, agent) = (cluster.url(0).unwrap(), agent(PATIENCE));
    server.kill();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            agent
                .post(format!("{url}/api/v1/accounts/{account}/charges"))
                .header("authorization", format!("Bearer {TOKEN}"))
                .header("content-type", "application/json")
                .send(r#"{"amount":"1"}"#)
        });
        eventually(|| {
            let mut metrics = agent.get(format!("{url}/metrics")).call().ok()?;
            let metrics = metrics.body_mut().read_to_string().ok()?;
            let waiting = metrics.split_once("\nbursar_commands_waiting{book=\"0\"} ")?.1;
            (!waiting.starts_with('0')).then_some(())
        });
        let begun = Instant::now();
        let served = cluster.remove(0);
        served.stop();
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        let mut answer = asked.join().unwrap().unwrap();
        let body = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), 503, "{body}");
        assert!(body.contains("outcome"), "{body}");
    });
}

#[test]
fn a_node_with_nothing_left_to_answer_ends_though_the_database_is_gone() {
    let server = Server::start(Durability::None, &[]);
    let cluster = Cluster::over(1, server.database().url());
    let account = open_account(&cluster, 10);
    let told = Told::default();
    told.probe(&cluster, &account, 0);
    assert_eq!(told.done.load(Ordering::SeqCst), 1);
    // What closes the journal behind the last charge has nowhere to go.
    server.kill();
    let begun = Instant::now();
    cluster.remove(0).stop();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
