//! The one order in which everything happened, and whether every answer fits into it.
//!
//! The journal is a total order of all that was done, so nothing has to be searched for: each record is
//! one point, and behind each the slow model says what is true. An answer is right if
//! - what was done is in the journal, once, at the place and with the event that were said;
//! - what was read or refused is what the model says at one of the points;
//! - that point is not before anything that was durable when it was asked.
//!
//! So there is a sequence that fits all answers and their order in real time: whatever was answered was
//! durable by then, and what is asked later comes behind it. That is linearizability, of each balance and
//! of all together, and a little more: a group counts from the moment it is durable, answered or not.

use std::collections::HashMap;

use domain::Timestamp;
use engine::{Item, Mark, Owner, Receipt, TextKeys};
use journal::{Chain, Group, HEADER_BYTES, VaultKey};
use journal_postgres::Cell;
use ledger::{CredentialIndex, Event, EventRef, HoldEnd, Ledger, Rejection, invariant};

use super::message::Figures;
use crate::bridge::{self, Bridge};
use crate::model::{Ask, Model, Who};
use crate::rules::{agree, period};
use crate::sql::Tables;

#[derive(Clone)]
pub struct Witness {
    pub ledger: Ledger,
    pub model: Model,
    pub bridge: Bridge,
    /// By position.
    chains: Vec<Chain>,
    points: Vec<Point>,
    done: HashMap<u128, Done>,
    asked: HashMap<u128, Asked>,
    /// An asynchronous standby took over: a key of texts may be lost, whose group was written again since.
    pub has_lost: bool,
}

/// What is true behind a record.
#[derive(Clone)]
struct Point {
    model: Model,
    period: u32,
}

/// A command that is in the journal.
#[derive(Clone)]
struct Done {
    at: EventRef,
    event: Event,
    point: usize,
}

/// A command that was sent.
#[derive(Clone)]
pub struct Asked {
    pub who: Who,
    pub ask: Ask,
}

/// A point in the order, counted from the beginning.
pub type Place = usize;

impl Default for Witness {
    fn default() -> Self {
        let model = Model::default();
        Self {
            ledger: Ledger::default(),
            bridge: Bridge::new(CredentialIndex::new(0)),
            chains: vec![Chain::default()],
            points: vec![Point { model: model.clone(), period: 0 }],
            model,
            done: HashMap::new(),
            asked: HashMap::new(),
            has_lost: false,
        }
    }
}

struct Keys<'a>(&'a Tables);

impl TextKeys for Keys<'_> {
    fn text_key(&self, owner: Owner) -> Option<VaultKey> {
        let sql = "SELECT key FROM vault WHERE book = $1 AND owner = $2";
        let effect = self.0.run(sql, &[Cell::Int8(0), Cell::Int8(owner.0 as i64)]).ok()?;
        match effect.rows.first()?.0.first()? {
            Cell::Bytes(key) => Some(VaultKey(key.as_slice().try_into().ok()?)),
            _ => None,
        }
    }
}

impl Witness {
    /// A command is sent for the first time.
    pub fn ask(&mut self, key: u128, who: Who, ask: Ask) {
        self.asked.insert(key, Asked { who, ask });
    }

    pub fn position(&self) -> u64 {
        self.chains.len() as u64 - 1
    }

    pub fn last(&self) -> Place {
        self.points.len() - 1
    }

    pub fn chain(&self, position: u64) -> Option<Chain> {
        self.chains.get(usize::try_from(position).ok()?).copied()
    }

    /// The same with an empty journal. What was sent stays known.
    pub fn forget(&mut self) {
        let asked = std::mem::take(&mut self.asked);
        *self = Self { asked, has_lost: self.has_lost, ..Self::default() };
    }

    /// The next group of the journal, which is certain from now on.
    pub fn fold(&mut self, group: &Group, tables: &Tables) -> Result<(), String> {
        let header = group.header();
        let position = header.position;
        if position != self.position() + 1 || Some(header.previous) != self.chain(position - 1) {
            return Err(format!(
                "group {position} is acknowledged behind another than group {}",
                position - 1
            ));
        }
        self.chains.push(header.chain);
        let (body, mut offset) = (&group.bytes()[HEADER_BYTES..], 0);
        while offset < body.len() {
            let at = EventRef::new(position, offset);
            let (item, length) = Item::read(&body[offset..], at, &Keys(tables))
                .map_err(|malformed| format!("group {position}: {malformed:?}"))?;
            offset += length;
            match item {
                Item::Record(record) => {
                    let time = record.envelope.time;
                    invariant::apply_checked(&mut self.ledger, &record.event, at)
                        .map_err(|broken| format!("group {position}: {broken}"))?;
                    self.bridge.learn(&record.event);
                    self.by_itself(&record.event, time)
                        .map_err(|wrong| format!("in the journal at {at:?}: {wrong}"))?;
                    if let Some((key, _)) = record.envelope.key {
                        self.record(key.hash, at, record.event, time)?;
                    }
                }
                Item::Mark(Mark::Digest { .. } | Mark::Barrier { .. } | Mark::FormatRaised(_)) => {}
                Item::Mark(mark) => return Err(format!("group {position}: {mark:?}")),
            }
        }
        if header.events > 0 {
            if let Some(hold) = self.model.holds.values().find(|it| it.expires_at <= header.time.as_micros())
            {
                return Err(format!("behind group {position}: {hold:?} is due"));
            }
            bridge::compare(&self.model, &self.ledger)
                .map_err(|difference| format!("behind group {position}: {difference}"))?;
        }
        Ok(())
    }

