//! `POST /accounts/{account}/charges`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use dialect::{AmountText, App};
use domain::Nanos;
use engine::{Outcome, Receipt, Seals};
use ledger::{Charged, Event};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{AdmissionName, Asked, KindName, SingleCharge};
use super::build::Builder;
use crate::accounts::view::string;
use crate::answer::Answer;
use crate::ids;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::values::{Amount, Time};

const COST: HeaderName = HeaderName::from_static("bursar-cost");
const REMAINING: HeaderName = HeaderName::from_static("bursar-remaining");

/// Charge an account
///
/// Decided and durable when it is answered. The headers `Bursar-Cost` and `Bursar-Remaining` say what it
/// cost and what the payer has available after it.
#[utoipa::path(
    post, path = "/accounts/{account}/charges", tag = "charges", operation_id = "charge",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = SingleCharge<'_>,
    responses((status = 201, description = "It is charged", body = ChargeMade, headers(
        ("Bursar-Cost" = String, description = "What it cost"),
        ("Bursar-Remaining" = String, description = "What the payer has available after it"),
    ))),
    extensions(("x-operation" = json!(["Charge", "ForceCharge"])), ("x-problems" = json!([
        "scope-exceeded", "insufficient-funds", "account-not-found", "account-suspended", "account-frozen", "account-closed",
        "amount-not-positive", "amount-negative", "amount-out-of-range", "currency-unknown", "too-many-names",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Response, Problem> {
    caller.may(Operation::Charge)?;
    let charge: SingleCharge<'_> = input.read()?;
    let asked = [Ok(charge.into_asked(&name, once.0.as_deref()))];
    let mut built = Builder::new(&app, caller.0).build(&asked).await?;
    if let Some(Some(problem)) = built.refused.pop() {
        return Err(problem);
    }
    let request = built.requests.pop().ok_or_else(|| Problem::bug("a charge was lost"))?;
    let seals = app.engine.seals();
    let receipt = match app.engine.submit(request).await? {
        Outcome::Done(receipt) => receipt,
        Outcome::Rejected(rejection) => return Err(Problem::rejected(&rejection, seals)),
        Outcome::Refused(refusal) => return Err(refusal.into()),
        Outcome::Repeated(_) => return Err(Problem::bug("a repeated charge was not settled")),
    };
    let [Ok(asked)] = &asked else { return Err(Problem::bug("a charge was lost")) };
    answer(seals, &receipt, asked)
}

fn answer(seals: &Seals, receipt: &Receipt, asked: &Asked<'_>) -> Result<Response, Problem> {
    let Event::Charged(charged) = &receipt.event else {
        return Err(Problem::bug("a charge was answered by another event"));
    };
    let made = ChargeMade::new(seals, receipt, charged, asked);
    let mut response = Answer::created(made).replayed(receipt.repeated).into_response();
    let headers = response.headers_mut();
    headers.insert(COST, decimal(charged.amount)?);
    headers.insert(REMAINING, decimal(charged.payer.amounts.available())?);
    Ok(response)
}

fn decimal(amount: Nanos) -> Result<HeaderValue, Problem> {
    let text = AmountText::new(amount, 0);
    HeaderValue::from_str(text.as_str()).map_err(|_| Problem::bug("a decimal does not fit a header"))
}

impl ChargeMade {
    fn new(seals: &Seals, receipt: &Receipt, charged: &Charged, asked: &Asked<'_>) -> Self {
        Self {
            id: ids::print(seals, ids::of_charge(charged)),
            account: ids::account(seals, charged.account),
            amount: charged.amount.into(),
            available: charged.payer.amounts.available().into(),
            kind: charged.kind.into(),
            admission: charged.admission.into(),
            product: asked.product.as_deref().map(str::to_owned),
            used_by: asked.used_by.as_deref().map(str::to_owned),
            quantity: charged.usage.quantity.map(Into::into),
            reference: string(&charged.usage.reference),
            time: receipt.time.into(),
        }
    }
}

/// A charge that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChargeMade {
    /// Name it to refund it.
    id: String,
    /// Whose usage it is.
    account: String,
    amount: Amount,
    /// What the payer has available after it.
    available: Amount,
    kind: KindName,
    admission: AdmissionName,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    time: Time,
}
