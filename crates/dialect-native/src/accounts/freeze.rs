//! `POST /accounts/{account}/freeze` and `…/unfreeze`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use ledger::Act;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{Account, change};
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::values::{Name, text};

/// Freeze an account
///
/// By the seller, and only the seller unfreezes it. Its descendants are frozen with it.
#[utoipa::path(
    post, path = "/accounts/{account}/freeze", tag = "accounts", operation_id = "freeze_account",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = Freeze,
    responses((status = 200, description = "The account after it", body = Account)),
    extensions(("x-operation" = json!(["FreezeAccount"])), ("x-problems" = json!([
        "account-not-found", "account-closed",
    ]))),
)]
pub(crate) async fn freeze(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Account>, Problem> {
    caller.may(Operation::FreezeAccount)?;
    set(&app, &caller, &name, true, &once, &input).await
}

/// Unfreeze an account
#[utoipa::path(
    post, path = "/accounts/{account}/unfreeze", tag = "accounts", operation_id = "unfreeze_account",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = Freeze,
    responses((status = 200, description = "The account after it", body = Account)),
    extensions(("x-operation" = json!(["FreezeAccount"])), ("x-problems" = json!([
        "account-not-found", "account-closed",
    ]))),
)]
pub(crate) async fn unfreeze(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Account>, Problem> {
    caller.may(Operation::FreezeAccount)?;
    set(&app, &caller, &name, false, &once, &input).await
}

async fn set(
    app: &App,
    caller: &Signed,
    name: &str,
    frozen: bool,
    once: &Once,
    input: &Input,
) -> Result<Answer<Account>, Problem> {
    let asked: Freeze = input.read_or_default()?;
    let index = account(app, &caller.0, name)?;
    let key = once.key(app, &caller.0, "freeze account", (index, frozen), &asked);
    let act = Act::SetFrozen { account: index, frozen, reason: text(asked.reason.as_ref()) };
    change(app, &caller.0, index, act, key).await
}

#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "chargeback 4711"}))]
pub(crate) struct Freeze {
    /// For the record.
    reason: Option<Name>,
}
