//! What the operations at `/account/…` have in common: who asks, by whichever of the ways clients know.

use access::{Caller, Operation};
use axum::http::{HeaderMap, header};
use dialect::App;
use ledger::AccountIndex;

use crate::caller::{account_caller, look, own_account};
use crate::choices::SUSPENDED_MAY_READ;
use crate::error::VonageError;
use crate::parameters::Parameters;
use crate::view::{is_suspended, key_of};

/// Basic credentials, or else key and secret among the parameters; and the account may do this.
pub(crate) async fn signed_in(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
    operation: Operation,
) -> Result<(Caller, AccountIndex), VonageError> {
    let (caller, account) = match (parameters.get("api_key"), parameters.get("api_secret")) {
        (Some(key), Some(secret)) if !headers.contains_key(header::AUTHORIZATION) => {
            let caller = app.access.account(key, secret).await?;
            (caller, own_account(app, &caller).await?)
        }
        _ => account_caller(app, headers).await?,
    };
    caller.may(operation)?;
    let suspended = look(app, &caller, move |ledger, _| is_suspended(ledger, account)).await?;
    if suspended && !SUSPENDED_MAY_READ {
        return Err(VonageError::suspended(&key_of(app.engine.seals(), account)));
    }
    Ok((caller, account))
}
