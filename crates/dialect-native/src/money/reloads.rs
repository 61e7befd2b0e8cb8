//! Reloads: `POST /accounts/{account}/reloads` and `…/settle`, and `GET /reloads`.

use std::sync::Arc;

use access::{Operation, reload_digest};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use dialect::{App, Page, PageBounds, PagingError};
use engine::{Id, Seals};
use ledger::{AccountIndex, Act, BalanceIndex, Event, Ledger};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::posted::Entry;
use super::reload::ProviderName;
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Input, Named, query};
use crate::look::{Sight, look};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::submit::submit;
use crate::values::{Amount, Currency, Time, Words};

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };
/// Reloads looked at in one turn of the book, and turns for one page.
const SLICE: usize = 1000;
const SLICES_MAX: usize = 100;

/// List reloads
///
/// Those that wait for the seller's word, of all accounts that the caller sees. A page may be short though
/// more follows: go on while there is a `next_cursor`.
#[utoipa::path(
    get, path = "/reloads", tag = "money", operation_id = "list_reloads",
    params(Filter),
    responses((status = 200, description = "A page of reloads", body = List<WaitingReload>)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!([]))),
)]
pub(crate) async fn list(
    caller: Signed,
    State(app): State<Arc<App>>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Answer<List<WaitingReload>>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let filter = query(filter)?;
    if filter.status.is_some_and(|status| status != "requested") {
        return Err(Problem::parameter("status", "expected requested"));
    }
    let page = Page::read(filter.limit.as_deref(), filter.cursor.as_deref(), BOUNDS)?;
    let seals = app.engine.seals();
    let mut from = match page.after.as_ref().map(|cursor| ids::of_cursor(seals, cursor)).transpose()? {
        None => BalanceIndex::new(0),
        Some(Id::Entry { balance, entry: 0 }) => BalanceIndex::new(balance.slot() + 1),
        Some(_) => return Err(PagingError::Cursor.into()),
    };
    let mut data: Vec<WaitingReload> = Vec::new();
    for _ in 0..SLICES_MAX {
        let room = page.limit - data.len();
        let slice = look(&app, &caller.0, move |ledger, _, sight| Ok(Slice::of(ledger, sight, from, room)));
        let slice = slice.await?;
        data.extend(slice.waiting.into_iter().map(|waiting| waiting.print(seals)));
        let Some(last) = slice.last else { return Ok(Answer::ok(List { data, next_cursor: None })) };
        from = BalanceIndex::new(last.slot() + 1);
        if data.len() == page.limit {
            break;
        }
    }
    // Behind the last that was looked at: no balance has an entry of that number.
    let last = BalanceIndex::new(from.slot() - 1);
    let next_cursor = Some(ids::cursor(seals, Id::Entry { balance: last, entry: 0 }));
    Ok(Answer::ok(List { data, next_cursor }))
}

struct Slice {
    waiting: Vec<Waiting>,
    /// The last looked at; none when there are no more.
    last: Option<BalanceIndex>,
}

struct Waiting {
    account: AccountIndex,
    currency: domain::Currency,
    provider: ledger::Provider,
    request: ledger::ReloadRequest,
}

impl Slice {
    fn of(ledger: &Ledger, sight: Sight, from: BalanceIndex, room: usize) -> Self {
        let mut slice = Self { waiting: Vec::new(), last: None };
        for (balance, reload) in ledger.waiting_reloads(from).take(SLICE) {
            if slice.waiting.len() == room {
                break;
            }
            slice.last = Some(balance);
            if let Some(request) = reload.requested.filter(|_| sight.reaches(ledger, reload.account)) {
                let (account, provider) = (reload.account, reload.rule.provider);
                let currency = ledger.balance(balance).currency;
                slice.waiting.push(Waiting { account, currency, provider, request });
            }
        }
        slice
    }
}

