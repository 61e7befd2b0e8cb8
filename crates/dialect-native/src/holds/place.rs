//! `POST /accounts/{account}/holds`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::App;
use engine::{Id, Receipt, Seals};
use ledger::{Act, Event};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::{Hold, Until};
use crate::accounts::view::string;
use crate::answer::Answer;
use crate::charges::build::usage_names;
use crate::ids;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::submit::submit;
use crate::values::{Amount, Currency, Reference, Time, Words, text};

/// Place a hold
///
/// Sets an amount aside until it is captured, voided, or expires: after an hour unless said otherwise, 30
/// days at most.
#[utoipa::path(
    post, path = "/accounts/{account}/holds", tag = "holds", operation_id = "place_hold",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = PlaceHold,
    responses((status = 201, description = "It is set aside", body = Hold)),
    extensions(("x-operation" = json!(["Hold"])), ("x-problems" = json!([
        "scope-exceeded", "insufficient-funds", "account-not-found", "account-suspended", "account-frozen", "account-closed",
        "amount-not-positive", "hold-too-long", "hold-expiry-past", "currency-unknown", "too-many-names",
    ]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Hold>, Problem> {
    caller.may(Operation::Hold)?;
    let asked: PlaceHold = input.read()?;
    let account = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "place hold", account, &asked);
    let until = Until { expires_in: asked.expires_in, expires_at: asked.expires_at };
    let product = asked.product.as_ref().map(Words::as_str);
    let used_by = asked.used_by.as_ref().map(Words::as_str);
    let (product, used_by) = usage_names(&app, &caller.0, product, used_by).await?;
    let act = Act::PlaceHold {
        account,
        currency: asked.currency.map(|currency| currency.0),
        amount: asked.amount.nanos(),
        expires_at: until.resolve(&app).await?,
        usage: ledger::Usage {
            product,
            used_by,
            quantity: asked.quantity.map(Amount::nanos),
            reference: text(asked.reference.as_ref()),
        },
    };
    let receipt = submit(&app, &caller.0, act, key).await.map_err(|problem| until.name_field(problem))?;
    let hold = asked.placed(app.engine.seals(), &receipt)?;
    Ok(Answer::created(hold).replayed(receipt.repeated))
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "4.50", "expires_in": 900, "product": "gpu-hours"}))]
pub(crate) struct PlaceHold {
    amount: Amount,
    /// Seconds until it expires; 3,600 when neither is given.
    expires_in: Option<u32>,
    expires_at: Option<Time>,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// What will be used.
    product: Option<Words<255>>,
    /// Who uses it, where the account is not one person.
    used_by: Option<Words<255>>,
    quantity: Option<Amount>,
    /// What your own books call it.
    reference: Option<Reference>,
}

impl PlaceHold {
    fn placed(&self, seals: &Seals, receipt: &Receipt) -> Result<Hold, Problem> {
        let Event::HoldPlaced(placed) = &receipt.event else {
            return Err(Problem::bug("a hold was answered by another event"));
        };
        Ok(Hold {
            id: ids::print(seals, Id::Hold(placed.hold)),
            account: ids::account(seals, placed.account),
            amount: placed.amount.into(),
            captured: domain::Nanos::ZERO.into(),
            available: Some(placed.payer.amounts.available().into()),
            placed_at: placed.placed_at.into(),
            expires_at: placed.expires_at.into(),
            product: self.product.as_ref().map(|product| product.as_str().to_owned()),
            used_by: self.used_by.as_ref().map(|used_by| used_by.as_str().to_owned()),
            quantity: placed.usage.quantity.map(Into::into),
            reference: string(&placed.usage.reference),
        })
    }
}
