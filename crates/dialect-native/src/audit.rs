//! The audit log: `GET /organizations/{organization}/audit`, as a page, as lines or as CSV.

mod actor;
mod facts;

use std::sync::Arc;

use access::Operation;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialect::{App, Page, PageBounds, PagingError};
use domain::Timestamp;
use engine::{AuditEntry, HistoryError, Id};
use ledger::{AuditHead, BalanceIndex, Ledger, OrganizationIndex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use self::actor::{AuditActor, Known, Who};
use crate::answer::json;
use crate::csv;
use crate::ids;
use crate::input::{Named, query};
use crate::look::look;
use crate::operator::administer;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::values::Time;

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };
/// Entries looked at for one page: a rare one may take several pages to be found.
const LOOKED_AT_MAX: usize = 10_000;
const LINES: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// Read the audit log
///
/// Every administrative act: who, from where, what, before and after, and the id of the request; newest
/// first. Charges and holds are usage and not in it. With `Accept: application/x-ndjson` or `text/csv` it is
/// a line for each entry, and the next cursor is in the header `Next-Cursor`. A page may be short though more
/// follows.
#[utoipa::path(
    get, path = "/organizations/{organization}/audit", tag = "audit", operation_id = "read_audit_log",
    params(("organization" = String, Path, description = "The organization's name"), Filter),
    responses((status = 200, description = "A page of the log", body = AuditPage)),
    extensions(("x-operation" = json!(["ReadAudit"])), ("x-problems" = json!(["organization-not-found"]))),
)]
pub(crate) async fn read(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    headers: HeaderMap,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, Problem> {
    let (organization, _) = administer(&app, &caller.0, Operation::ReadAudit, &name)?;
    let filter = query(filter)?;
    let page = Page::read(filter.limit.as_deref(), filter.cursor.as_deref(), BOUNDS)?;
    let mut wanted = Wanted::read(&app, filter).await?;
    if let Some(cursor) = &page.after {
        wanted.below = match ids::of_cursor(app.engine.seals(), cursor)? {
            Id::AuditEntry { organization: of, entry } if of == organization => Some(entry),
            _ => return Err(PagingError::Cursor.into()),
        };
    }
    let head = look(&app, &caller.0, move |ledger, _, _| Ok(ledger.audit_head(organization))).await?;
    let history = app.engine.history().clone();
    let limit = page.limit;
    // Walking reads the journal: never on a thread that serves requests.
    let walk = tokio::task::spawn_blocking(move || wanted.walk(&history, &head, limit));
    let walked = walk.await.map_err(|_| Problem::bug("reading the log panicked"))??;
    let Walked { entries, below, removed_until } = walked;
    let (entries, known) = app
        .engine
        .read(move |ledger: &Ledger, _| {
            let known = Known::of(ledger, &entries);
            (entries, known)
        })
        .await?;
    let seals = app.engine.seals();
    let data: Vec<AuditLine> =
        entries.iter().map(|entry| AuditLine::of(seals, organization, &known, entry)).collect();
    let next_cursor = below.map(|entry| ids::cursor(seals, Id::AuditEntry { organization, entry }));
    let removed_until = removed_until.map(Time::from);
    print(&headers, &AuditPage { data, next_cursor, removed_until })
}

fn print(headers: &HeaderMap, page: &AuditPage) -> Result<Response, Problem> {
    let bug = || Problem::bug("a log cannot be printed");
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (media_type, body) = if accepted.starts_with(LINES) {
        let lines = page.data.iter().map(|line| serde_json::to_string(line).map(|line| line + "\n"));
        (LINES, lines.collect::<Result<String, _>>().map_err(|_| bug())?)
    } else if accepted.starts_with(CSV) {
        (CSV, as_csv(&page.data))
    } else {
        return Ok(json(StatusCode::OK, serde_json::to_vec(page).map_err(|_| bug())?));
    };
    let mut response = ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], body).into_response();
    if let Some(cursor) = page.next_cursor.as_ref().and_then(|cursor| HeaderValue::from_str(cursor).ok()) {
        response.headers_mut().insert("next-cursor", cursor);
    }
    Ok(response)
}

