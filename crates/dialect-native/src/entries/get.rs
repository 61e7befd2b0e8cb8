//! `GET /entries/{entry}`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;

use super::find::find;
use super::print::{Line, print};
use crate::answer::Answer;
use crate::input::Named;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;

/// Get an entry
///
/// A charge, a refund, a transfer or anything else that happened to a balance, by its id.
#[utoipa::path(
    get, path = "/entries/{entry}", tag = "entries", operation_id = "get_entry",
    params(("entry" = String, Path, description = "The id of the entry")),
    responses((status = 200, description = "The entry", body = Line)),
    extensions(("x-operation" = json!(["ReadEntries"])), ("x-problems" = json!(["not-found", "history-removed"]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Answer<Line>, Problem> {
    caller.may(Operation::ReadEntries)?;
    let entry = find(&app, &caller.0, &name, Kind::NotFound).await?;
    let mut lines = print(&app, std::slice::from_ref(&entry)).await?;
    lines.pop().map(Answer::ok).ok_or_else(|| Problem::bug("an entry was not printed"))
}
