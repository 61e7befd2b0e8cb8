//! `GET /accounts/{api_key}/secrets/{secret_id}`

use std::sync::Arc;

use axum::extract::{Path, State};
use dialect::App;

use crate::body::Answer;
use crate::secrets::{Holder, Secret, SecretsError};

pub(crate) async fn handle(
    holder: Holder,
    State(app): State<Arc<App>>,
    Path((_, id)): Path<(String, String)>,
) -> Result<Answer<Secret>, SecretsError> {
    let (_, secret) = holder.secret(&app, &id).await?;
    Ok(Answer(secret))
}
