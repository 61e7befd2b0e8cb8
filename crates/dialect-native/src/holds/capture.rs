//! `POST /holds/{hold}/capture`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use engine::{Id, Receipt, Seals};
use ledger::{Act, Admission, Event, ExcessPolicy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::get::{find, named};
use super::view::Excess;
use crate::answer::Answer;
use crate::charges::asked::AdmissionName;
use crate::ids;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::submit::submit;
use crate::values::{Amount, Reference, Time, text};

/// Capture a hold
///
/// Charges all that is set aside, or the amount given, and releases the rest unless `keep_open` is set.
#[utoipa::path(
    post, path = "/holds/{hold}/capture", tag = "holds", operation_id = "capture_hold",
    params(("hold" = String, Path, description = "The id of the hold")),
    request_body = CaptureHold,
    responses((status = 201, description = "It is charged", body = HoldCaptured)),
    extensions(("x-operation" = json!(["Hold", "ForceCharge"])), ("x-problems" = json!([
        "scope-exceeded", "hold-not-found", "capture-above-hold", "insufficient-funds", "amount-negative",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<HoldCaptured>, Problem> {
    caller.may(Operation::Hold)?;
    let asked: CaptureHold = input.read_or_default()?;
    if matches!(asked.excess, Excess::Forced) {
        caller.may(Operation::ForceCharge)?;
    }
    let hold = named(&app, &name);
    let key = once.key(&app, &caller.0, "capture hold", hold, &asked);
    let amount = match asked.amount {
        Some(amount) => amount.nanos(),
        // A repeat finds its answer though the hold is gone.
        None if key.is_some() => {
            find(&app, &caller.0, hold).await.map_or(domain::Nanos::ZERO, |it| it.amount())
        }
        None => find(&app, &caller.0, hold).await?.amount(),
    };
    let act = Act::CaptureHold {
        hold,
        amount,
        excess: asked.excess.into(),
        keep_open: asked.keep_open,
        quantity: asked.quantity.map(Amount::nanos),
        reference: text(asked.reference.as_ref()),
    };
    let receipt = submit(&app, &caller.0, act, key).await?;
    let captured = HoldCaptured::of(app.engine.seals(), &receipt)?;
    Ok(Answer::created(captured).replayed(receipt.repeated))
}

#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "3.75", "excess": "exact", "keep_open": true}))]
pub(crate) struct CaptureHold {
    /// All that is set aside when absent.
    amount: Option<Amount>,
    /// What may be taken beyond what is set aside.
    #[serde(default)]
    excess: Excess,
    /// Keep what is left set aside, for further captures.
    #[serde(default)]
    keep_open: bool,
    /// Wins over what the hold was placed with.
    quantity: Option<Amount>,
    /// Wins over what the hold was placed with.
    reference: Option<Reference>,
}

impl From<Excess> for ExcessPolicy {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::Exact => Self::Exact,
            Excess::UpToAvailable => Self::UpToAvailable,
            Excess::Strict => Self::Admit(Admission::Strict),
            Excess::Served => Self::Admit(Admission::Served),
            Excess::Forced => Self::Admit(Admission::Forced),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HoldCaptured {
    /// Of the charge: name it to refund it.
    id: String,
    hold: String,
    account: String,
    /// What was charged.
    amount: Amount,
    /// What was set aside and is free again.
    released: Amount,
    /// What stays set aside.
    left: Amount,
    /// What the payer has available after it.
    available: Amount,
    admission: AdmissionName,
    time: Time,
}

impl HoldCaptured {
    fn of(seals: &Seals, receipt: &Receipt) -> Result<Self, Problem> {
        let Event::HoldCaptured { hold, left, released, charged, .. } = &receipt.event else {
            return Err(Problem::bug("a capture was answered by another event"));
        };
        Ok(Self {
            id: ids::print(seals, ids::of_charge(charged)),
            hold: ids::print(seals, Id::Hold(*hold)),
            account: ids::account(seals, charged.account),
            amount: charged.amount.into(),
            released: (*released).into(),
            left: (*left).into(),
            available: charged.payer.amounts.available().into(),
            admission: charged.admission.into(),
            time: receipt.time.into(),
        })
    }
}
