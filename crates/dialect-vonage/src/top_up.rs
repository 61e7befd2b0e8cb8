//! `POST /account/top-up`: one reload by the account's rule, started by the reference that it was set with.
//!
//! A provider that approves at once has the money on the balance when this is answered. One that is a
//! person has been asked, once, and nothing was paid yet: the answer is the vendor's for that.

use std::sync::Arc;

use access::{Operation, reload_digest};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use dialect::{App, Arrival, Body, BodyError};
use engine::{Outcome, Request};
use ledger::{Act, Command, Event, Rejection};
use serde::Serialize;

use crate::account_api::signed_in;
use crate::body::Answer;
use crate::error::VonageError;
use crate::parameters::Parameters;
use crate::view::key_of;

pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    body: Result<Body, BodyError>,
) -> Response {
    match top_up(&app, &headers, &uri, body).await {
        Ok(reloaded) => reloaded.into_response(),
        Err(error) => error.with_codes(),
    }
}

async fn top_up(
    app: &App,
    headers: &HeaderMap,
    uri: &Uri,
    body: Result<Body, BodyError>,
) -> Result<Reloaded, VonageError> {
    let parameters = Parameters::of_request(uri, body)?;
    let (caller, account) = signed_in(app, headers, &parameters, Operation::StartReload).await?;
    let Some(reference) = parameters.get("trx").filter(|reference| !reference.is_empty()) else {
        return Ok(Reloaded::NoReference);
    };
    let digest = reload_digest(app.engine.seals(), account, reference);
    let act = Act::StartReload { account, currency: None, digest };
    let request = Request { command: Command { actor: caller.actor(), act }, key: None };
    match app.engine.submit_from(request, Some(Arrival::current().into())).await? {
        Outcome::Done(receipt) => match receipt.event {
            Event::ToppedUp(_) => Ok(Reloaded::Done),
            Event::ReloadRequested { .. } => Ok(Reloaded::NotPaid),
            _ => Err(VonageError::internal("a reload was answered by another event")),
        },
        Outcome::Rejected(Rejection::ReloadOff) => Ok(Reloaded::Off),
        Outcome::Rejected(Rejection::ReloadUnderWay) => Ok(Reloaded::NotPaid),
        Outcome::Rejected(rejection) => {
            let seals = app.engine.seals();
            Err(VonageError::rejected(seals, &rejection, &key_of(seals, account)))
        }
        Outcome::Refused(refusal) => Err(VonageError::refused(refusal)),
        Outcome::Repeated(_) => Err(VonageError::internal("a request without a key was called repeated")),
    }
}

/// What the vendor has words for.
enum Reloaded {
    Done,
    /// No rule that is on, or not its reference: which, is not told.
    Off,
    NotPaid,
    NoReference,
}

impl IntoResponse for Reloaded {
    fn into_response(self) -> Response {
        let (status, code, label) = match self {
            Self::Done => (StatusCode::OK, "200", "success"),
            Self::Off => (StatusCode::UNAUTHORIZED, "401", "not auto-reload enabled"),
            Self::NotPaid => (StatusCode::UNAUTHORIZED, "420", "topup failed"),
            Self::NoReference => (StatusCode::BAD_REQUEST, "400", "trx is missing"),
        };
        (status, Answer(Codes { code, label })).into_response()
    }
}

#[derive(Serialize)]
struct Codes {
    #[serde(rename = "error-code")]
    code: &'static str,
    #[serde(rename = "error-code-label")]
    label: &'static str,
}