impl Waiting {
    fn print(self, seals: &Seals) -> WaitingReload {
        WaitingReload {
            account: ids::account(seals, self.account),
            provider: ProviderName::of(self.provider),
            status: ReloadStatus::Requested,
            amount: self.request.amount.into(),
            currency: Currency(self.currency),
            requested_at: self.request.requested_at.into(),
        }
    }
}

/// Start a reload
///
/// By the reference that the rule was set with. A provider that approves at once has posted the money when
/// this is answered (`approved`); of a manual one the seller has been asked (`requested`), and says later
/// whether the money came.
#[utoipa::path(
    post, path = "/accounts/{account}/reloads", tag = "money", operation_id = "start_reload",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = StartReload,
    responses((status = 201, description = "It is started, or done", body = Reload)),
    extensions(("x-operation" = json!(["StartReload"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "reload-off", "reload-under-way", "scope-exceeded",
    ]))),
)]
pub(crate) async fn start(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Reload>, Problem> {
    caller.may(Operation::StartReload)?;
    let asked: StartReload = input.read()?;
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "start reload", index, &asked);
    let digest = reload_digest(app.engine.seals(), index, asked.reference.as_str());
    let currency = asked.currency.map(|currency| currency.0);
    let receipt = submit(&app, &caller.0, Act::StartReload { account: index, currency, digest }, key).await?;
    let (status, entry) = match receipt.event {
        Event::ToppedUp(_) => (ReloadStatus::Approved, Some(Entry::of(app.engine.seals(), &receipt)?)),
        Event::ReloadRequested { .. } => (ReloadStatus::Requested, None),
        _ => return Err(Problem::bug("a reload was answered by another event")),
    };
    Ok(Answer::created(Reload { status, entry }).replayed(receipt.repeated))
}

/// Settle a reload
///
/// The seller's word on the one that is under way: its money came and is posted, or it will not come.
#[utoipa::path(
    post, path = "/accounts/{account}/reloads/settle", tag = "money", operation_id = "settle_reload",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = SettleReload,
    responses((status = 201, description = "It has ended", body = Reload)),
    extensions(("x-operation" = json!(["SetReload"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "no-reload-under-way", "scope-exceeded",
    ]))),
)]
pub(crate) async fn settle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Reload>, Problem> {
    caller.may(Operation::SetReload)?;
    let asked: SettleReload = input.read()?;
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "settle reload", index, &asked);
    let (currency, approved) = (asked.currency.map(|currency| currency.0), asked.approved);
    let act = Act::SettleReload { account: index, currency, approved };
    let receipt = submit(&app, &caller.0, act, key).await?;
    let (status, entry) = match receipt.event {
        Event::ToppedUp(_) => (ReloadStatus::Approved, Some(Entry::of(app.engine.seals(), &receipt)?)),
        Event::ReloadEnded { .. } => (ReloadStatus::Declined, None),
        _ => return Err(Problem::bug("a reload was answered by another event")),
    };
    Ok(Answer::created(Reload { status, entry }).replayed(receipt.repeated))
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reference": "8ef2447e69604f64"}))]
pub(crate) struct StartReload {
    reference: Words<255>,
    /// The home currency when absent.
    currency: Option<Currency>,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"approved": true}))]
pub(crate) struct SettleReload {
    /// The money came.
    approved: bool,
    /// The home currency when absent.
    currency: Option<Currency>,
}

/// What became of a reload.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reload {
    status: ReloadStatus,
    /// The top-up that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Entry>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReloadStatus {
    Approved,
    Declined,
    /// It waits for the seller's word.
    Requested,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// `requested`, which is also what is meant when it is absent.
    status: Option<String>,
    /// At most so many, 1 to 1,000; 50 when absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A reload that waits for the seller's word.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingReload {
    account: String,
    provider: ProviderName,
    status: ReloadStatus,
    amount: Amount,
    currency: Currency,
    requested_at: Time,
}
