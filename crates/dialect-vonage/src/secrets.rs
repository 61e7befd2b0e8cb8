//! What the operations on secrets have in common: whose they are, how one is shown, how a refusal is said.

use std::sync::Arc;

use access::{Caller, Operation};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use dialect::{App, Arrival, Instant};
use domain::Timestamp;
use engine::{Id, Outcome, Receipt, Request, Seals};
use ledger::{AccountIndex, Act, Command, CredentialIndex, Ledger, Rejection};
use serde::Serialize;
use uuid::Uuid;

use crate::body::Links;
use crate::caller::{Side, account_caller, look, path_param, side};
use crate::choices::SUSPENDED_MAY_READ;
use crate::error::VonageError;
use crate::view::{is_suspended, key_of};

/// Live secrets that an account may have here. It may have got more elsewhere: those are shown.
pub(crate) const SECRETS_MAX: u32 = 2;

/// An account whose secrets the caller may manage: its own, or one of its subaccounts'.
pub(crate) struct Holder {
    pub(crate) caller: Caller,
    pub(crate) account: AccountIndex,
    pub(crate) key: String,
}

impl FromRequestParts<Arc<App>> for Holder {
    type Rejection = SecretsError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, SecretsError> {
        let (caller, own) = account_caller(app, &parts.headers).await?;
        caller.may(Operation::ManageSecrets).map_err(VonageError::from)?;
        let path = path_param(parts, app, "api_key").await;
        let account = access::parse_own(&app.engine, &caller, &path)
            .map_err(|_| VonageError::invalid_api_key(&path))?;
        let seen = look(app, &caller, move |ledger: &Ledger, _| {
            let found = side(ledger, own, account)?;
            Some(found == Side::Primary && is_suspended(ledger, own))
        });
        let is_suspended = seen.await?.ok_or_else(|| VonageError::invalid_api_key(&path))?;
        if is_suspended && !SUSPENDED_MAY_READ {
            return Err(VonageError::suspended(&path).into());
        }
        let key = key_of(app.engine.seals(), account);
        Ok(Self { caller, account, key })
    }
}

impl Holder {
    /// The account's live secrets and when they were issued, newest first.
    pub(crate) async fn live(&self, app: &App) -> Result<Vec<(CredentialIndex, Timestamp)>, VonageError> {
        let account = self.account;
        look(app, &self.caller, move |ledger, now| {
            ledger.credentials_of(account, now).map(|(index, it)| (index, it.issued_at)).collect()
        })
        .await
    }

    /// The live secret of this id.
    pub(crate) async fn secret(&self, app: &App, id: &str) -> Result<(CredentialIndex, Secret), VonageError> {
        let sealed = Uuid::try_parse(id).ok().and_then(|id| app.engine.seals().unseal(*id.as_bytes()));
        let Some(Id::Credential(wanted)) = sealed else { return Err(VonageError::unknown_secret(id)) };
        let live = self.live(app).await?;
        let found = live.into_iter().find(|(index, _)| *index == wanted);
        let (index, issued_at) = found.ok_or_else(|| VonageError::unknown_secret(id))?;
        Ok((index, Secret::new(app.engine.seals(), &self.key, index, issued_at)))
    }

    /// Has one act done. `about` is the id of the secret that is meant, if one is.
    pub(crate) async fn submit(&self, app: &App, act: Act, about: &str) -> Result<Receipt, VonageError> {
        let request = Request { command: Command { actor: self.caller.actor(), act }, key: None };
        match app.engine.submit_from(request, Some(Arrival::current().into())).await? {
            Outcome::Done(receipt) => Ok(receipt),
            Outcome::Rejected(Rejection::TooManyCredentials { live_max }) => {
                Err(VonageError::too_many_secrets(live_max))
            }
            Outcome::Rejected(Rejection::LastCredential) => Err(VonageError::last_secret()),
            Outcome::Rejected(Rejection::CredentialNotFound) => Err(VonageError::unknown_secret(about)),
            Outcome::Rejected(rejection) => {
                Err(VonageError::rejected(app.engine.seals(), &rejection, &self.key))
            }
            Outcome::Refused(refusal) => Err(VonageError::refused(refusal)),
            Outcome::Repeated(_) => Err(VonageError::internal("a request without a key was called repeated")),
        }
    }
}

/// A secret as it is shown: never its value.
#[derive(Serialize)]
pub(crate) struct Secret {
    #[serde(rename = "_links")]
    links: Links,
    id: Uuid,
    created_at: Instant<0>,
}

impl Secret {
    pub(crate) fn new(seals: &Seals, key: &str, index: CredentialIndex, issued_at: Timestamp) -> Self {
        let id = Uuid::from_bytes(seals.seal(Id::Credential(index)));
        let links = Links::to(format!("/accounts/{key}/secrets/{id}"));
        Self { links, id, created_at: Instant(issued_at) }
    }
}

/// A refusal as the Secrets API says it: other words for some, and a media type of its own.
pub(crate) struct SecretsError(VonageError);

impl<E: Into<VonageError>> From<E> for SecretsError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for SecretsError {
    fn into_response(self) -> Response {
        self.0.of_secrets()
    }
}
