//! `POST /accounts/{account}/withdrawals`

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

/// Withdraw money
///
/// Money leaves the books. It takes no more than the account, and its family, have in cash: never credit.
#[utoipa::path(
    post, path = "/accounts/{account}/withdrawals", tag = "money", operation_id = "withdraw",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = Withdraw,
    responses((status = 201, description = "It is posted", body = Entry)),
    extensions(("x-operation" = json!(["Withdraw"])), ("x-problems" = json!([
        "insufficient-funds", "account-not-found", "account-suspended", "account-frozen", "account-closed",
        "funding-shared", "amount-not-positive", "currency-unknown", "scope-exceeded",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Entry>, Problem> {
    caller.may(Operation::Withdraw)?;
    let asked: Withdraw = input.read()?;
    let account = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "withdraw", account, &asked);
    let act = Act::Withdraw {
        account,
        currency: asked.currency.map(|currency| currency.0),
        amount: asked.amount.nanos(),
        reference: text(asked.reference.as_ref()),
    };
    posted::post(&app, &caller.0, act, key).await
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "12.50", "reference": "payout 88"}))]
pub(crate) struct Withdraw {
    amount: Amount,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// What your own books call it.
    reference: Option<Reference>,
}
