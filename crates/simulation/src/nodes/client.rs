//! Clients: each has one intent at a time, and asks one node after another until it is answered.

use engine::{Content, Key};

use super::message::{Answer, Named, Request, Said, Wanted};
use super::witness::Place;
use super::world::{Event, MILLI, Micros, World};
use crate::rules::START;
use crate::workload;

pub struct Clients {
    pub clients: Vec<Client>,
    /// How often an asynchronous standby lost something.
    pub losses: u64,
    /// One intent more each, and it has to be answered.
    pub is_last_round: bool,
    /// Whatever is answered is answered from another journal.
    pub is_replaced: bool,
}

#[derive(Default)]
pub struct Client {
    intent: Option<Intent>,
    /// Who answered last is asked first.
    node: usize,
    pub is_over: bool,
}

struct Intent {
    /// Of the idempotency key; none for reads.
    key: Option<u128>,
    named: Named,
    wanted: Wanted,
    attempt: u64,
    attempts: u32,
    deadline: Micros,
    /// The last place there was when it was sent first, and when it was sent last.
    behind_first: Place,
    behind: Place,
    losses: u64,
}

impl Clients {
    pub fn new(count: usize) -> Self {
        let clients = (0..count).map(|_| Client::default()).collect();
        Self { clients, losses: 0, is_last_round: false, is_replaced: false }
    }

    pub fn are_over(&self) -> bool {
        self.clients.iter().all(|client| client.is_over)
    }
}

impl World {
    pub fn client_turn(&mut self, client: usize) {
        if self.clients.clients[client].is_over {
            return;
        }
        match &self.clients.clients[client].intent {
            None => self.intend(client),
            Some(intent) if self.now >= intent.deadline => {
                let is_lost = intent.losses != self.clients.losses;
                let gives_up = is_lost || intent.attempts >= 5 && self.random.one_in(4);
                if gives_up && !self.clients.is_last_round {
                    self.story.given_up += 1;
                    self.rest(client);
                } else {
                    self.send(client);
                }
            }
            Some(_) => {}
        }
    }

    fn rest(&mut self, client: usize) {
        self.clients.clients[client].intent = None;
        let pause = self.random.below(100 * MILLI);
        self.after(pause, Event::Client(client));
    }

    fn intend(&mut self, client: usize) {
        let accounts = self.witness.model.accounts.len() as u64;
        let mut named = Named::default();
        let is_walled = client == 0 && self.network.walled.is_some();
        let (key, wanted) = if accounts > 0 && (is_walled || self.random.one_in(3)) {
            let account = self.random.below(accounts) as usize;
            let may_be_old = self.shape.follows && !self.clients.is_last_round && self.random.one_in(2);
            match may_be_old {
                true => (None, Wanted::Near(account, self.random.below(400 * MILLI))),
                false => (None, Wanted::Read(account)),
            }
        } else {
            let now = START + self.now as i64;
            let (who, ask) = workload::next(&mut self.random, &self.witness.model, now);
            let command = self.witness.bridge.command(who, &ask);
            named = Named::in_ledger(&self.witness.ledger);
            let hash = u128::from(self.random.number()) << 64 | u128::from(self.random.number());
            self.witness.ask(hash, who, ask);
            let content = Content(hash ^ 0xc0);
            let request = engine::Request { command, key: Some((Key::new(hash), content)) };
            (Some(hash), Wanted::Write(Box::new(request)))
        };
        let behind = self.witness.last();
        let intent = Intent {
            key,
            named,
            wanted,
            attempt: 0,
            attempts: 0,
            deadline: 0,
            behind_first: behind,
            behind,
            losses: self.clients.losses,
        };
        self.clients.clients[client].intent = Some(intent);
        self.send(client);
    }

    /// The next attempt, at any node.
    fn send(&mut self, client: usize) {
        let (attempt, delay) = (self.number(), self.delay());
        if self.random.one_in(3) {
            self.clients.clients[client].node = self.random.below(self.nodes.len() as u64) as usize;
        }
        let node = match self.network.walled {
            Some(walled) if client == 0 => walled,
            _ => self.clients.clients[client].node,
        };
        let is_lost = self.random.one_in(40) || client > 0 && self.network.walled == Some(node);
        let patience = if self.random.one_in(3) { 1_500 * MILLI } else { 100 * MILLI };
        let deadline = self.now + 50 * MILLI + self.random.below(patience);
        let behind = self.witness.last();
        let Some(intent) = &mut self.clients.clients[client].intent else { return };
        (intent.attempt, intent.attempts, intent.deadline) = (attempt, intent.attempts + 1, deadline);
        intent.behind = behind;
        let request = Request {
            client,
            attempt,
            losses: intent.losses,
            named: intent.named,
            wanted: intent.wanted.clone(),
        };
        self.story.attempts += 1;
        self.at(deadline, Event::Client(client));
        if !is_lost {
            self.after(delay, Event::Request(node, Box::new(request)));
        }
    }

    pub fn client_answer(&mut self, answer: &Answer) {
        let client = answer.client;
        let Some(intent) = &mut self.clients.clients[client].intent else { return };
        if intent.attempt != answer.attempt {
            return;
        }
        let judged = match (&answer.said, intent.key) {
            (Said::Nothing, _) => {
                let nodes = self.nodes.len();
                intent.deadline = self.now + 1 + self.random.below(40 * MILLI);
                let deadline = intent.deadline;
                let next = &mut self.clients.clients[client].node;
                *next = (*next + 1) % nodes;
                self.at(deadline, Event::Client(client));
                return;
            }
            _ if self.clients.is_replaced => Err("another copy of the journal was taken".to_owned()),
            // Whoever asked before rows were lost was answered by what was there then.
            _ if intent.losses != self.clients.losses => Ok(()),
            (Said::Done(receipt), Some(key)) => {
                self.story.done += 1;
                self.story.repeated += u64::from(receipt.repeated);
                self.witness.judge_done(key, receipt, intent.behind_first)
            }
            (Said::Rejected(rejection, now), Some(key)) => {
                self.story.rejected += 1;
                self.witness.judge_rejected(key, rejection, *now, intent.behind)
            }
            (Said::Read(read), None) => {
                self.story.reads += 1;
                let (Wanted::Read(account) | Wanted::Near(account, _)) = intent.wanted else { return };
                self.witness.judge_read(account, read.as_ref(), intent.behind)
            }
            // What was lost since was there then.
            (Said::Near(_, since), None) if *since < self.lost_at => Ok(()),
            (Said::Near(read, since), None) => {
                self.story.near += 1;
                let Wanted::Near(account, _) = intent.wanted else { return };
                self.witness.judge_read(account, read.as_ref(), self.place_at(*since))
            }
            (said, _) => Err(format!("{:?} was answered by {said:?}", intent.wanted)),
        };
        if let Err(wrong) = judged {
            return self.fail(wrong);
        }
        if self.clients.is_last_round {
            self.clients.clients[client].is_over = true;
        }
        self.rest(client);
    }

    /// Everything so far is as it is: one more intent for each client.
    pub fn last_round(&mut self) {
        self.clients.is_last_round = true;
        for client in 0..self.clients.clients.len() {
            self.clients.clients[client].intent = None;
            self.clients.clients[client].is_over = false;
            self.after(0, Event::Client(client));
        }
    }
}
