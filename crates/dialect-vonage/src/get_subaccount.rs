//! `GET /accounts/{api_key}/subaccounts/{subaccount_key}`

use std::sync::Arc;

use access::Operation;
use axum::extract::{Path, State};
use dialect::App;

use crate::body::{Answer, Subaccount};
use crate::caller::Primary;
use crate::error::VonageError;

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    Path((_, key)): Path<(String, String)>,
) -> Result<Answer<Subaccount>, VonageError> {
    primary.may(Operation::ReadAccounts)?;
    let view = primary.subaccount(&app, &key).await?;
    Ok(Answer(Subaccount::new(app.engine.seals(), &primary, view)))
}
