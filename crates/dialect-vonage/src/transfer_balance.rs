//! `POST /accounts/{api_key}/balance-transfers`: money between primary and subaccount.

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::{App, Body, BodyError};
use ledger::Act;

use crate::body::Answer;
use crate::caller::Primary;
use crate::error::VonageError;
use crate::transfer::{Asked, Direction, Log, Transfer};

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    body: Result<Body, BodyError>,
) -> Result<Answer<Transfer>, VonageError> {
    primary.may(Operation::Transfer)?;
    let asked = Asked::read(&body?)?;
    let direction = Direction::find(&app, &primary, &asked).await?;
    let (from, to) = match direction {
        Direction::Down { to } => (primary.account, to),
        Direction::Up { from } => (from, primary.account),
    };
    let reference = asked.reference();
    let act = Act::Transfer { from, to, currency: None, amount: asked.amount, reference };
    let receipt = primary.submit(&app, act, direction.about(&asked)).await?;
    Transfer::new(Log::Balance, &primary, app.engine.seals(), asked, &receipt).map(Answer)
}
