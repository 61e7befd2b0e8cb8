//! `GET /account/get-balance` of the Account API: what pays for the caller has.

use std::sync::Arc;

use access::{AccessError, Operation};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use dialect::{App, NumberAmount};
use domain::Nanos;
use ledger::{AccountIndex, Funding, Ledger};
use serde::Serialize;

use crate::body::Answer;
use crate::caller::account_caller;
use crate::choices::SUSPENDED_MAY_READ;
use crate::error::VonageError;
use crate::view::{Own, is_suspended, key_of};

pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    match balance(&app, &headers, &query).await {
        Ok(balance) => Answer(balance).into_response(),
        Err(error) => error.with_codes(),
    }
}

async fn balance(app: &App, headers: &HeaderMap, query: &[(String, String)]) -> Result<Balance, VonageError> {
    let account = caller(app, headers, query).await?;
    let look = move |ledger: &Ledger, _| (is_suspended(ledger, account), value(ledger, account));
    let (suspended, value) = app.engine.read(look).await?;
    if suspended && !SUSPENDED_MAY_READ {
        return Err(VonageError::suspended(&key_of(app.engine.seals(), account)));
    }
    Ok(Balance { value: NumberAmount(value), auto_reload: false })
}

/// Basic credentials, or else key and secret in the query.
async fn caller(
    app: &App,
    headers: &HeaderMap,
    query: &[(String, String)],
) -> Result<AccountIndex, VonageError> {
    let of = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (caller, account) = match (of("api_key"), of("api_secret")) {
        (Some(key), Some(secret)) if !headers.contains_key("authorization") => {
            let caller = app.access.account(key, secret).await?;
            (caller, caller.account().ok_or(AccessError::Unauthenticated)?)
        }
        _ => account_caller(app, headers).await?,
    };
    caller.may(Operation::ReadAccounts)?;
    Ok(account)
}

/// An account that shares says what its payer has; one that another pays for has numbers of its own.
fn value(ledger: &Ledger, account: AccountIndex) -> Nanos {
    let shares = ledger.account(account).funding == Funding::Shared;
    Own::of(ledger, if shares { ledger.payer(account) } else { account }).posted
}

#[derive(Serialize)]
struct Balance {
    value: NumberAmount,
    #[serde(rename = "autoReload")]
    auto_reload: bool,
}
