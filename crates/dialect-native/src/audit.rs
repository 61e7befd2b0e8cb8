//! The audit log: `GET /organizations/{organization}/audit`, as a page, as lines or as CSV.

mod actor;
mod change;
mod facts;
mod touched;
mod walk;

use std::sync::Arc;

use access::Operation;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialect::{App, Page, PageBounds, PagingError};
use engine::{AuditEntry, Id};
use ledger::OrganizationIndex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use self::actor::{AuditActor, Known};
use self::walk::{Found, Wanted};
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
const LINES: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// Read the audit log
///
/// Every administrative act: who, from where, what, before and after, and the id of the request; newest
/// first. Charges and holds are usage and not in it. With `Accept: application/x-ndjson` or `text/csv` it is
/// a line for each entry, and the next cursor is in the header `Next-Cursor`. A page may be short though more
/// follows. Whoever is limited to chosen accounts sees what touches those, and what they did themselves.
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
    let wanted = Wanted::read(&app, filter).await?;
    let below = match &page.after {
        None => None,
        Some(cursor) => match ids::of_cursor(app.engine.seals(), cursor)? {
            Id::AuditEntry { organization: of, entry } if of == organization => Some(entry),
            _ => return Err(PagingError::Cursor.into()),
        },
    };
    let head = look(&app, &caller.0, move |ledger, _, _| Ok(ledger.audit_head(organization))).await?;
    let found = walk::gather(&app, &caller.0, wanted, head, below, page.limit).await?;
    let Found { entries, end } = found;
    let (entries, known) = look(&app, &caller.0, move |ledger, _, sight| {
        let known = Known::of(ledger, sight, &entries);
        Ok((entries, known))
    })
    .await?;
    let seals = app.engine.seals();
    let data: Vec<AuditLine> =
        entries.iter().map(|entry| AuditLine::of(seals, organization, &known, entry)).collect();
    let below = |entry| ids::cursor(seals, Id::AuditEntry { organization, entry });
    let (next_cursor, removed_until) = (end.below().map(below), end.removed_until());
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
        let (before, after) = change::before_and_after(seals, known, &entry.event, &entry.before);
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
