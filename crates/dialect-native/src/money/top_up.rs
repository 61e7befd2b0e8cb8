//! `POST /accounts/{account}/top-ups`

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

/// Record a payment
#[utoipa::path(
    post, path = "/accounts/{account}/top-ups", tag = "money", operation_id = "top_up",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = TopUp,
    responses((status = 201, description = "It is posted", body = Entry)),
    extensions(("x-operation" = json!(["TopUp"])), ("x-problems" = json!([
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
    caller.may(Operation::TopUp)?;
    let asked: TopUp = input.read()?;
    let account = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "top up", account, &asked);
    let act = Act::TopUp {
        account,
        currency: asked.currency.map(|currency| currency.0),
        amount: asked.amount.nanos(),
        reference: text(asked.reference.as_ref()),
    };
    posted::post(&app, &caller.0, act, key).await
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "50", "reference": "payment 2025-0117"}))]
pub(crate) struct TopUp {
    amount: Amount,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// The payment's name in your own books.
    reference: Option<Reference>,
}
