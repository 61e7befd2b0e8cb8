//! `POST /holds/{hold}/void`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use engine::Id;
use ledger::{Act, Event};
use serde::Serialize;
use utoipa::ToSchema;

use super::get::named;
use crate::answer::Answer;
use crate::ids;
use crate::input::Named;
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::submit::submit;
use crate::values::{Amount, Time};

/// Void a hold
///
/// What was set aside is free again, and nothing is charged.
#[utoipa::path(
    post, path = "/holds/{hold}/void", tag = "holds", operation_id = "void_hold",
    params(("hold" = String, Path, description = "The id of the hold")),
    responses((status = 200, description = "It is given up", body = HoldVoided)),
    extensions(("x-operation" = json!(["Hold"])), ("x-problems" = json!(["hold-not-found"]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
) -> Result<Answer<HoldVoided>, Problem> {
    caller.may(Operation::Hold)?;
    let hold = named(&app, &name);
    let key = once.key(&app, &caller.0, "void hold", hold, &());
    let receipt = submit(&app, &caller.0, Act::VoidHold { hold }, key).await?;
    let Event::HoldEnded { hold, payer, released, .. } = receipt.event else {
        return Err(Problem::bug("voiding a hold was answered by another event"));
    };
    let voided = HoldVoided {
        id: ids::print(app.engine.seals(), Id::Hold(hold)),
        released: released.into(),
        available: payer.amounts.available().into(),
        time: receipt.time.into(),
    };
    Ok(Answer::ok(voided).replayed(receipt.repeated))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HoldVoided {
    id: String,
    /// What is free again.
    released: Amount,
    /// What the payer has available after it.
    available: Amount,
    time: Time,
}