fn as_csv(lines: &[AuditLine]) -> String {
    let mut text = String::from("time,id,actor,who,address,request_id,act,object,before,after\r\n");
    for line in lines {
        let json = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
        let time = serde_json::to_value(line.time).ok();
        let time = time.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let fields = [
            time,
            line.id.clone(),
            line.actor.kind.to_owned(),
            who(&line.actor),
            line.address.clone().unwrap_or_default(),
            line.request_id.clone().unwrap_or_default(),
            line.act.to_owned(),
            line.object.clone().unwrap_or_default(),
            json(&line.before),
            json(&line.after),
        ];
        let fields: Vec<String> = fields.iter().map(|field| csv::quoted(field)).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

fn who(actor: &AuditActor) -> String {
    let names = [&actor.email, &actor.credential, &actor.membership];
    names.into_iter().flatten().next().cloned().unwrap_or_default()
}

struct Wanted {
    from: Timestamp,
    /// Exclusive.
    to: Option<Timestamp>,
    acts: Vec<String>,
    actor: Option<Who>,
    /// An account as well by the balances it ever had.
    object: Option<Object>,
    request_id: Option<String>,
    /// Entries below this number.
    below: Option<u64>,
}

struct Object {
    id: Id,
    balances: Vec<BalanceIndex>,
}

struct Walked {
    entries: Vec<AuditEntry>,
    below: Option<u64>,
    removed_until: Option<Timestamp>,
}

impl Wanted {
    async fn read(app: &App, filter: Filter) -> Result<Self, Problem> {
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
        Ok(Self { from, to, acts, actor, object, request_id: filter.request_id, below: None })
    }

    fn walk(&self, history: &engine::History, head: &AuditHead, limit: usize) -> Result<Walked, Problem> {
        let mut walked = Walked { entries: Vec::new(), below: None, removed_until: None };
        let from = match self.below {
            Some(0 | 1) => return Ok(walked),
            below => below.map(|below| below - 1),
        };
        let until = self.to.map(|to| Timestamp::from_micros(to.as_micros().saturating_sub(1)));
        let mut last = head.entries + 1;
        for (looked_at, entry) in history.audit(head, from, until)?.enumerate() {
            let entry = match entry {
                Err(HistoryError::Removed { until }) => {
                    walked.removed_until = (self.from <= until).then_some(until);
                    return Ok(walked);
                }
                entry => entry?,
            };
            if entry.time < self.from {
                return Ok(walked);
            }
            if walked.entries.len() == limit || looked_at == LOOKED_AT_MAX {
                walked.below = Some(last);
                return Ok(walked);
            }
            last = entry.number;
            if self.wants(&entry) {
                walked.entries.push(entry);
            }
        }
        Ok(walked)
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

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Not before this instant.
    from: Option<Time>,
    /// Before this instant.
    to: Option<Time>,
    /// Only these acts, with commas between them.
    acts: Option<String>,
    /// Only what this user, membership, token or secret did, by its id.
    actor: Option<String>,
    /// Only what was done about this account, user, membership, invitation, token or secret, by its id.
    object: Option<String>,
    /// Only what this request did.
    request_id: Option<String>,
    /// At most so many, 1 to 1,000; 50 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditPage {
    data: Vec<AuditLine>,
    /// Pass it as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// There was more, up to this instant, and it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_until: Option<Time>,
}

/// One act.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditLine {
    id: String,
    time: Time,
    actor: AuditActor,
    /// From where; absent where it is not known, and once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// What was done.
    act: &'static str,
    /// What it was done to, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

impl AuditLine {
    fn of(seals: &engine::Seals, organization: OrganizationIndex, known: &Known, entry: &AuditEntry) -> Self {
        let (before, after) = facts::before_and_after(seals, known, &entry.event, &entry.before);
        Self {
            id: ids::print(seals, Id::AuditEntry { organization, entry: entry.number }),
            time: entry.time.into(),
            actor: known.actor(seals, entry.actor),
            address: entry.origin.as_ref().and_then(|it| it.address).map(|address| address.to_string()),
            request_id: entry.origin.as_ref().map(|it| it.request_id.clone()),
            act: facts::act(&entry.event),
            object: known.object(&entry.event).map(|id| ids::print(seals, id)),
            before,
            after,
        }
    }
}
