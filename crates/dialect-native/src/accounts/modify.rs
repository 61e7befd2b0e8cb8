//! `PATCH /accounts/{account}`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::{App, present};
use ledger::Act;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{Account, change, show};
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::values::{Name, text};

/// Rename, suspend or reactivate, split or merge an account
///
/// All of it or nothing. `shared: false` splits: the account gets a balance of its own, at zero.
/// `shared: true` merges it back: its money, credit and holds become its payer's.
#[utoipa::path(
    patch, path = "/accounts/{account}", tag = "accounts", operation_id = "modify_account",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = ModifyAccount,
    responses((status = 200, description = "The account after it", body = Account)),
    extensions(("x-operation" = json!(["ModifyAccount"])), ("x-problems" = json!([
        "account-not-found", "account-frozen", "account-closed", "not-a-child", "merge-below-zero",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Account>, Problem> {
    caller.may(Operation::ModifyAccount)?;
    let asked: ModifyAccount = input.read()?;
    let index = account(&app, &caller.0, &name)?;
    if asked.is_empty() {
        return Ok(Answer::ok(show(&app, &caller.0, index).await?));
    }
    let key = once.key(&app, &caller.0, "modify account", index, &asked);
    let act = Act::ModifyAccount {
        account: index,
        name: asked.name.as_ref().map(|name| text(name.as_ref())),
        suspended: asked.suspended,
        shared: asked.shared,
    };
    change(&app, &caller.0, index, act, key).await
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Acme AG", "suspended": false}))]
pub(crate) struct ModifyAccount {
    /// `null` takes the name away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Name>)]
    name: Option<Option<Name>>,
    /// By the parent or the seller; lifted by either.
    suspended: Option<bool>,
    /// Whether it spends its parent's balance.
    shared: Option<bool>,
}

impl ModifyAccount {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.suspended.is_none() && self.shared.is_none()
    }
}
