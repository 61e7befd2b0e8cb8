//! `PUT /accounts/{account}/handles/{kind}`

use std::sync::Arc;

use access::{HandleKind, Operation, handle_digest};
use axum::extract::State;
use dialect::App;
use ledger::Act;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{Account, change};
use crate::answer::Answer;
use crate::input::{Input, NamedWithin};
use crate::once::Once;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::values::Name;

/// Give an account a handle
///
/// An e-mail address, a company id or a billing id by which other programs know it; `email:`, `company:`
/// and `billing:` in front of it say which is meant. Upper and lower case are the same.
#[utoipa::path(
    put, path = "/accounts/{account}/handles/{kind}", tag = "accounts", operation_id = "set_handle",
    params(
        ("account" = String, Path, description = "Any handle of the account"),
        ("kind" = String, Path, description = "`email`, `company` or `billing`"),
    ),
    request_body = SetHandle,
    responses((status = 200, description = "The account after it", body = Account)),
    extensions(("x-operation" = json!(["ModifyAccount"])), ("x-problems" = json!([
        "account-not-found", "handle-taken", "not-found",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    NamedWithin(name, kind): NamedWithin,
    once: Once,
    input: Input,
) -> Result<Answer<Account>, Problem> {
    caller.may(Operation::ModifyAccount)?;
    let asked: SetHandle = input.read()?;
    let kind = match kind.as_str() {
        "email" => HandleKind::Email,
        "company" => HandleKind::Company,
        "billing" => HandleKind::Billing,
        _ => return Err(Problem::new(Kind::NotFound).with_detail("a handle is email, company or billing")),
    };
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "set handle", (index, kind), &asked);
    let act = Act::SetHandle {
        account: index,
        kind: kind.code(),
        digest: handle_digest(app.engine.seals(), caller.0.organization(), kind, asked.value.as_str()),
        text: asked.value.text(),
    };
    change(&app, &caller.0, index, act, key).await
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"value": "billing@acme.example"}))]
pub(crate) struct SetHandle {
    value: Name,
}
