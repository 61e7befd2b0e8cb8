//! `POST /accounts/{account}/close` and `…/reopen`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use ledger::Act;

use super::view::{Account, change};
use crate::answer::Answer;
use crate::input::Named;
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};

/// Close an account
///
/// Refused while holds or open children are left on it. Its money stays where it is.
#[utoipa::path(
    post, path = "/accounts/{account}/close", tag = "accounts", operation_id = "close_account",
    params(("account" = String, Path, description = "Any handle of the account")),
    responses((status = 200, description = "The account after it", body = Account)),
    extensions(("x-operation" = json!(["CloseAccount"])), ("x-problems" = json!([
        "account-not-found", "account-in-use",
    ]))),
)]
pub(crate) async fn close(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
) -> Result<Answer<Account>, Problem> {
    caller.may(Operation::CloseAccount)?;
    set(&app, &caller, &name, true, &once).await
}

/// Reopen an account
#[utoipa::path(
    post, path = "/accounts/{account}/reopen", tag = "accounts", operation_id = "reopen_account",
    params(("account" = String, Path, description = "Any handle of the account")),
    responses((status = 200, description = "The account after it", body = Account)),
    extensions(("x-operation" = json!(["CloseAccount"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn reopen(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
) -> Result<Answer<Account>, Problem> {
    caller.may(Operation::CloseAccount)?;
    set(&app, &caller, &name, false, &once).await
}

async fn set(
    app: &App,
    caller: &Signed,
    name: &str,
    closed: bool,
    once: &Once,
) -> Result<Answer<Account>, Problem> {
    let index = account(app, &caller.0, name)?;
    let key = once.key(app, &caller.0, "close account", (index, closed), &());
    change(app, &caller.0, index, Act::SetClosed { account: index, closed }, key).await
}
