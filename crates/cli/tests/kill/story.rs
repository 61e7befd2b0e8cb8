//! What was asked, what was answered, and what is still in doubt.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::client::{Client, Lost};
use crate::random::Random;

/// One intent, with its key.
#[derive(Clone, Debug)]
struct Intent {
    key: String,
    act: Act,
    amount_nanos: u64,
    /// Whose usage it is.
    account: usize,
}

#[derive(Clone, Debug)]
enum Act {
    Charge,
    Place,
    Capture { hold: String },
    Void { hold: String },
}

/// What an answer says for ever: what it is called, its amount, and what was available after it.
type Answer = [String; 3];

pub struct Story {
    /// Two that share the first's balance, and one that has its own.
    accounts: Vec<String>,
    seed: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    in_doubt: Vec<Intent>,
    /// Holds that were placed and wait for their end.
    to_end: Vec<Intent>,
    answered: BTreeMap<String, (Intent, Answer)>,
    lost_and_done: u64,
    lost_and_not_done: u64,
    asked_again: u64,
}

const LIMIT: &str = "1000000";

impl Story {
    pub fn new(client: &Client, seed: u64) -> Self {
        let open = |name: &str, parent: Option<&String>| {
            let body = match parent {
                None => json!({"name": name, "credit_limit": LIMIT}),
                Some(parent) => json!({"name": name, "parent": parent, "shared": true}),
            };
            let (opened, _) = client.post("/accounts", &format!("open {name}"), Some(&body)).unwrap();
            opened["id"].as_str().unwrap().to_owned()
        };
        let primary = open("primary", None);
        let shared = open("shared", Some(&primary));
        let accounts = vec![primary, shared, open("own", None)];
        Self { accounts, seed, state: Mutex::default() }
    }

    /// Asks for one more thing. Nothing when the server is gone.
    pub fn step(&self, client: &Client, random: &mut Random) -> Option<()> {
        let doubtful = self.state().in_doubt.pop();
        if let Some(intent) = doubtful {
            return self.retry(client, intent, random).ok();
        }
        let to_end = if random.below(4) == 0 { self.state().to_end.pop() } else { None };
        let done = match (to_end, random.below(20)) {
            (Some(intent), _) => self.one(client, intent, false),
            (None, 0..=1) => self.ask_again(client, random),
            (None, 2..=6) => self.batch(client, random),
            (None, 7..=10) => self.one(client, self.intent(Act::Place, random), false),
            (None, _) => self.one(client, self.intent(Act::Charge, random), false),
        };
        done.ok()
    }

    /// Settles what is in doubt, and every hold that was placed.
    pub fn finish(&self, client: &Client) {
        while let Some(intent) = { self.state().in_doubt.pop() } {
            self.one(client, intent, true).unwrap();
        }
        while let Some(intent) = { self.state().to_end.pop() } {
            self.one(client, intent, false).unwrap();
        }
        // Much of what was ever answered, once more.
        let answered: Vec<(Intent, Answer)> = self.state().answered.values().cloned().collect();
        for (intent, first) in answered.into_iter().step_by(7) {
            let again = self.ask(client, &intent).unwrap();
            assert_eq!(again.0, first, "{intent:?} was answered otherwise");
        }
    }

    /// The books hold each charge once, exactly.
    pub fn check(&self, client: &Client) {
        let mut usage = [0_u64; 3];
        for (intent, _) in self.state().answered.values() {
            if matches!(intent.act, Act::Charge | Act::Capture { .. }) {
                usage[intent.account] += intent.amount_nanos;
            }
        }
        let balances: Vec<Value> =
            self.accounts.iter().map(|account| client.get(&format!("/accounts/{account}/balance"))).collect();
        for (balance, usage) in balances.iter().zip(usage) {
            assert_eq!(balance["usage"], decimal(usage));
            assert_eq!(balance["held"], "0");
        }
        assert_eq!(balances[0]["posted"], format!("-{}", decimal(usage[0] + usage[1])));
        assert_eq!(balances[2]["posted"], format!("-{}", decimal(usage[2])));
    }

