//! `GET /accounts/{account}/balances`, all currencies, and `…/balance`, one of them; now or at an
//! instant that has passed.

use std::sync::Arc;

use access::Operation;
use axum::extract::{Query, State};
use dialect::App;
use domain::Timestamp;
use engine::{Head, HistoryError, Seals};
use ledger::{AccountIndex, Amounts, BalanceIndex, Calendar, Ledger};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Named, query};
use crate::look::look_at;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::values::{Amount, Currency, Time};

/// List the balances of an account
///
/// One for each currency in which anything ever happened; the home currency is always there.
#[utoipa::path(
    get, path = "/accounts/{account}/balances", tag = "accounts", operation_id = "list_balances",
    params(("account" = String, Path, description = "Any handle of the account"), When),
    responses((status = 200, description = "Every number of every balance", body = List<Balance>)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!(["account-not-found", "history-removed"]))),
)]
pub(crate) async fn list(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    when: Result<Query<When>, axum::extract::rejection::QueryRejection>,
) -> Result<Answer<List<Balance>>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let when = query(when)?;
    let index = account(&app, &caller.0, &name)?;
    let seen = look_at(&app, &caller.0, index, move |ledger, now| Seen::of(ledger, index, now, None)).await?;
    let data = print(&app, seen, when.as_of).await?;
    Ok(Answer::ok(List { data, next_cursor: None }))
}