    /// What nobody asked for: holds that are due, and reloads.
    fn by_itself(&mut self, event: &Event, time: Timestamp) -> Result<(), String> {
        let now = time.as_micros();
        let is_true = match event {
            Event::HoldEnded { hold, end: HoldEnd::Expired, .. } => {
                self.model.expire_one(hold.0, now, period(&self.ledger, time))
            }
            Event::ReloadStarted { balance, .. } => {
                bridge::place(&self.ledger, *balance).is_some_and(|(account, currency)| {
                    self.model.begin_reload(account, currency, now, period(&self.ledger, time))
                })
            }
            _ => return Ok(()),
        };
        self.point(period(&self.ledger, time));
        if is_true { Ok(()) } else { Err(format!("{event:?} has no reason")) }
    }

    fn point(&mut self, period: u32) {
        self.points.push(Point { model: self.model.clone(), period });
    }

    fn record(&mut self, key: u128, at: EventRef, event: Event, time: Timestamp) -> Result<(), String> {
        let Some(Asked { who, ask }) = self.asked.get(&key).cloned() else {
            return Err(format!("{event:?} was asked for by nobody"));
        };
        if let Some(before) = self.done.get(&key) {
            return Err(format!("{ask:?} was done twice: at {:?} and {at:?}", before.at));
        }
        let period = period(&self.ledger, time);
        agree(&self.model.ask(who, &ask, time.as_micros(), period), Ok(()))
            .map_err(|difference| format!("{who:?} {ask:?}, in the journal at {at:?}: {difference}"))?;
        self.point(period);
        self.done.insert(key, Done { at, event, point: self.last() });
        Ok(())
    }

    /// It was answered that a command was done; `behind` is the last place there was when it was first sent.
    pub fn judge_done(&self, key: u128, receipt: &Receipt, behind: Place) -> Result<(), String> {
        let Some(done) = self.done.get(&key) else {
            let asked = &self.asked.get(&key).expect("it was sent").ask;
            return Err(format!("{asked:?} was acknowledged and is not in the journal"));
        };
        let is_same = done.event == receipt.event || self.has_lost;
        if done.at != receipt.at || !is_same {
            return Err(format!(
                "answered with {receipt:?}, and in the journal is {:?} {:?}",
                done.at, done.event
            ));
        }
        if done.point <= behind {
            return Err(format!("{:?} was done before what was durable when it was sent", done.event));
        }
        Ok(())
    }

    pub fn judge_rejected(
        &self,
        key: u128,
        rejection: &Rejection,
        now: Timestamp,
        behind: Place,
    ) -> Result<(), String> {
        let Asked { who, ask } = self.asked.get(&key).expect("it was sent");
        let before = self.done.get(&key).map_or(self.points.len(), |done| done.point);
        let fits = |point: &Point| {
            let answer = point.model.clone().ask(*who, ask, now.as_micros(), point.period);
            agree(&answer, Err(rejection)).is_ok()
        };
        match self.is_true_somewhere(behind, before, fits) {
            true => Ok(()),
            false => {
                Err(format!("{who:?} {ask:?} was refused by {rejection:?}, which was not true any more"))
            }
        }
    }

    pub fn judge_read(&self, account: usize, read: Option<&Figures>, behind: Place) -> Result<(), String> {
        let fits = |point: &Point| Figures::of_model(&point.model, account).as_ref() == read;
        match self.is_true_somewhere(behind, self.points.len(), fits) {
            true => Ok(()),
            false => Err(format!("account {account} was read as {read:?}, which was not true any more")),
        }
    }

    fn is_true_somewhere(&self, behind: Place, before: Place, fits: impl Fn(&Point) -> bool) -> bool {
        self.points.get(behind..before).is_some_and(|points| points.iter().any(fits))
    }
}
