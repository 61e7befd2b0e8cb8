//! `GET /account/get-balance` of the Account API: what pays for the caller has.

use std::sync::Arc;

use access::Operation;
use axum::extract::{RawPathParams, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use dialect::{App, NumberAmount};
use ledger::{AccountIndex, Funding, Ledger};
use serde::Serialize;

use crate::account_api::signed_in;
use crate::body::Answer;
use crate::caller::look;
use crate::error::VonageError;
use crate::parameters::Parameters;
use crate::view::Own;

pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    path: RawPathParams,
) -> Response {
    // An old form of the path ends in key and secret.
    let in_path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let parameters = Parameters::of_query(&uri).or(in_path);
    match balance(&app, &headers, &parameters).await {
        Ok(balance) => Answer(balance).into_response(),
        Err(error) => error.with_codes(),
    }
}

async fn balance(app: &App, headers: &HeaderMap, parameters: &Parameters) -> Result<Balance, VonageError> {
    let (caller, account) = signed_in(app, headers, parameters, Operation::ReadAccounts).await?;
    look(app, &caller, move |ledger, _| Balance::of(ledger, account)).await
}

#[derive(Serialize)]
struct Balance {
    value: NumberAmount,
    #[serde(rename = "autoReload")]
    auto_reload: bool,
}

impl Balance {
    /// An account that shares says what its payer has; one that another pays for has numbers of its own.
    fn of(ledger: &Ledger, account: AccountIndex) -> Self {
        let shares = ledger.account(account).funding == Funding::Shared;
        let account = if shares { ledger.payer(account) } else { account };
        let reload = ledger.reload_of(account, ledger.account(account).currency);
        Self {
            value: NumberAmount(Own::of(ledger, account).posted),
            auto_reload: reload.is_some_and(|(_, reload)| reload.is_on()),
        }
    }
}
