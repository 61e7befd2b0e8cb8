//! `PUT /accounts/{account}/credit-limit`

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

/// Set a credit limit
///
/// How far below zero the balance may go. What the limit rose by is in `amount`.
#[utoipa::path(
    put, path = "/accounts/{account}/credit-limit", tag = "credit", operation_id = "set_credit_limit",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = CreditLimit,
    responses((status = 201, description = "The limit is set", body = Entry)),
    extensions(("x-operation" = json!(["SetCredit"])), ("x-problems" = json!([
        "credit-below-given", "account-not-found", "funding-shared", "account-closed", "amount-out-of-range",
        "currency-unknown", "scope-exceeded",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Entry>, Problem> {
    caller.may(Operation::SetCredit)?;
    let asked: CreditLimit = input.read()?;
    if asked.credit_limit.nanos().is_negative() {
        return Err(Problem::field("credit_limit", "must not be negative"));
    }
    let account = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "set credit", account, &asked);
    let act = Act::SetCredit {
        account,
        currency: asked.currency.map(|currency| currency.0),
        credit: asked.credit_limit.nanos(),
        reference: text(asked.reference.as_ref()),
    };
    posted::post(&app, &caller.0, act, key).await
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"credit_limit": "200"}))]
pub(crate) struct CreditLimit {
    /// The whole limit, what was received and given included.
    credit_limit: Amount,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// What your own books call it.
    reference: Option<Reference>,
}