/// Get one balance of an account
///
/// In its home currency, if none is named.
#[utoipa::path(
    get, path = "/accounts/{account}/balance", tag = "accounts", operation_id = "get_balance",
    params(("account" = String, Path, description = "Any handle of the account"), WhenAndWhich),
    responses((status = 200, description = "Every number of the balance", body = Balance)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!([
        "account-not-found", "currency-unknown", "history-removed",
    ]))),
)]
pub(crate) async fn get(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    which: Result<Query<WhenAndWhich>, axum::extract::rejection::QueryRejection>,
) -> Result<Answer<Balance>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let which = query(which)?;
    let index = account(&app, &caller.0, &name)?;
    let currency = which.currency.map(|currency| currency.0);
    let seen = look_at(&app, &caller.0, index, move |ledger, now| {
        let account = ledger.account(index);
        let currency = currency.unwrap_or(account.currency);
        let is_known = ledger.organization(account.organization).exponent(currency).is_some();
        is_known.then(|| Seen::of(ledger, index, now, Some(currency)))
    });
    let unknown = || Problem::new(Kind::CurrencyUnknown).with_field("currency");
    let mut data = print(&app, seen.await?.ok_or_else(unknown)?, which.as_of).await?;
    data.pop().map(Answer::ok).ok_or_else(|| Problem::bug("a balance was not printed"))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct When {
    /// The balance as it was at this instant, RFC 3339.
    as_of: Option<Time>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhenAndWhich {
    /// The balance as it was at this instant, RFC 3339.
    as_of: Option<Time>,
    /// The home currency when absent.
    currency: Option<Currency>,
}

/// What the state says of an account's balances; printed elsewhere.
struct Seen {
    account: AccountIndex,
    payer: AccountIndex,
    now: Timestamp,
    calendar: Calendar,
    rows: Vec<Row>,
}

struct Row {
    currency: domain::Currency,
    own: Side,
    /// Of the account that pays, where that is another.
    payer: Option<Side>,
}

/// One balance now, and where its past begins. None when nothing ever touched it.
#[derive(Clone, Copy, Default)]
struct Side {
    amounts: Amounts,
    head: Option<Head>,
}

impl Seen {
    fn of(ledger: &Ledger, account: AccountIndex, now: Timestamp, only: Option<domain::Currency>) -> Self {
        let owner = ledger.account(account);
        let payer = ledger.payer(account);
        let mut currencies: Vec<_> = match only {
            Some(currency) => vec![currency],
            None => std::iter::once(owner.currency).collect(),
        };
        if only.is_none() {
            let more = ledger.balances_of(account).map(|balance| ledger.balance(balance).currency);
            currencies.extend(more.filter(|currency| *currency != owner.currency));
        }
        let side = |account, currency| Side::of(ledger, account, currency, now);
        let row = |currency| Row {
            currency,
            own: side(account, currency),
            payer: (payer != account).then(|| side(payer, currency)),
        };
        let calendar = ledger.organization(owner.organization).calendar.clone();
        Self { account, payer, now, calendar, rows: currencies.into_iter().map(row).collect() }
    }
}

impl Side {
    fn of(ledger: &Ledger, account: AccountIndex, currency: domain::Currency, now: Timestamp) -> Self {
        let Some(index) = ledger.balance_of(account, currency) else { return Self::default() };
        let balance = ledger.balance(index);
        // A period rolls when it is next touched; whoever looks sees it rolled already.
        let amounts = if now >= balance.period_end { balance.amounts.rolled() } else { balance.amounts };
        Self { amounts, head: Some(Head::of(index, balance)) }
    }
}

async fn print(app: &App, mut seen: Seen, as_of: Option<Time>) -> Result<Vec<Balance>, Problem> {
    if let Some(as_of) = as_of.map(Time::timestamp) {
        if as_of > seen.now {
            return Err(Problem::parameter("as_of", "is not in the past"));
        }
        let history = app.engine.history().clone();
        // Walking reads the journal: never on a thread that serves requests.
        let walk = tokio::task::spawn_blocking(move || {
            for row in &mut seen.rows {
                row.own.turn_back(&history, &seen.calendar, as_of)?;
                if let Some(payer) = &mut row.payer {
                    payer.turn_back(&history, &seen.calendar, as_of)?;
                }
            }
            Ok::<_, Problem>(seen)
        });
        seen = walk.await.map_err(|_| Problem::bug("reading history panicked"))??;
    }
    let seals = app.engine.seals();
    Ok(seen.rows.iter().map(|row| Balance::new(seals, &seen, row)).collect())
}

impl Side {
    fn turn_back(
        &mut self,
        history: &engine::History,
        calendar: &Calendar,
        as_of: Timestamp,
    ) -> Result<(), Problem> {
        let Some(head) = self.head else { return Ok(()) };
        let entry = match history.as_of(&head, as_of) {
            Err(HistoryError::Removed { until }) if as_of >= until => {
                return self.turn_back_to_anchor(history, head.balance, as_of);
            }
            Err(HistoryError::Removed { until }) => {
                return Err(Problem::removed(until).with_parameter("as_of"));
            }
            entry => entry?,
        };
        let Some(entry) = entry else {
            self.amounts = Amounts::default();
            return Ok(());
        };
        let period = |instant| calendar.period_at(instant).map(|(period, _)| period);
        let amounts = entry.image().amounts;
        self.amounts = if period(entry.time()) == period(as_of) { amounts } else { amounts.rolled() };
        Ok(())
    }
}

impl Side {
    /// Nothing happened to the balance from where history begins to `as_of`.
    fn turn_back_to_anchor(
        &mut self,
        history: &engine::History,
        balance: BalanceIndex,
        as_of: Timestamp,
    ) -> Result<(), Problem> {
        let there = history.anchored(balance)?;
        self.amounts = there.map_or_else(Amounts::default, |there| {
            if as_of >= there.period_end { there.amounts.rolled() } else { there.amounts }
        });
        Ok(())
    }
}

impl Balance {
    fn new(seals: &Seals, seen: &Seen, row: &Row) -> Self {
        let amounts = &row.own.amounts;
        let spendable = row.payer.unwrap_or(row.own).amounts.available();
        Self {
            account: ids::account(seals, seen.account),
            currency: row.currency.to_string(),
            posted: amounts.posted().into(),
            carried: amounts.carried.into(),
            funded: amounts.funded.into(),
            used: amounts.used.into(),
            held: amounts.held.into(),
            granted: amounts.granted.into(),
            received: amounts.received.into(),
            given: amounts.given.into(),
            credit_limit: amounts.credit().into(),
            available: amounts.available().into(),
            transferable: amounts.transferable().into(),
            allocatable: amounts.allocatable().into(),
            billed: amounts.billed.into(),
            usage: amounts.usage.into(),
            usage_by_grants: amounts.usage_by_grants.into(),
            payer: ids::account(seals, seen.payer),
            spendable: spendable.into(),
        }
    }
}

/// `posted = carried + funded − used`, `credit_limit = granted + received − given`,
/// `available = posted − held + credit_limit`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Balance {
    account: String,
    currency: String,
    posted: Amount,
    /// Posted at the start of the open period.
    carried: Amount,
    /// Payments and transfers in, minus those out, in the open period.
    funded: Amount,
    /// Charges paid in cash, minus refunds and usage credits, in the open period.
    used: Amount,
    /// Set aside by open holds.
    held: Amount,
    /// The part of the limit set by the seller.
    granted: Amount,
    /// The part received from the parent.
    received: Amount,
    /// The part given to children.
    given: Amount,
    credit_limit: Amount,
    available: Amount,
    /// What a transfer to another account of the family may take.
    transferable: Amount,
    /// What may be given on, or back, of the credit limit.
    allocatable: Amount,
    /// What closed periods still owe.
    billed: Amount,
    /// The account's own usage in the open period, whoever paid.
    usage: Amount,
    usage_by_grants: Amount,
    /// The account whose balance pays for this one.
    payer: String,
    /// What the payer has available.
    spendable: Amount,
}
