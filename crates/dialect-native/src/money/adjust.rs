//! `POST /accounts/{account}/adjustments`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use ledger::{Act, Correction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::posted::{self, Entry};
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::values::{Amount, Currency, Reference, text};

/// Adjust a balance
///
/// A correction by the seller: positive raises posted, negative lowers it, past any limit.
#[utoipa::path(
    post, path = "/accounts/{account}/adjustments", tag = "money", operation_id = "adjust",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = Adjustment,
    responses((status = 201, description = "It is posted", body = Entry)),
    extensions(("x-operation" = json!(["Adjust"])), ("x-problems" = json!([
        "account-not-found", "amount-not-positive", "amount-out-of-range", "currency-unknown", "scope-exceeded",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Entry>, Problem> {
    caller.may(Operation::Adjust)?;
    let asked: Adjustment = input.read()?;
    let account = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "adjust", account, &asked);
    let act = Act::Adjust {
        account,
        currency: asked.currency.map(|currency| currency.0),
        amount: asked.amount.nanos(),
        correction: asked.of.into(),
        reference: text(asked.reference.as_ref()),
    };
    posted::post(&app, &caller.0, act, key).await
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "-0.80", "of": "funded", "reference": "rounding of March"}))]
pub(crate) struct Adjustment {
    amount: Amount,
    /// Which of the two it corrects.
    #[serde(default)]
    of: Corrected,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// What your own books call it.
    reference: Option<Reference>,
}

/// The counter that a correction belongs to.
#[derive(Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Corrected {
    #[default]
    Funded,
    Used,
}

impl From<Corrected> for Correction {
    fn from(corrected: Corrected) -> Self {
        match corrected {
            Corrected::Funded => Self::Funded,
            Corrected::Used => Self::Used,
        }
    }
}
