//! What callers were told, while something happened to the servers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::cluster::{Cluster, PATIENCE, agent, eventually};
use crate::output;
use crate::served::TOKEN;

/// How a caller spends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Charge,
    /// As an array and as lines, in turn.
    Batch,
}

/// Charges in one request of a caller who spends by batches.
const BATCH: usize = 5;

/// What a caller was told, and between which instants it happened.
struct Answer {
    account: String,
    by: By,
    /// The status, and the body or the line.
    said: (u16, Value),
    asked: Instant,
    answered: Instant,
}

impl Answer {
    fn is(&self, status: u16) -> bool {
        self.said.0 == status
    }

    /// What was left on the balance behind this charge.
    fn available(&self) -> i64 {
        self.said.1["available"].as_str().unwrap().parse().unwrap()
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

impl By {
    fn send(
        self,
        agent: &Agent,
        url: &str,
        account: &str,
        keys: &[String],
        turn: usize,
    ) -> Option<Response<Body>> {
        let post = |path: &str, media_type| {
            let request = agent.post(format!("{url}/api/v1{path}")).header("content-type", media_type);
            request.header("authorization", format!("Bearer {TOKEN}"))
        };
        let lines: Vec<String> = keys
            .iter()
            .map(|key| json!({"account": account, "amount": "1", "key": key}).to_string())
            .collect();
        let sent = match self {
            Self::Charge => post(&format!("/accounts/{account}/charges"), "application/json")
                .header("idempotency-key", &keys[0])
                .send(r#"{"amount":"1"}"#),
            Self::Batch if turn.is_multiple_of(2) => {
                post("/charges", "application/json").send(format!("[{}]", lines.join(",")))
            }
            Self::Batch => post("/charges", "application/x-ndjson").send(lines.join("\n")),
        };
        sent.ok()
    }

    /// What was said of each charge.
    fn read(self, status: u16, text: &str) -> Vec<(u16, Value)> {
        let said: Vec<Value> = match self {
            Self::Charge => vec![serde_json::from_str(text).unwrap()],
            Self::Batch if text.starts_with('[') => serde_json::from_str(text).unwrap(),
            Self::Batch => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        };
        let with_status = |mut it: Value| {
            // A line may have been sent twice on its way.
            it.as_object_mut().unwrap().remove("replayed");
            (it["status"].as_u64().map_or(status, |status| status as u16), it)
        };
        said.into_iter().map(with_status).collect()
    }
}

/// Asks one node after the other, with the same keys, until one says yes or no.
fn charge(
    cluster: &Cluster,
    agent: &Agent,
    by: By,
    account: &str,
    keys: &[String],
    first: usize,
) -> Vec<(u16, Value)> {
    let mut number = first;
    eventually(|| {
        number += 1;
        let url = cluster.url(number)?;
        let mut answer = by.send(agent, &url, account, keys, first)?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().ok()?;
        let said = (status < 500).then(|| by.read(status, &text))?;
        said.iter().all(|(status, _)| *status < 500).then_some(said)
    })
}

impl Told {
    /// Callers wait so long between two charges.
    pub(crate) fn paced(pace: Duration) -> Self {
        Self { pace, ..Self::default() }
    }

    /// Spends until nothing is left, or it is told to stop; asks one node after the other.
    pub(crate) fn call(&self, cluster: &Cluster, by: By, account: &str, caller: usize) {
        let agent = agent(Duration::from_secs(3));
        self.spend(by, account, caller, |keys, number| {
            charge(cluster, &agent, by, account, keys, caller + number)
        });
    }

    /// The same of one node, which is asked once for each charge and never says that it does not know.
    pub(crate) fn call_one(&self, url: &str, by: By, account: &str, caller: usize) {
        let agent = agent(PATIENCE);
        self.spend(by, account, caller, |keys, number| {
            let mut answer = by.send(&agent, url, account, keys, number).unwrap();
            let (status, text) = (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap());
            assert!(status < 500, "{status} {text}");
            by.read(status, &text)
        });
    }

    fn spend(
        &self,
        by: By,
        account: &str,
        caller: usize,
        charge: impl Fn(&[String], usize) -> Vec<(u16, Value)>,
    ) {
        let count = if by == By::Batch { BATCH } else { 1 };
        for number in 0.. {
            let keys: Vec<String> = (0..count).map(|line| format!("{caller}-{number}-{line}")).collect();
            let all_done = self.note(by, account, &keys, || charge(&keys, number));
            if !all_done || self.stop.load(Ordering::SeqCst) {
                return;
            }
            std::thread::park_timeout(self.pace);
        }
    }

    /// How long a charge takes that is asked of the others, now that something happened to the leader.
    pub(crate) fn probe(&self, cluster: &Cluster, account: &str, leader: usize) -> Duration {
        let (begun, key) = (Instant::now(), format!("probe-{}", self.answers.lock().unwrap().len()));
        let keys = [key];
        self.note(By::Charge, account, &keys, || {
            charge(cluster, &agent(PATIENCE), By::Charge, account, &keys, leader)
        });
        begun.elapsed()
    }

    /// Whether all of it was charged.
    fn note(
        &self,
        by: By,
        account: &str,
        keys: &[String],
        charge: impl FnOnce() -> Vec<(u16, Value)>,
    ) -> bool {
        let asked = Instant::now();
        let said = charge();
        let answered = Instant::now();
        assert_eq!(said.len(), keys.len(), "one answer for each charge");
        let done = said.iter().filter(|(status, _)| *status == 201).count();
        let answers = said.into_iter().map(|said| {
            let account = account.to_owned();
            Answer { account, by, said, asked, answered }
        });
        self.answers.lock().unwrap().extend(keys.iter().cloned().zip(answers));
        self.done.fetch_add(done, Ordering::SeqCst);
        done == keys.len()
    }

    /// How many charges were answered with yes before an instant.
    pub(crate) fn done_before(&self, instant: Instant) -> usize {
        let answers = self.answers.lock().unwrap();
        answers.values().filter(|answer| answer.is(201) && answer.answered < instant).count()
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
        let done = answers.iter().filter(|(_, answer)| answer.is(201));
        for (number, (key, told)) in done.clone().enumerate() {
            let again = charge(cluster, &agent, told.by, &told.account, std::slice::from_ref(key), number);
            assert_eq!(again, std::slice::from_ref(&told.said), "{key}");
        }
        assert_eq!(cluster.charged(account), done.count());
        let verified = output(&["verify", "--journal", journal]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }

    /// There is one order of all charges that explains every answer, and none stands in it behind one that was
    /// asked for only after it had been answered: the balance is linearizable. Every charge is of 1.
    pub(crate) fn fits_one_order(&self, limit: i64) {
        let answers = self.answers.lock().unwrap();
        let mut charged: Vec<&Answer> = answers.values().filter(|answer| answer.is(201)).collect();
        charged.sort_by_key(|answer| std::cmp::Reverse(answer.available()));
        let mut latest_asked = None;
        for (answer, left) in charged.iter().zip((0..limit).rev()) {
            assert_eq!(answer.available(), left, "each charge sees all those before it, once");
            latest_asked = latest_asked.max(Some(answer.asked));
            assert!(Some(answer.answered) >= latest_asked, "answered before one was asked that it counts");
        }
        let refused = answers.values().filter(|answer| answer.is(402));
        if let Some(first) = refused.map(|answer| answer.answered).min() {
            assert!(charged.iter().all(|answer| answer.asked <= first), "nothing is left after a refusal");
        }
    }
}
