//! `GET /usage`

use std::sync::Arc;

use access::Operation;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use dialect::{App, Fraction, print_instant};
use http_body_util::channel::Channel;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use utoipa::{IntoParams, ToSchema};

use super::making::Making;
use super::row::{Line, Row};
use super::scope::Scope;
use crate::input::query;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::values::Time;

/// Reports at a time: they read, and charging needs the disk, too.
static RUNNING: Semaphore = Semaphore::const_new(2);
const COUNTED_SINCE: HeaderName = HeaderName::from_static("refusals-counted-since");
/// Pieces that wait for a slow reader.
const PIECES: usize = 4;

/// Report usage
///
/// Calls, quantities and cost of what was charged, summed from the ledger itself, and exact. The seller sees its organization, an account itself and those below it. Days are those of the organization's time zone. A refund counts on its own day, with product and credential of its charge.
///
/// Refusals stand beside it: counted in the memory of the server since `refusals_counted_since` (in a table the header `Refusals-Counted-Since`), lost when it ends, and in no way part of the ledger.
///
/// The answer leaves while it is made: one that breaks off is not whole. What an operator had removed cannot be reported (410).
#[utoipa::path(
    get, path = "/usage", tag = "usage", operation_id = "report_usage",
    params(Asked),
    responses((status = 200, description = "The report, lines in order of day, account, currency, product and credential", content((Report = "application/json"), (String = "text/csv")))),
    extensions(("x-operation" = json!(["ReadEntries"])), ("x-problems" = json!(["account-not-found", "history-removed", "overloaded"]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    caller.may(Operation::ReadEntries)?;
    let asked = query(asked)?;
    let by = By::read(asked.by.as_deref())?;
    let named = asked.account.as_deref().map(|name| account(&app, &caller.0, name)).transpose()?;
    let scope = Scope::find(&app, &caller.0, named).await?;
    let span = scope.span(&asked)?;
    let permit = RUNNING.try_acquire();
    let permit =
        permit.map_err(|_| Problem::new(Kind::Overloaded).with_detail("too many reports at once"))?;
    let format = asked.format.unwrap_or_default();
    let since = print_instant(app.engine.refusals()?.counted().since, Fraction::Micros)
        .map_err(|_| Problem::bug("a time cannot be printed"))?;
    let (pieces, body) = Channel::new(PIECES);
    let (begun, begins) = oneshot::channel();
    let making = Making::new(app, caller.0, by, span, format, pieces, begun)?;
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || {
        making.run(&handle, scope);
        drop(permit);
    });
    // What fails before anything was written is told as a problem.
    begins.await.map_err(|_| Problem::bug("a report ended before it began"))??;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (COUNTED_SINCE, HeaderValue::try_from(since).map_err(|_| Problem::bug("a time cannot be printed"))?),
    ];
    Ok((headers, Body::new(body)).into_response())
}

/// A report.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageReport)]
pub(crate) struct Report {
    data: Vec<Row>,
    /// Those before are not, or not all, in `refused`.
    refusals_counted_since: Time,
    /// So many found no room to be counted where they belong.
    refusals_uncounted: u64,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// The first day; that of this month when absent.
    #[param(value_type = Option<String>, format = "date", example = "2025-03-01")]
    pub(super) from: Option<String>,
    /// The last day, included; today when absent. 400 days at most.
    #[param(value_type = Option<String>, format = "date", example = "2025-03-31")]
    pub(super) to: Option<String>,
    /// This account and those below it, by any handle.
    account: Option<String>,
    /// What is told apart: any of `day`, `account`, `product`, `credential`, separated by commas; `day,account` when absent. Currencies always are.
    #[param(example = "day,product")]
    by: Option<String>,
    /// `json` when absent.
    format: Option<Format>,
}

impl Asked {
    pub(super) fn day(name: &str, text: Option<&String>) -> Result<Option<Date>, Problem> {
        let read = |text: &String| {
            text.parse().map_err(|_| Problem::parameter(name, "expected a day such as 2025-03-01"))
        };
        text.map(read).transpose()
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Json,
    Csv,
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// What is told apart.
#[derive(Clone, Copy, Default)]
pub(super) struct By {
    pub(super) day: bool,
    account: bool,
    product: bool,
    credential: bool,
}

impl By {
    fn read(text: Option<&str>) -> Result<Self, Problem> {
        let mut by = Self::default();
        for name in text.unwrap_or("day,account").split(',') {
            match name.trim() {
                "day" => by.day = true,
                "account" => by.account = true,
                "product" => by.product = true,
                "credential" => by.credential = true,
                _ => return Err(Problem::parameter("by", "expected day, account, product or credential")),
            }
        }
        Ok(by)
    }

    /// What is left of a line that has everything.
    pub(super) fn of(self, line: Line) -> Line {
        Line {
            day: line.day.filter(|_| self.day),
            account: line.account.filter(|_| self.account),
            currency: line.currency,
            product: line.product.filter(|_| self.product),
            credential: line.credential.filter(|_| self.credential),
        }
    }
}
