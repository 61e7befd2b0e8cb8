//! `GET /holds/{hold}`

use std::sync::Arc;

use access::{Caller, Operation};
use axum::extract::State;
use dialect::App;
use ledger::HoldId;

use super::view::{Hold, View};
use crate::answer::Answer;
use crate::ids;
use crate::input::Named;
use crate::look::look;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;

/// Get an open hold
#[utoipa::path(
    get, path = "/holds/{hold}", tag = "holds", operation_id = "get_hold",
    params(("hold" = String, Path, description = "The id of the hold")),
    responses((status = 200, description = "The hold", body = Hold)),
    extensions(("x-operation" = json!(["ReadEntries"])), ("x-problems" = json!(["hold-not-found"]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Answer<Hold>, Problem> {
    caller.may(Operation::ReadEntries)?;
    let id = named(&app, &name);
    Ok(Answer::ok(find(&app, &caller.0, id).await?.print(app.engine.seals())))
}

/// What is no hold's id is that of one which never is: the book says so, in as many steps as of any other that
/// is not there for the caller.
pub(crate) fn named(app: &App, text: &str) -> HoldId {
    ids::hold(app.engine.seals(), text).unwrap_or(HoldId(u64::MAX))
}

/// An open hold that the caller sees.
pub(crate) async fn find(app: &App, caller: &Caller, id: HoldId) -> Result<View, Problem> {
    look(app, caller, move |ledger, _, sight| {
        let hold = ledger.hold(id).filter(|hold| sight.reaches(ledger, hold.account));
        hold.map(|hold| View::of(ledger, id, hold)).ok_or(Kind::HoldNotFound)
    })
    .await
}
