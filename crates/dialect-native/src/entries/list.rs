//! `GET /accounts/{account}/entries`

use std::sync::Arc;

use access::Operation;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use dialect::{App, Page, PageBounds};
use domain::Timestamp;
use engine::{Entry, Head, History, HistoryError, Id};
use ledger::EntryKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::kind;
use super::print::{Line, print};
use crate::answer::Answer;
use crate::backwards::{Bounds, Walked, walk};
use crate::ids;
use crate::input::{Named, query};
use crate::look::look_at;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::values::{Currency, Time};

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };
/// Entries looked at for one page: a filter that fits few of them gives a short page and a cursor.
const LOOKED_AT_MAX: usize = 20_000;

/// List the entries of a balance
///
/// Newest first. What an operator had removed is not in it: the last page says up to when. Shared children's and payees' charges are in the payer's entries and in their own.
#[utoipa::path(
    get, path = "/accounts/{account}/entries", tag = "entries", operation_id = "list_entries",
    params(("account" = String, Path, description = "Any handle of the account"), Filter),
    responses((status = 200, description = "A page of entries", body = EntryPage)),
    extensions(("x-operation" = json!(["ReadEntries"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Answer<EntryPage>, Problem> {
    caller.may(Operation::ReadEntries)?;
    let filter = query(filter)?;
    let page = Page::read(filter.limit.as_deref(), filter.cursor.as_deref(), BOUNDS)?;
    let mut wanted = Wanted::read(&filter)?;
    let index = account(&app, &caller.0, &name)?;
    let currency = filter.currency.map(|currency| currency.0);
    let head = look_at(&app, &caller.0, index, move |ledger, _| {
        let currency = currency.unwrap_or_else(|| ledger.account(index).currency);
        ledger.balance_of(index, currency).map(|balance| Head::of(balance, ledger.balance(balance)))
    });
    let Some(head) = head.await? else { return Ok(Answer::ok(EntryPage::default())) };
    if let Some(cursor) = &page.after {
        wanted.before = Some(ids::entry_of_cursor(app.engine.seals(), cursor, head.balance)?);
    }
    let history = app.engine.history().clone();
    // Walking reads the journal: never on a thread that serves requests.
    let walk = tokio::task::spawn_blocking(move || wanted.walk(&history, &head, page.limit));
    let walked = walk.await.map_err(|_| Problem::bug("reading history panicked"))??;
    let below = |entry| ids::cursor(app.engine.seals(), Id::Entry { balance: head.balance, entry });
    Ok(Answer::ok(EntryPage {
        data: print(&app, &walked.found).await?,
        next_cursor: walked.end.below().map(below),
        removed_until: walked.end.removed_until(),
    }))
}

/// A page of entries.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct EntryPage {
    data: Vec<Line>,
    /// Pass it as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// There was more, up to this instant, and it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_until: Option<Time>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Not before this instant.
    from: Option<Time>,
    /// Before this instant.
    to: Option<Time>,
    /// Only these kinds, with commas between them.
    kinds: Option<String>,
    /// `true` for money and credit that came, went or was set, without usage and holds.
    movements: Option<bool>,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// At most so many, 1 to 1,000; 50 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

struct Wanted {
    from: Timestamp,
    /// Exclusive.
    to: Option<Timestamp>,
    kinds: Vec<EntryKind>,
    movements: bool,
    /// Entries below this number.
    before: Option<u64>,
}

impl Wanted {
    fn read(filter: &Filter) -> Result<Self, Problem> {
        let kinds = filter.kinds.iter().flat_map(|kinds| kinds.split(','));
        let from = filter.from.map_or(Timestamp::from_micros(i64::MIN), Time::timestamp);
        let to = filter.to.map(Time::timestamp);
        if to.is_some_and(|to| to < from) {
            return Err(Problem::parameter("to", "is before from"));
        }
        Ok(Self {
            from,
            to,
            kinds: kinds.map(kind::parse).collect::<Result<_, _>>()?,
            movements: filter.movements.unwrap_or(false),
            before: None,
        })
    }

    fn wants(&self, entry: &Entry) -> bool {
        let kind = || EntryKind::of(&entry.record.event, entry.image().balance);
        let is_early = self.to.is_none_or(|to| entry.time() < to);
        is_early && (self.kinds.is_empty() || kind().is_some_and(|kind| self.kinds.contains(&kind)))
    }

    fn walk(&self, history: &History, head: &Head, limit: usize) -> Result<Walked<Entry>, HistoryError> {
        let entries = match (self.movements, self.before, self.to) {
            (true, Some(before), _) => history.movements_before(head, before)?,
            (true, None, _) => history.movements(head),
            (false, Some(1), _) => return Ok(Walked::nothing()),
            (false, Some(before), _) => history.entries(head, Some(before - 1))?,
            (false, None, Some(to)) => {
                history.entries_until(head, Timestamp::from_micros(to.as_micros().saturating_sub(1)))?
            }
            (false, None, None) => history.entries(head, None)?,
        };
        let bounds = Bounds { from: self.from, found_max: limit, looked_at_max: LOOKED_AT_MAX };
        walk(entries, &bounds, |entry| self.wants(entry))
    }
}
