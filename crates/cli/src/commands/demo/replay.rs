//! Makes the calls of a plan over several connections, and keeps what was answered and how long it took.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use domain::Nanos;
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use super::family::{Amount, Family};
use super::house::House;
use super::plan::{Plan, Verdict};
use crate::client::{Client, Method};
use crate::failure::Failure;
use crate::native;

/// How calls become requests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// So many calls a request, as fast as answers come.
    Batches(usize),
    /// A request for each call, as fast as answers come.
    Singles,
    /// A request for each call, at so many times the speed at which they were recorded.
    Paced(u32),
}

pub(super) struct Replayed {
    /// One for each call, in the order of the plan.
    pub(super) verdicts: Vec<Verdict>,
    /// The first refusal for each reason, in the server's words.
    pub(super) reasons: Vec<(Verdict, String)>,
    pub(super) requests: usize,
    pub(super) took: Duration,
    /// Microseconds of each request; when paced, from the moment at which the call was due.
    pub(super) latency: Histogram<u64>,
}

/// What a connection does, in order.
enum Step {
    Charge(usize),
    Suspend(String),
}

/// What a connection found.
struct Made {
    verdicts: Vec<(usize, Verdict)>,
    reasons: Vec<(Verdict, String)>,
    requests: usize,
    latency: Histogram<u64>,
}

pub(super) struct Replay<'a> {
    pub(super) house: &'a House,
    pub(super) plan: &'a Plan<'a>,
    pub(super) family: &'a Family,
    pub(super) connections: usize,
    /// Keeps the idempotency keys of one replay apart from those of another.
    pub(super) name: &'static str,
    pub(super) progress: &'a ProgressBar,
}

impl Replay<'_> {
    pub(super) fn run(&self, way: Way) -> Result<Replayed, Failure> {
        let lanes = self.lanes();
        let ready = Barrier::new(lanes.len() + 1);
        thread::scope(|scope| {
            let lanes: Vec<_> = lanes
                .iter()
                .map(|steps| {
                    let ready = &ready;
                    scope.spawn(move || {
                        let client = self.house.client();
                        ready.wait();
                        self.walk(&client, steps, way)
                    })
                })
                .collect();
            ready.wait();
            let begun = Instant::now();
            let joined =
                lanes.into_iter().map(|lane| lane.join().expect("a connection's thread does not panic"));
            let made = joined.collect::<Result<Vec<_>, _>>()?;
            self.merge(made, begun.elapsed())
        })
    }

    /// A member whose calls must stay in order has one connection; the others are dealt round.
    fn lanes(&self) -> Vec<Vec<Step>> {
        let mut lanes: Vec<Vec<Step>> = (0..self.connections).map(|_| Vec::new()).collect();
        for (call, (member, _)) in self.plan.calls.iter().enumerate() {
            let lane =
                if Plan::is_ordered(*member) { member % self.connections } else { call % self.connections };
            if self.plan.suspended_before == Some(call) {
                lanes[lane].push(Step::Suspend(self.family.members[*member].clone()));
            }
            lanes[lane].push(Step::Charge(call));
        }
        lanes
    }

    fn walk(&self, client: &Client, steps: &[Step], way: Way) -> Result<Made, Failure> {
        let mut made = Made { verdicts: Vec::new(), reasons: Vec::new(), requests: 0, latency: histogram() };
        let begun = Instant::now();
        let mut batch = Vec::new();
        for step in steps {
            match (step, way) {
                (Step::Suspend(account), _) => {
                    self.batch(client, &mut batch, &mut made)?;
                    native::suspend(client, account, true)?;
                }
                (Step::Charge(call), Way::Batches(size)) => {
                    batch.push(*call);
                    if batch.len() == size {
                        self.batch(client, &mut batch, &mut made)?;
                    }
                }
                (Step::Charge(call), Way::Singles) => {
                    self.single(client, *call, Instant::now(), &mut made)?;
                }
                (Step::Charge(call), Way::Paced(speed)) => {
                    let due = begun + self.plan.trace.calls[*call].offset / speed;
                    wait_until(due);
                    self.single(client, *call, due, &mut made)?;
                }
            }
        }
        self.batch(client, &mut batch, &mut made)?;
        Ok(made)
    }

    fn single(&self, client: &Client, call: usize, since: Instant, made: &mut Made) -> Result<(), Failure> {
        let charge = self.charge(call);
        let path = native::charges(charge.account);
        let body = Body { amount: &charge.amount, quantity: &charge.quantity, product: PRODUCT };
        let body = serde_json::to_vec(&body).map_err(Failure::fault("cannot write a charge"))?;
        let answer = client.ask(Method::POST, &path, Some(("application/json", body)), Some(&charge.key))?;
        made.request(since);
        let outcome: Outcome = serde_json::from_str(&answer.text).map_err(|_| answer.failure())?;
        let verdict = outcome.verdict().ok_or_else(|| answer.failure())?;
        made.verdict(call, verdict, &outcome);
        self.progress.inc(1);
        Ok(())
    }

    fn batch(&self, client: &Client, calls: &mut Vec<usize>, made: &mut Made) -> Result<(), Failure> {
        if calls.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::with_capacity(calls.len() * 160);
        for call in calls.iter() {
            serde_json::to_writer(&mut lines, &self.charge(*call))
                .map_err(Failure::fault("cannot write a charge"))?;
            lines.push(b'\n');
        }
        let since = Instant::now();
        let answer = client.ask(Method::POST, native::BATCH, Some(("application/x-ndjson", lines)), None)?;
        made.request(since);
        if !answer.status.is_success() {
            return Err(answer.failure());
        }
        let mut answers = answer.text.lines();
        for call in calls.drain(..) {
            let outcome = answers.next().and_then(|line| serde_json::from_str::<Outcome>(line).ok());
            let outcome = outcome.ok_or_else(|| unexpected("an outcome is missing"))?;
            let verdict = outcome.verdict().ok_or_else(|| unexpected(&outcome.reason()))?;
            made.verdict(call, verdict, &outcome);
            self.progress.inc(1);
        }
        Ok(())
    }

    fn charge(&self, call: usize) -> Charge<'_> {
        let trace = self.plan.trace;
        let quantity: Nanos = trace.quantities(&trace.calls[call]).iter().copied().sum();
        Charge {
            account: &self.family.members[self.plan.calls[call].0],
            amount: self.plan.cost(call).to_string(),
            quantity: quantity.to_string(),
            product: PRODUCT,
            key: format!("{}-{call}", self.name),
        }
    }

    fn merge(&self, made: Vec<Made>, took: Duration) -> Result<Replayed, Failure> {
        let mut verdicts = vec![None; self.plan.calls.len()];
        let mut all =
            Replayed { verdicts: Vec::new(), reasons: Vec::new(), requests: 0, took, latency: histogram() };
        for one in made {
            for (call, verdict) in one.verdicts {
                verdicts[call] = Some(verdict);
            }
            for (verdict, reason) in one.reasons {
                note(&mut all.reasons, verdict, || reason);
            }
            all.requests += one.requests;
            all.latency.add(one.latency).map_err(Failure::fault("cannot add latencies"))?;
        }
        let verdicts: Option<Vec<Verdict>> = verdicts.into_iter().collect();
        all.verdicts = verdicts.ok_or_else(|| unexpected("a call was not answered"))?;
        Ok(all)
    }
}

