//! The entries that are asked for, read backwards from the newest.

use std::sync::Arc;

use access::Caller;
use dialect::App;
use domain::Timestamp;
use engine::{AuditEntry, History, HistoryError, Id};
use ledger::{AuditHead, BalanceIndex, Ledger};

use super::actor::Who;
use super::{Filter, facts, touched};
use crate::ids;
use crate::look::look;
use crate::problem::Problem;
use crate::values::Time;

/// Entries looked at for one page: a rare one may take several pages to be found.
const LOOKED_AT_MAX: usize = 10_000;
/// So many are read before the book is asked which of them somebody who is limited may see.
const ROUND: usize = 1_000;

pub(super) struct Wanted {
    from: Timestamp,
    /// Exclusive.
    to: Option<Timestamp>,
    acts: Vec<String>,
    actor: Option<Who>,
    /// An account as well by the balances it ever had.
    object: Option<Object>,
    request_id: Option<String>,
}

struct Object {
    id: Id,
    balances: Vec<BalanceIndex>,
}

/// Entries, newest first, and what follows them.
#[derive(Default)]
pub(super) struct Found {
    pub(super) entries: Vec<AuditEntry>,
    /// There is more: entries below this number.
    pub(super) below: Option<u64>,
    /// What nobody can read any more.
    pub(super) removed_until: Option<Timestamp>,
}

/// At most `limit` entries below a number that are wanted and that the caller may see.
pub(super) async fn gather(
    app: &App,
    caller: &Caller,
    wanted: Wanted,
    head: AuditHead,
    below: Option<u64>,
    limit: usize,
) -> Result<Found, Problem> {
    let wanted = Arc::new(wanted);
    let round = if caller.is_limited() { ROUND } else { limit };
    let (mut found, mut left) = (Found { below, ..Found::default() }, LOOKED_AT_MAX);
    loop {
        let (history, wanted, below) = (app.engine.history().clone(), wanted.clone(), found.below);
        // Walking reads the journal: never on a thread that serves requests.
        let walk = tokio::task::spawn_blocking(move || wanted.walk(&history, &head, below, round, left));
        let (walked, looked_at) = walk.await.map_err(|_| Problem::bug("reading the log panicked"))??;
        left -= looked_at;
        let Found { mut entries, below, removed_until } = walked;
        let mut seen = look(app, caller, move |ledger, _, sight| {
            entries.retain(|entry| touched::sees(ledger, sight, entry));
            Ok(entries)
        })
        .await?;
        let room = limit - found.entries.len();
        if seen.len() > room {
            seen.truncate(room);
            found.below = seen.last().map(|entry| entry.number);
            found.entries.extend(seen);
            return Ok(found);
        }
        found.entries.extend(seen);
        (found.below, found.removed_until) = (below, removed_until);
        if found.below.is_none() || found.entries.len() == limit || left == 0 {
            return Ok(found);
        }
    }
}

impl Wanted {
    pub(super) async fn read(app: &App, filter: Filter) -> Result<Self, Problem> {
        let from = filter.from.map_or(Timestamp::from_micros(i64::MIN), Time::timestamp);
        let to = filter.to.map(Time::timestamp);
        if to.is_some_and(|to| to < from) {
            return Err(Problem::parameter("to", "is before from"));
        }
        let acts: Vec<String> =
            filter.acts.iter().flat_map(|acts| acts.split(',')).map(str::to_owned).collect();
        if let Some(unknown) = acts.iter().find(|act| !facts::ACTS.contains(&act.as_str())) {
            return Err(Problem::parameter("acts", format!("{} is no act", unknown.escape_debug())));
        }
        let id = |name, text: &Option<String>| {
            let id = text.as_ref().map(|text| ids::parse(app.engine.seals(), text));
            id.map(|id| id.ok_or_else(|| Problem::parameter(name, "expected an id"))).transpose()
        };
        let (actor, object) = (id("actor", &filter.actor)?, id("object", &filter.object)?);
        let read = move |ledger: &Ledger, _| {
            let actor = actor.map(|id| Who::of(ledger, id));
            let balances = |id| match id {
                Id::Account(account) => ledger.balances_of(account).collect(),
                _ => Vec::new(),
            };
            (actor, object.map(|id| Object { id, balances: balances(id) }))
        };
        let (actor, object) = app.engine.read(read).await?;
        Ok(Self { from, to, acts, actor, object, request_id: filter.request_id })
    }

    /// At most so many entries below a number, and how many were looked at for them.
    fn walk(
        &self,
        history: &History,
        head: &AuditHead,
        below: Option<u64>,
        limit: usize,
        looked_at_max: usize,
    ) -> Result<(Found, usize), Problem> {
        let (mut found, mut looked_at) = (Found::default(), 0);
        let from = match below {
            Some(0 | 1) => return Ok((found, looked_at)),
            below => below.map(|below| below - 1),
        };
        let until = self.to.map(|to| Timestamp::from_micros(to.as_micros().saturating_sub(1)));
        let mut last = head.entries + 1;
        for entry in history.audit(head, from, until)? {
            let entry = match entry {
                Err(HistoryError::Removed { until }) => {
                    found.removed_until = (self.from <= until).then_some(until);
                    break;
                }
                entry => entry?,
            };
            if entry.time < self.from {
                break;
            }
            if found.entries.len() == limit || looked_at == looked_at_max {
                found.below = Some(last);
                break;
            }
            (last, looked_at) = (entry.number, looked_at + 1);
            if self.wants(&entry) {
                found.entries.push(entry);
            }
        }
        Ok((found, looked_at))
    }

    fn wants(&self, entry: &AuditEntry) -> bool {
        let act = facts::act(&entry.event);
        let is_about = |object: &Object| {
            facts::objects(&entry.event).contains(&object.id)
                || entry.event.images().any(|image| object.balances.contains(&image.balance))
                || facts::reloaded(&entry.event).is_some_and(|balance| object.balances.contains(&balance))
        };
        (self.acts.is_empty() || self.acts.iter().any(|wanted| wanted == act))
            && self.actor.as_ref().is_none_or(|who| who.is(entry.actor))
            && self.object.as_ref().is_none_or(is_about)
            && self
                .request_id
                .as_ref()
                .is_none_or(|id| entry.origin.as_ref().is_some_and(|origin| origin.request_id == *id))
    }
}
