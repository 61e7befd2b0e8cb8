//! `POST /accounts/{api_key}/credit-transfers`: credit given to a subaccount, or returned by it.

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::{App, Body, BodyError};
use ledger::{Act, AllocationWay};

use crate::body::Answer;
use crate::caller::Primary;
use crate::error::VonageError;
use crate::transfer::{Asked, Direction, Log, Transfer};

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    body: Result<Body, BodyError>,
) -> Result<Answer<Transfer>, VonageError> {
    primary.may(Operation::Allocate)?;
    let asked = Asked::read(&body?)?;
    let direction = Direction::find(&app, &primary, &asked).await?;
    let (child, way) = match direction {
        Direction::Down { to } => (to, AllocationWay::Give),
        Direction::Up { from } => (from, AllocationWay::Return),
    };
    let reference = asked.reference();
    let act = Act::Allocate { child, currency: None, way, amount: asked.amount, reference };
    let receipt = primary.submit(&app, act, direction.about(&asked)).await?;
    Transfer::new(Log::Credit, &primary, app.engine.seals(), asked, &receipt).map(Answer)
}
