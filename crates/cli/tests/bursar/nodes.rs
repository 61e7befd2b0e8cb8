//! Several servers on one database, as processes: whatever happens to them, an answer that was given holds.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use postgres_server::{Durability, Server};
use tempfile::TempDir;
use ureq::Agent;

use crate::served::{Served, TOKEN, bursar};
use crate::{output, serve};

const CALLERS: usize = 6;
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Charges that fit on the balance: enough for all that happens meanwhile. More for a long run.
fn charges() -> usize {
    std::env::var("BURSAR_NODES_CHARGES").map_or(6_000, |text| text.parse().unwrap())
}

struct Node {
    data: TempDir,
    served: Option<Served>,
}

pub(crate) struct Cluster {
    journal: String,
    nodes: RwLock<Vec<Node>>,
}

impl Cluster {
    pub(crate) fn start(count: usize) -> Self {
        Self::over(count, Server::shared().database().url())
    }

    pub(crate) fn over(count: usize, journal: String) -> Self {
        let cluster = Self { journal, nodes: RwLock::default() };
        for _ in 0..count {
            cluster.join();
        }
        cluster
    }

    /// One node more: its number.
    pub(crate) fn join(&self) -> usize {
        self.nodes.write().unwrap().push(Node { data: tempfile::tempdir().unwrap(), served: None });
        let number = count_of(self) - 1;
        self.restart(number);
        number
    }

    pub(crate) fn journal(&self) -> &str {
        &self.journal
    }

    pub(crate) fn restart(&self, node: usize) {
        let data = self.nodes.read().unwrap()[node].data.path().to_owned();
        let more = ["--journal", &self.journal, "--node-listen", "127.0.0.1:0"];
        let served = serve(&data, &more);
        self.nodes.write().unwrap()[node].served = Some(served);
    }

    /// Takes the process out; whoever drops it kills it.
    pub(crate) fn remove(&self, node: usize) -> Served {
        self.nodes.write().unwrap()[node].served.take().unwrap()
    }

    pub(crate) fn url(&self, number: usize) -> Option<String> {
        let nodes = self.nodes.read().unwrap();
        nodes[number % nodes.len()].served.as_ref().map(|served| served.url.clone())
    }

    pub(crate) fn signal(&self, node: usize, signal: &str) {
        let nodes = self.nodes.read().unwrap();
        let id = nodes[node].served.as_ref().unwrap().child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Which node says that it leads the first book, of those that are not `but`.
    pub(crate) fn leader(&self, but: Option<usize>) -> usize {
        let agent = agent(Duration::from_secs(1));
        let of_first = |text: String| {
            let books = text.lines().find_map(|line| line.strip_prefix("leading "));
            books.is_some_and(|books| books.starts_with('0'))
        };
        let leads = |node: &usize| {
            let url = self.url(*node).filter(|_| Some(*node) != but);
            let answer = url.and_then(|url| agent.get(format!("{url}/readyz")).call().ok());
            answer.is_some_and(|mut it| of_first(it.body_mut().read_to_string().unwrap()))
        };
        eventually(|| (0..count_of(self)).find(leads))
    }
}

fn count_of(cluster: &Cluster) -> usize {
    cluster.nodes.read().unwrap().len()
}

pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "it never came");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

pub(crate) fn agent(patience: Duration) -> Agent {
    Agent::config_builder().timeout_global(Some(patience)).http_status_as_error(false).build().into()
}

/// What a caller was told, and between which instants it happened.
struct Answer {
    account: String,
    status: u16,
    body: String,
    asked: Instant,
    answered: Instant,
}

impl Answer {
    /// What was left on the balance behind this charge.
    fn available(&self) -> i64 {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["available"].as_str().unwrap().parse().unwrap()
    }
}

/// What callers were told, by the key they asked under.
#[derive(Default)]
pub(crate) struct Told {
    answers: Mutex<BTreeMap<String, Answer>>,
    pub(crate) done: AtomicUsize,
    pub(crate) stop: AtomicBool,
    pace: Duration,
}

