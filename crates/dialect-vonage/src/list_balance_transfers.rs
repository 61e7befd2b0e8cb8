//! `GET /accounts/{api_key}/balance-transfers`

use std::sync::Arc;

use access::Operation;
use axum::extract::{Query, State};
use dialect::App;
use serde::Serialize;

use crate::body::{Answer, Links};
use crate::caller::Primary;
use crate::error::VonageError;
use crate::transfer::{Entry, Log};
use crate::transfer_log::{Filter, list};

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Answer<List>, VonageError> {
    primary.may(Operation::ReadEntries)?;
    let filter = Filter::read(&app, &query)?;
    let balance_transfers = list(&app, &primary, Log::Balance, filter).await?;
    let links = Links::to(Log::Balance.path(&primary));
    Ok(Answer(List { links, embedded: Embedded { balance_transfers } }))
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
    balance_transfers: Vec<Entry>,
}
