//! `POST /charges/{charge}/refunds`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use ledger::{Act, ChargeId, Charged, Event, Ledger};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::posted::{self, Entry};
use crate::answer::Answer;
use crate::entries::find::find;
use crate::input::{Input, Named};
use crate::look::look;
use crate::once::Once;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::values::{Amount, Reference, text};

/// Refund a charge
///
/// All that is left of it, or a part. It goes to the balance that paid; captures of holds are charges too.
#[utoipa::path(
    post, path = "/charges/{charge}/refunds", tag = "money", operation_id = "refund",
    params(("charge" = String, Path, description = "The id of the charge, or of its entry on the payer's balance")),
    request_body = Refund,
    responses((status = 201, description = "It is given back", body = Entry)),
    extensions(("x-operation" = json!(["Refund"])), ("x-problems" = json!([
        "charge-not-found", "history-removed", "refund-above-charge", "account-closed", "amount-not-positive", "scope-exceeded",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Entry>, Problem> {
    caller.may(Operation::Refund)?;
    let asked: Refund = input.read_or_default()?;
    let entry = find(&app, &caller.0, &name, Kind::ChargeNotFound).await.map_err(name_a_way)?;
    let charged = match &entry.record.event {
        Event::Charged(charged) | Event::HoldCaptured { charged, .. } => charged,
        _ => return Err(Problem::new(Kind::ChargeNotFound)),
    };
    let charge = charge_id(charged);
    let amount = match asked.amount {
        Some(amount) => amount.nanos(),
        None => left(&app, &caller, charge, charged).await?,
    };
    let key = once.key(&app, &caller.0, "refund", charge, &asked);
    let act = Act::Refund {
        charge,
        payer: charged.payer.balance,
        payer_entry: charged.payer.entry,
        charged: charged.amount,
        amount,
        reference: text(asked.reference.as_ref()),
    };
    posted::post(&app, &caller.0, act, key).await
}

/// How much was charged, and to whom, is in the charge alone.
fn name_a_way(problem: Problem) -> Problem {
    match problem.kind() {
        Kind::HistoryRemoved => problem.with_parameter("charge").with_detail(
            "the charge is so old that it was removed: give its amount back as a usage credit or an adjustment",
        ),
        _ => problem,
    }
}

/// By the balance of whoever used it.
fn charge_id(charged: &Charged) -> ChargeId {
    let image = charged.user.as_ref().unwrap_or(&charged.payer);
    ChargeId { balance: image.balance, entry: image.entry }
}

/// What was not refunded yet; all of it when nothing is left, so that the rules say what is wrong.
async fn left(
    app: &App,
    caller: &Signed,
    charge: ChargeId,
    charged: &Charged,
) -> Result<domain::Nanos, Problem> {
    let refunded = look(app, &caller.0, move |ledger: &Ledger, _, _| Ok(ledger.refunded(charge))).await?;
    let left = charged.amount.checked_sub(refunded).filter(|left| left.is_positive());
    Ok(left.unwrap_or(charged.amount))
}

#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "0.0004"}))]
pub(crate) struct Refund {
    /// All that is left of the charge when absent.
    amount: Option<Amount>,
    /// What your own books call it.
    reference: Option<Reference>,
}
