//! `POST /accounts/{account}/allocations`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use ledger::{Act, AllocationWay};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::posted::{self, Entry};
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::values::{Amount, Currency, Reference, text};

/// Allocate credit to a child, or take it back
///
/// Part of the parent's credit limit becomes the child's, or returns. Only credit that nothing rests on
/// can move.
#[utoipa::path(
    post, path = "/accounts/{account}/allocations", tag = "credit", operation_id = "allocate_credit",
    params(("account" = String, Path, description = "Any handle of the child")),
    request_body = Allocation,
    responses((status = 201, description = "The credit has moved", body = Entry)),
    extensions(("x-operation" = json!(["Allocate"])), ("x-problems" = json!([
        "scope-exceeded", "insufficient-credit", "account-not-found", "not-a-child", "funding-shared", "account-suspended",
        "account-frozen", "account-closed", "amount-not-positive", "currency-unknown",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Entry>, Problem> {
    caller.may(Operation::Allocate)?;
    let asked: Allocation = input.read()?;
    let child = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "allocate", child, &asked);
    let act = Act::Allocate {
        child,
        currency: asked.currency.map(|currency| currency.0),
        way: asked.way.into(),
        amount: asked.amount.nanos(),
        reference: text(asked.reference.as_ref()),
    };
    posted::post(&app, &caller.0, act, key).await
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "60", "way": "give"}))]
pub(crate) struct Allocation {
    amount: Amount,
    #[serde(default)]
    way: Way,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// What your own books call it.
    reference: Option<Reference>,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// From the parent to the child.
    #[default]
    Give,
    /// From the child back to its parent.
    Return,
}

impl From<Way> for AllocationWay {
    fn from(way: Way) -> Self {
        match way {
            Way::Give => Self::Give,
            Way::Return => Self::Return,
        }
    }
}
