//! `GET /accounts/{api_key}/secrets`: those that count, oldest first, without their values.

use std::sync::Arc;

use axum::extract::State;
use dialect::App;
use serde::Serialize;

use crate::body::{Answer, Links};
use crate::secrets::{Holder, Secret, SecretsError};

pub(crate) async fn handle(
    holder: Holder,
    State(app): State<Arc<App>>,
) -> Result<Answer<List>, SecretsError> {
    let mut live = holder.live(&app).await?;
    live.reverse();
    let seals = app.engine.seals();
    let secrets =
        live.into_iter().map(|(index, issued_at)| Secret::new(seals, &holder.key, index, issued_at));
    Ok(Answer(List {
        links: Links::to(format!("/accounts/{}/secrets", holder.key)),
        embedded: Embedded { secrets: secrets.collect() },
    }))
}

#[derive(Serialize)]
pub(crate) struct List {
    #[serde(rename = "_links")]
    links: Links,
    #[serde(rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Serialize)]
struct Embedded {
    secrets: Vec<Secret>,
}