/// Sends the callers home, also when what they were called for fails: else nobody would hear of it.
pub(crate) struct Stopping<'a>(pub(crate) &'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Asks one node after the other, with the same key, until one says yes or no.
fn charge(cluster: &Cluster, agent: &Agent, account: &str, key: &str, first: usize) -> (u16, String) {
    let mut number = first;
    eventually(|| {
        number += 1;
        let url = cluster.url(number)?;
        let asked = agent
            .post(format!("{url}/api/v1/accounts/{account}/charges"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .send(r#"{"amount":"1"}"#);
        let mut answer = asked.ok().filter(|answer| answer.status().as_u16() < 500)?;
        Some((answer.status().as_u16(), answer.body_mut().read_to_string().ok()?))
    })
}

impl Told {
    /// Callers wait so long between two charges.
    pub(crate) fn paced(pace: Duration) -> Self {
        Self { pace, ..Self::default() }
    }

    pub(crate) fn call(&self, cluster: &Cluster, account: &str, caller: usize) {
        let agent = agent(Duration::from_secs(3));
        for number in 0.. {
            let key = format!("{caller}-{number}");
            let status = self.note(account, &key, || charge(cluster, &agent, account, &key, caller + number));
            match status {
                201 => self.done.fetch_add(1, Ordering::SeqCst),
                _ => return,
            };
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            std::thread::park_timeout(self.pace);
        }
    }

    /// How long a charge takes that is asked of the others, now that something happened to the leader.
    pub(crate) fn probe(&self, cluster: &Cluster, account: &str, leader: usize) -> Duration {
        let (begun, key) = (Instant::now(), format!("probe-{}", self.answers.lock().unwrap().len()));
        let status = self.note(account, &key, || charge(cluster, &agent(PATIENCE), account, &key, leader));
        let took = begun.elapsed();
        if status == 201 {
            self.done.fetch_add(1, Ordering::SeqCst);
        }
        took
    }

    fn note(&self, account: &str, key: &str, charge: impl FnOnce() -> (u16, String)) -> u16 {
        let asked = Instant::now();
        let (status, body) = charge();
        let (account, answered) = (account.to_owned(), Instant::now());
        let answer = Answer { account, status, body, asked, answered };
        self.answers.lock().unwrap().insert(key.to_owned(), answer);
        status
    }

    /// How many charges were answered with yes before an instant.
    pub(crate) fn done_before(&self, instant: Instant) -> usize {
        let answers = self.answers.lock().unwrap();
        let is_before = |answer: &&Answer| answer.status == 201 && answer.answered < instant;
        answers.values().filter(is_before).count()
    }

    /// Waits until so many more charges were answered.
    pub(crate) fn more(&self, count: usize) {
        let from = self.done.load(Ordering::SeqCst);
        eventually(|| (self.done.load(Ordering::SeqCst) >= from + count).then_some(()));
    }

    /// Every charge that was answered is there once, and is answered the same again.
    pub(crate) fn holds(&self, cluster: &Cluster, account: &str, journal: &str) {
        let agent = agent(Duration::from_secs(10));
        let answers = self.answers.lock().unwrap();
        let done = answers.iter().filter(|(_, answer)| answer.status == 201);
        for (number, (key, told)) in done.clone().enumerate() {
            let again = charge(cluster, &agent, &told.account, key, number);
            assert_eq!(again, (told.status, told.body.clone()), "{key}");
        }
        let url = cluster.url(0).unwrap();
        let balance = bursar(&["balance", account, "--json"])
            .env("BURSAR_URL", &url)
            .env("BURSAR_TOKEN", TOKEN)
            .output()
            .unwrap();
        let balance: serde_json::Value = serde_json::from_slice(&balance.stdout).unwrap();
        let posted = balance["posted"].as_str().unwrap().split('.').next().unwrap();
        assert_eq!(posted, format!("-{}", done.count()), "{balance}");
        let verified = output(&["verify", "--journal", journal]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}

impl Told {
    /// There is one order of all charges that explains every answer, and none stands in it behind one that was
    /// asked for only after it had been answered: the balance is linearizable. Every charge is of 1.
    fn fits_one_order(&self, limit: i64) {
        let answers = self.answers.lock().unwrap();
        let mut charged: Vec<&Answer> = answers.values().filter(|answer| answer.status == 201).collect();
        charged.sort_by_key(|answer| std::cmp::Reverse(answer.available()));
        let mut latest_asked = None;
        for (answer, left) in charged.iter().zip((0..limit).rev()) {
            assert_eq!(answer.available(), left, "each charge sees all those before it, once");
            latest_asked = latest_asked.max(Some(answer.asked));
            assert!(Some(answer.answered) >= latest_asked, "answered before one was asked that it counts");
        }
        let refused = answers.values().filter(|answer| answer.status == 402);
        if let Some(first) = refused.map(|answer| answer.answered).min() {
            assert!(charged.iter().all(|answer| answer.asked <= first), "nothing is left after a refusal");
        }
    }
}

pub(crate) fn open_account(cluster: &Cluster, credit_limit: usize) -> String {
    open(cluster, &["--credit-limit", &credit_limit.to_string()])
}

fn open(cluster: &Cluster, more: &[&str]) -> String {
    let opened = bursar(&[&["account", "create", "--name", "a", "--json"], more].concat())
        .env("BURSAR_URL", cluster.url(1).unwrap())
        .env("BURSAR_TOKEN", TOKEN)
        .output()
        .unwrap();
    let opened: serde_json::Value = serde_json::from_slice(&opened.stdout).unwrap();
    opened["account"].as_str().unwrap().to_owned()
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
                scope.spawn(move || told.call(cluster, account, caller))
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
    told.holds(&cluster, &account, &cluster.journal);
    for (what, mut times) in took {
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!("leader {what}: answers again after {median:?} (p50), {worst:?} (worst)");
    }
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
            scope.spawn(move || told.call(cluster, account, caller));
        }
        let _stopping = Stopping(&told.stop);
        for round in 0..3 {
            for number in 0..edits.len() {
                database.run(edits[(number * 3 + round) % edits.len()]);
                told.more(7);
            }
        }
    });
    told.holds(&cluster, &account, &cluster.journal);
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
            metrics.contains("\nbursar_commands_waiting{book=\"0\"} 1\n").then_some(())
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
    let (status, body) = charge(&cluster, &agent(PATIENCE), &account, "last", 0);
    assert_eq!(status, 201, "{body}");
    // What closes the journal behind the last charge has nowhere to go.
    server.kill();
    let begun = Instant::now();
    cluster.remove(0).stop();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
