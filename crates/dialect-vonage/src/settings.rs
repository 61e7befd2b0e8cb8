//! `POST /account/settings`: where an account wants to be told of messages. Without a parameter it reads.

use std::sync::Arc;

use access::{Caller, Operation};
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use dialect::{App, Arrival, Body, BodyError, is_web_address};
use engine::{Outcome, Request};
use ledger::{AccountIndex, Act, Command, Event, Forward, SettingsChange, Text};
use serde::Serialize;

use crate::account_api::signed_in;
use crate::body::Answer;
use crate::caller::look;
use crate::error::VonageError;
use crate::members::Problems;
use crate::parameters::Parameters;
use crate::view::key_of;

pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    body: Result<Body, BodyError>,
) -> Response {
    match settings(&app, &headers, &uri, body).await {
        Ok(settings) => Answer(settings).into_response(),
        Err(error) => error.with_codes(),
    }
}

async fn settings(
    app: &App,
    headers: &HeaderMap,
    uri: &Uri,
    body: Result<Body, BodyError>,
) -> Result<Settings, VonageError> {
    let parameters = Parameters::of_request(uri, body)?;
    let (caller, account) = signed_in(app, headers, &parameters, Operation::ReadAccounts).await?;
    let change = asked(&parameters)?;
    if change == SettingsChange::default() {
        let seen = look(app, &caller, move |ledger, _| ledger.settings_of(account).cloned());
        return Ok(Settings::of(&seen.await?.unwrap_or_default()));
    }
    caller.may(Operation::ChangeSettings)?;
    change_settings(app, &caller, account, change).await
}

async fn change_settings(
    app: &App,
    caller: &Caller,
    account: AccountIndex,
    change: SettingsChange,
) -> Result<Settings, VonageError> {
    let act = Act::SetSettings { account, change: Box::new(change) };
    let request = Request { command: Command { actor: caller.actor(), act }, key: None };
    match app.engine.submit_from(request, Some(Arrival::current().into())).await? {
        Outcome::Done(receipt) => match &receipt.event {
            Event::SettingsChanged { settings, .. } => Ok(Settings::of(settings)),
            _ => Err(VonageError::internal("settings were answered by another event")),
        },
        Outcome::Rejected(rejection) => {
            let seals = app.engine.seals();
            Err(VonageError::rejected(seals, &rejection, &key_of(seals, account)))
        }
        Outcome::Refused(refusal) => Err(VonageError::refused(refusal)),
        Outcome::Repeated(_) => Err(VonageError::internal("a request without a key was called repeated")),
    }
}

/// Parameters that it does not know are ignored.
fn asked(parameters: &Parameters) -> Result<SettingsChange, VonageError> {
    let mut problems = Problems::default();
    let change = SettingsChange {
        inbound_url: url("moCallBackUrl", parameters, &mut problems),
        receipt_url: url("drCallBackUrl", parameters, &mut problems),
        forward: parameters.get("httpForwardMethod").map(|method| {
            forward(method).unwrap_or_else(|| {
                let reason = "Should be GET_QUERY_PARAMS, POST_QUERY_PARAMS or POST_JSON";
                problems.add("httpForwardMethod", reason);
                Forward::Unset
            })
        }),
        throughput: None,
    };
    problems.none_or_refuse()?;
    Ok(change)
}

/// An empty one unsets it.
fn url(name: &'static str, parameters: &Parameters, problems: &mut Problems) -> Option<Text> {
    let url = parameters.get(name)?;
    if url.is_empty() {
        return Some(None);
    }
    if !is_web_address(url) {
        problems.add(name, "Should be an http or https URL of at most 2048 characters");
    }
    Some(Some(url.as_bytes().into()))
}

fn forward(method: &str) -> Option<Forward> {
    match method {
        "GET_QUERY_PARAMS" => Some(Forward::GetQuery),
        "POST_QUERY_PARAMS" => Some(Forward::PostQuery),
        "POST_JSON" => Some(Forward::PostJson),
        _ => None,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    mo_callback_url: String,
    dr_callback_url: String,
    max_outbound_request: u32,
    max_inbound_request: u32,
    max_calls_per_second: u32,
}

impl Settings {
    fn of(settings: &ledger::Settings) -> Self {
        let text =
            |text: &Text| text.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        Self {
            mo_callback_url: text(&settings.inbound_url),
            dr_callback_url: text(&settings.receipt_url),
            max_outbound_request: settings.throughput.outbound,
            max_inbound_request: settings.throughput.inbound,
            max_calls_per_second: settings.throughput.calls,
        }
    }
}
