//! `GET /accounts/{api_key}/credit-transfers`

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
    let credit_transfers = list(&app, &primary, Log::Credit, filter).await?;
    let links = Links::to(Log::Credit.path(&primary));
    Ok(Answer(List { links, embedded: Embedded { credit_transfers } }))
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
    credit_transfers: Vec<Entry>,
}
