//! The entries that are asked for, read backwards from the newest.

use std::sync::Arc;

use access::Caller;
use dialect::App;
use domain::Timestamp;
use engine::{AuditEntry, History, HistoryError, Id};
use ledger::{AuditHead, BalanceIndex, Ledger};

use super::actor::Who;
use super::{Filter, facts, touched};
use crate::backwards::{Bounds, End, Walked, walk};
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
pub(super) struct Found {
    pub(super) entries: Vec<AuditEntry>,
    pub(super) end: End,
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
    let found_max = if caller.is_limited() { ROUND } else { limit };
    let (mut entries, mut below, mut left) = (Vec::new(), below, LOOKED_AT_MAX);
    loop {
        let bounds = Bounds { from: wanted.from, found_max, looked_at_max: left };
        let (history, wanted) = (app.engine.history().clone(), wanted.clone());
        // Walking reads the journal: never on a thread that serves requests.
        let walk = tokio::task::spawn_blocking(move || wanted.walk(&history, &head, below, &bounds));
        let walked = walk.await.map_err(|_| Problem::bug("reading the log panicked"))??;
        left -= walked.looked_at;
        let mut seen = look(app, caller, move |ledger, _, sight| {
            let mut found = walked.found;
            found.retain(|entry| touched::sees(ledger, sight, entry));
            Ok(found)
        })
        .await?;
        let room = limit - entries.len();
        if seen.len() > room {
            seen.truncate(room);
            let below = seen.last().map_or(0, |entry| entry.number);
            entries.extend(seen);
            return Ok(Found { entries, end: End::More { below } });
        }
        entries.extend(seen);
        match walked.end {
            End::More { below: next } if entries.len() < limit && left > 0 => below = Some(next),
            end => return Ok(Found { entries, end }),
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

    fn walk(
        &self,
        history: &History,
        head: &AuditHead,
        below: Option<u64>,
        bounds: &Bounds,
    ) -> Result<Walked<AuditEntry>, HistoryError> {
        let from = match below {
            Some(0 | 1) => return Ok(Walked::nothing()),
            below => below.map(|below| below - 1),
        };
        let until = self.to.map(|to| Timestamp::from_micros(to.as_micros().saturating_sub(1)));
        walk(history.audit(head, from, until)?, bounds, |entry| self.wants(entry))
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
