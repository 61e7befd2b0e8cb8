//! `DELETE /accounts/{api_key}/secrets/{secret_id}`: from the next call on it proves nothing.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use dialect::App;
use ledger::Act;

use crate::secrets::{Holder, SecretsError};

pub(crate) async fn handle(
    holder: Holder,
    State(app): State<Arc<App>>,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, SecretsError> {
    let (credential, _) = holder.secret(&app, &id).await?;
    holder.submit(&app, Act::RevokeCredential { credential, live_min: 1 }, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