    pub fn tally(&self) -> String {
        let state = self.state();
        let mut text = String::new();
        for (count, what) in [
            (state.answered.len() as u64, "intents answered"),
            (state.lost_and_done, "in doubt when the server was killed, and found done"),
            (state.lost_and_not_done, "in doubt, and done by the retry"),
            (state.asked_again, "answered ones asked again, and answered the same"),
        ] {
            _ = writeln!(text, "{count:>8} {what}");
        }
        text
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn intent(&self, act: Act, random: &mut Random) -> Intent {
        let mut state = self.state();
        state.next += 1;
        let key = format!("{:x}-{}", self.seed, state.next);
        Intent { key, act, amount_nanos: 1 + random.below(5_000_000), account: random.below(3) as usize }
    }

    /// A line of a batch that was lost may be asked for alone, and the other way round.
    fn retry(&self, client: &Client, intent: Intent, random: &mut Random) -> Result<(), Lost> {
        if matches!(intent.act, Act::Charge) && random.below(2) == 0 {
            self.lines(client, vec![intent], true)
        } else {
            self.one(client, intent, true)
        }
    }

    fn one(&self, client: &Client, intent: Intent, is_retry: bool) -> Result<(), Lost> {
        match self.ask(client, &intent) {
            Ok((answer, _)) if !is_retry => {
                self.answered(intent, answer);
                Ok(())
            }
            Ok((answer, replayed)) => {
                self.settled(replayed);
                self.answered(intent, answer);
                Ok(())
            }
            Err(lost) => {
                self.state().in_doubt.push(intent);
                Err(lost)
            }
        }
    }

    fn batch(&self, client: &Client, random: &mut Random) -> Result<(), Lost> {
        let count = 2 + random.below(30);
        let intents = (0..count).map(|_| self.intent(Act::Charge, random)).collect();
        self.lines(client, intents, false)
    }

    fn lines(&self, client: &Client, intents: Vec<Intent>, is_retry: bool) -> Result<(), Lost> {
        let line = |intent: &Intent| {
            let account = &self.accounts[intent.account];
            json!({"account": account, "amount": decimal(intent.amount_nanos), "key": intent.key})
        };
        let lines: Vec<Value> = intents.iter().map(line).collect();
        match client.batch(&lines) {
            Ok(answers) => {
                assert_eq!(answers.len(), intents.len());
                for (intent, answer) in intents.into_iter().zip(answers) {
                    assert_eq!(answer["status"], 201, "{answer}");
                    if is_retry {
                        self.settled(answer["replayed"] == true);
                    }
                    self.answered(intent, said(&answer));
                }
                Ok(())
            }
            Err(lost) => {
                self.state().in_doubt.extend(intents);
                Err(lost)
            }
        }
    }

    fn ask_again(&self, client: &Client, random: &mut Random) -> Result<(), Lost> {
        let known = {
            let state = self.state();
            let count = state.answered.len() as u64;
            let nth = if count == 0 { 0 } else { random.below(count) as usize };
            state.answered.values().nth(nth).cloned()
        };
        let Some((intent, first)) = known else { return Ok(()) };
        let (again, replayed) = self.ask(client, &intent)?;
        assert_eq!(again, first, "{intent:?} was answered otherwise");
        assert!(replayed, "{intent:?} was done twice");
        self.state().asked_again += 1;
        Ok(())
    }

    /// The answer, and whether it was done before.
    fn ask(&self, client: &Client, intent: &Intent) -> Result<(Answer, bool), Lost> {
        let account = &self.accounts[intent.account];
        let amount = decimal(intent.amount_nanos);
        let (path, body) = match &intent.act {
            Act::Charge => (format!("/accounts/{account}/charges"), Some(json!({"amount": amount}))),
            Act::Place => (format!("/accounts/{account}/holds"), Some(json!({"amount": amount}))),
            Act::Capture { hold } => (format!("/holds/{hold}/capture"), Some(json!({"amount": amount}))),
            Act::Void { hold } => (format!("/holds/{hold}/void"), None),
        };
        let (answer, replayed) = client.post(&path, &intent.key, body.as_ref())?;
        Ok((said(&answer), replayed))
    }

    fn settled(&self, replayed: bool) {
        let mut state = self.state();
        if replayed {
            state.lost_and_done += 1;
        } else {
            state.lost_and_not_done += 1;
        }
    }

    /// Holds are captured or voided next, whoever comes by.
    fn answered(&self, intent: Intent, answer: Answer) {
        let mut state = self.state();
        if matches!(intent.act, Act::Place) {
            let hold = answer[0].clone();
            let (act, amount_nanos) = match intent.amount_nanos % 3 {
                0 => (Act::Void { hold }, 0),
                _ => (Act::Capture { hold }, intent.amount_nanos.div_ceil(2)),
            };
            let key = format!("{}-end", intent.key);
            state.to_end.push(Intent { key, act, amount_nanos, account: intent.account });
        }
        let known = state.answered.insert(intent.key.clone(), (intent, answer));
        assert!(known.is_none(), "{known:?} was settled twice");
    }
}

fn said(answer: &Value) -> Answer {
    // A void says what it released where others say their amount.
    let amount = answer.get("amount").or(answer.get("released")).unwrap();
    [&answer["id"], amount, &answer["available"]].map(|member| member.as_str().unwrap().to_owned())
}

/// Nanos as the server prints them.
fn decimal(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
