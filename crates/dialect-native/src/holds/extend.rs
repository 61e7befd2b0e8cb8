//! `POST /holds/{hold}/extend`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use engine::Id;
use ledger::{Act, Event};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::get::named;
use super::view::Until;
use crate::answer::Answer;
use crate::ids;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::submit::submit;
use crate::values::Time;

/// Extend a hold
///
/// The new expiry counts from now, and may be earlier than the old one.
#[utoipa::path(
    post, path = "/holds/{hold}/extend", tag = "holds", operation_id = "extend_hold",
    params(("hold" = String, Path, description = "The id of the hold")),
    request_body = ExtendHold,
    responses((status = 200, description = "It expires later", body = HoldExtended)),
    extensions(("x-operation" = json!(["Hold"])), ("x-problems" = json!([
        "hold-not-found", "hold-too-long", "hold-expiry-past", "account-suspended", "account-frozen",
        "account-closed",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<HoldExtended>, Problem> {
    caller.may(Operation::Hold)?;
    let asked: ExtendHold = input.read_or_default()?;
    let hold = named(&app, &name);
    let key = once.key(&app, &caller.0, "extend hold", hold, &asked);
    let until = Until { expires_in: asked.expires_in, expires_at: asked.expires_at };
    let act = Act::ExtendHold { hold, expires_at: until.resolve(&app).await? };
    let receipt = submit(&app, &caller.0, act, key).await.map_err(|problem| until.name_field(problem))?;
    let Event::HoldExtended { hold, expires_at, .. } = receipt.event else {
        return Err(Problem::bug("extending a hold was answered by another event"));
    };
    let id = ids::print(app.engine.seals(), Id::Hold(hold));
    Ok(Answer::ok(HoldExtended { id, expires_at: expires_at.into() }).replayed(receipt.repeated))
}

#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expires_in": 3600}))]
pub(crate) struct ExtendHold {
    /// Seconds from now; 3,600 when neither is given.
    expires_in: Option<u32>,
    expires_at: Option<Time>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HoldExtended {
    id: String,
    expires_at: Time,
}
