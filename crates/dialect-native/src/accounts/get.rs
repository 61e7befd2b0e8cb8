//! `GET /accounts/{account}`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;

use super::view::{Account, show};
use crate::answer::Answer;
use crate::input::Named;
use crate::problem::Problem;
use crate::signed::{Signed, account};

/// Get an account
#[utoipa::path(
    get, path = "/accounts/{account}", tag = "accounts", operation_id = "get_account",
    params(("account" = String, Path, description = "Any handle of the account")),
    responses((status = 200, description = "The account", body = Account)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Answer<Account>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let index = account(&app, &caller.0, &name)?;
    Ok(Answer::ok(show(&app, &caller.0, index).await?))
}
