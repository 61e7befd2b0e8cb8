//! `POST /accounts/{account}/usage-credits`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use ledger::Act;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::posted::{self, Entry};
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::values::{Amount, Currency, Reference, text};

/// Give usage credit
///
/// Lowers what was used, without naming a charge.
#[utoipa::path(
    post, path = "/accounts/{account}/usage-credits", tag = "money", operation_id = "give_usage_credit",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = UsageCredit,
    responses((status = 201, description = "It is posted", body = Entry)),
    extensions(("x-operation" = json!(["GiveUsageCredit"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "amount-not-positive", "amount-out-of-range", "currency-unknown", "scope-exceeded",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Entry>, Problem> {
    caller.may(Operation::GiveUsageCredit)?;
    let asked: UsageCredit = input.read()?;
    let account = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "give usage credit", account, &asked);
    let act = Act::GiveUsageCredit {
        account,
        currency: asked.currency.map(|currency| currency.0),
        amount: asked.amount.nanos(),
        reference: text(asked.reference.as_ref()),
    };
    posted::post(&app, &caller.0, act, key).await
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "3", "reference": "outage of 3 March"}))]
pub(crate) struct UsageCredit {
    amount: Amount,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// What your own books call it.
    reference: Option<Reference>,
}