impl Made {
    fn request(&mut self, since: Instant) {
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.latency.saturating_record(micros);
        self.requests += 1;
    }

    fn verdict(&mut self, call: usize, verdict: Verdict, outcome: &Outcome) {
        self.verdicts.push((call, verdict));
        if !matches!(verdict, Verdict::Charged(_)) {
            note(&mut self.reasons, verdict, || outcome.reason());
        }
    }
}

fn note(reasons: &mut Vec<(Verdict, String)>, verdict: Verdict, reason: impl FnOnce() -> String) {
    if !reasons.iter().any(|(known, _)| *known == verdict) {
        reasons.push((verdict, reason()));
    }
}

const PRODUCT: &str = "llm";

#[derive(Serialize)]
struct Charge<'a> {
    account: &'a str,
    amount: String,
    quantity: String,
    product: &'a str,
    key: String,
}

#[derive(Serialize)]
struct Body<'a> {
    amount: &'a str,
    quantity: &'a str,
    product: &'a str,
}

/// A charge that was made, or a problem.
#[derive(Deserialize)]
struct Outcome {
    r#type: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    amount: Option<Amount>,
}

impl Outcome {
    /// None for what the demo did not provoke.
    fn verdict(&self) -> Option<Verdict> {
        match (self.r#type.as_deref(), self.amount) {
            (None, Some(Amount(amount))) => Some(Verdict::Charged(amount)),
            (Some("/problems/insufficient-funds"), _) => Some(Verdict::InsufficientFunds),
            (Some("/problems/account-suspended"), _) => Some(Verdict::Suspended),
            _ => None,
        }
    }

    fn reason(&self) -> String {
        let title = self.title.as_deref().unwrap_or("an answer without a reason");
        match &self.detail {
            Some(detail) => format!("{title}: {detail}"),
            None => title.to_owned(),
        }
    }
}

fn unexpected(what: &str) -> Failure {
    Failure::Fault { doing: "a batch was not answered as expected".to_owned(), source: what.into() }
}

/// From a microsecond to a minute, three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("these bounds are valid")
}

/// The recorded calls came at moments, so that is what a paced replay waits for.
fn wait_until(due: Instant) {
    loop {
        let now = Instant::now();
        match due.checked_duration_since(now) {
            Some(left) if !left.is_zero() => thread::park_timeout(left),
            _ => return,
        }
    }
}
