//! `POST /accounts`: a root account, or a child of one, and the only sight of its secret; by the operator for
//! a seller, `POST /organizations/{organization}/accounts`.

use std::sync::Arc;

use access::{NotOpened, Operation};
use axum::extract::State;
use dialect::{App, Arrival};
use domain::Nanos;
use ledger::{Funding, Ledger, NewAccount};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{Account, View};
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::look::{find_in_field, look_at};
use crate::once::Once;
use crate::operator::act_in;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::values::{Amount, Currency, Name, text};

/// Open an account
///
/// Without `parent` a root account is opened, by the seller; with it a child. The secret is shown here
/// and never again: a repeat under the same key answers without it.
#[utoipa::path(
    post, path = "/accounts", tag = "accounts", operation_id = "open_account",
    request_body = OpenAccount,
    responses((status = 201, description = "It is open", body = OpenedAccount)),
    extensions(("x-operation" = json!(["OpenAccount", "OpenSubaccount"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "currency-unknown", "currency-mismatch",
        "may-not-open-children", "too-deep", "too-many-accounts", "funding-shared", "scope-exceeded",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    once: Once,
    input: Input,
) -> Result<Answer<OpenedAccount>, Problem> {
    caller.may(Operation::OpenSubaccount).or_else(|_| caller.may(Operation::OpenAccount))?;
    let asked: OpenAccount = input.read()?;
    let is_root = asked.parent.is_none();
    caller.may(if is_root { Operation::OpenAccount } else { Operation::OpenSubaccount })?;
    open(&app, &caller, &once, &asked).await
}

/// Open an account for a seller
///
/// As `POST /accounts` does for the caller's own organization. The operator opens accounts for every seller.
#[utoipa::path(
    post, path = "/organizations/{organization}/accounts", tag = "accounts", operation_id = "open_account_for",
    params(("organization" = String, Path, description = "The organization's name")),
    request_body = OpenAccount,
    responses((status = 201, description = "It is open", body = OpenedAccount)),
    extensions(("x-operation" = json!(["OpenAccount"])), ("x-problems" = json!([
        "account-not-found", "organization-not-found", "account-closed", "currency-unknown",
        "currency-mismatch", "may-not-open-children", "too-deep", "too-many-accounts", "funding-shared",
        "scope-exceeded",
    ]))),
)]
pub(crate) async fn for_seller(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<OpenedAccount>, Problem> {
    let seller = Signed(act_in(&app, &caller.0, Operation::OpenAccount, &name)?);
    let asked: OpenAccount = input.read()?;
    open(&app, &seller, &once, &asked).await
}

async fn open(
    app: &App,
    caller: &Signed,
    once: &Once,
    asked: &OpenAccount,
) -> Result<Answer<OpenedAccount>, Problem> {
    if asked.credit_limit.is_some_and(|limit| limit.nanos().is_positive()) {
        caller.may(Operation::SetCredit)?;
    }
    let new = new_account(app, caller, asked).await?;
    let key = once.key(app, &caller.0, "open account", (new.organization, new.parent), asked);
    let origin = Arrival::current().into();
    let opened = access::open_account(&app.engine, caller.0.actor(), new, key, origin).await;
    let opened = opened.map_err(|failed| not_opened(app, failed))?;
    let index = opened.account;
    let view = look_at(app, &caller.0, index, move |ledger, _| View::of(ledger, index)).await?;
    let secret = opened.secret.map(|secret| secret.expose().to_owned());
    let answer = OpenedAccount { account: view.print(app.engine.seals()), secret };
    Ok(Answer::created(answer).replayed(opened.receipt.repeated))
}

fn not_opened(app: &App, failed: NotOpened) -> Problem {
    match failed {
        NotOpened::Unavailable(unavailable) => unavailable.into(),
        NotOpened::Rejected(rejection) => Problem::rejected(&rejection, app.engine.seals()),
        NotOpened::Refused(refusal) => refusal.into(),
    }
}

async fn new_account(app: &App, caller: &Signed, asked: &OpenAccount) -> Result<NewAccount, Problem> {
    let organization = caller.0.organization();
    if asked.credit_limit.is_some_and(|limit| limit.nanos().is_negative()) {
        return Err(Problem::field("credit_limit", "must not be negative"));
    }
    let parent = match &asked.parent {
        Some(parent) => Some(find_in_field(app, &caller.0, "parent", parent).await?),
        None => None,
    };
    let currency = match (asked.currency, parent) {
        (Some(currency), _) => currency.0,
        (None, Some(parent)) => {
            look_at(app, &caller.0, parent, move |ledger, _| ledger.account(parent).currency).await?
        }
        (None, None) => home_currency(app, organization).await?,
    };
    Ok(NewAccount {
        organization,
        parent,
        currency,
        funding: if asked.shared { Funding::Shared } else { Funding::Own },
        managed: true,
        may_open_children: asked.may_open_children.unwrap_or(parent.is_none()),
        allows_overruns: asked.allows_overruns,
        name: text(asked.name.as_ref()),
        credit: asked.credit_limit.map_or(Nanos::ZERO, Amount::nanos),
        credential: None,
    })
}

async fn home_currency(
    app: &App,
    organization: ledger::OrganizationIndex,
) -> Result<domain::Currency, Problem> {
    let home = move |ledger: &Ledger, _| ledger.organization(organization).currency;
    Ok(app.engine.read(home).await?)
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Acme GmbH", "currency": "EUR", "credit_limit": "100"}))]
pub(crate) struct OpenAccount {
    name: Option<Name>,
    /// The home currency; the parent's, or the organization's, when absent.
    currency: Option<Currency>,
    /// Any handle of the account that is to be its parent.
    parent: Option<String>,
    /// Spend the parent's balance instead of an own one.
    #[serde(default)]
    shared: bool,
    /// How far below zero the balance may go; only the seller may say.
    credit_limit: Option<Amount>,
    /// Whether its own credentials may open children. Roots may, children may not, unless said.
    may_open_children: Option<bool>,
    /// Admit metered charges while anything is available.
    #[serde(default)]
    allows_overruns: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OpenedAccount {
    #[serde(flatten)]
    account: Account,
    /// Signs in together with the api key. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}
