//! `POST /transfers`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use ledger::Act;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::posted::{self, Entry};
use crate::answer::Answer;
use crate::input::Input;
use crate::look::find_in_field;
use crate::once::Once;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::values::{Amount, Currency, Reference, text};

/// Transfer money inside a family
///
/// The answer shows the balance that the money left.
#[utoipa::path(
    post, path = "/transfers", tag = "money", operation_id = "transfer",
    request_body = Transfer,
    responses((status = 201, description = "The money has moved", body = Entry)),
    extensions(("x-operation" = json!(["Transfer"])), ("x-problems" = json!([
        "scope-exceeded", "insufficient-funds", "account-not-found", "not-one-family", "same-account", "funding-shared",
        "account-suspended", "account-frozen", "account-closed", "amount-not-positive", "currency-unknown",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    once: Once,
    input: Input,
) -> Result<Answer<Entry>, Problem> {
    caller.may(Operation::Transfer)?;
    let asked: Transfer = input.read()?;
    let from = find_in_field(&app, &caller.0, "from", &asked.from).await?;
    // The rules know who may receive; the first account is seen, so whoever is not found is the second.
    let not_found = |problem: Problem| match problem.kind() {
        Kind::AccountNotFound | Kind::AmbiguousHandle => problem.with_field("to"),
        _ => problem,
    };
    let to = account(&app, &caller.0, &asked.to).map_err(not_found)?;
    let key = once.key(&app, &caller.0, "transfer", (from, to), &asked.without_accounts());
    let act = Act::Transfer {
        from,
        to,
        currency: asked.currency.map(|currency| currency.0),
        amount: asked.amount.nanos(),
        reference: text(asked.reference.as_ref()),
    };
    posted::post(&app, &caller.0, act, key).await.map_err(not_found)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "$ACCOUNT", "to": "$CHILD", "amount": "10"}))]
pub(crate) struct Transfer {
    /// Any handle of the account it leaves.
    from: String,
    /// Any handle of the account it reaches.
    to: String,
    amount: Amount,
    /// The home currency of the first when absent.
    currency: Option<Currency>,
    /// What your own books call it.
    reference: Option<Reference>,
}

impl Transfer {
    /// Which accounts are meant counts under a key, not by which of their handles.
    fn without_accounts(&self) -> impl Serialize {
        (self.amount, self.currency, self.reference.as_ref().map(|reference| reference.as_str().to_owned()))
    }
}
