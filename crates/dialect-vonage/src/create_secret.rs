//! `POST /accounts/{api_key}/secrets`: another secret of the caller's choice.

use std::sync::Arc;

use access::{NO_EXPIRY, Role, Secret as Chosen, check_chosen_secret};
use axum::extract::State;
use axum::http::StatusCode;
use dialect::{App, Body, BodyError};
use ledger::{Act, Event, Verifier};
use serde::Deserialize;

use crate::body::Answer;
use crate::error::VonageError;
use crate::members::{Member, read_object, text};
use crate::parameters::Parameters;
use crate::secrets::{Holder, SECRETS_MAX, Secret, SecretsError};

pub(crate) async fn handle(
    holder: Holder,
    State(app): State<Arc<App>>,
    body: Result<Body, BodyError>,
) -> Result<(StatusCode, Answer<Secret>), SecretsError> {
    let secret = read(&body?)?;
    if app.access.is_in_use(holder.account, &secret).await? {
        return Err(VonageError::bad_secret("Must differ from the secrets that are active").into());
    }
    let hash = app.access.passwords().hash_for(holder.account, &secret).await?;
    let act = Act::IssueCredential {
        holder: ledger::Holder::Account(holder.account),
        role: Role::Account.code(),
        verifier: Verifier::Password(hash.into()),
        label: None,
        expires_at: NO_EXPIRY,
        live_max: Some(SECRETS_MAX),
        scope: None,
    };
    let receipt = holder.submit(&app, act, "").await?;
    let Event::CredentialIssued { index, credential } = receipt.event else {
        return Err(VonageError::internal("a secret was answered by another event").into());
    };
    let secret = Secret::new(app.engine.seals(), &holder.key, index, credential.issued_at);
    Ok((StatusCode::CREATED, Answer(secret)))
}

/// From JSON, or from a form: an older client sends that.
fn read(body: &Body) -> Result<Chosen, VonageError> {
    let is_form = body.media_type == "application/x-www-form-urlencoded";
    let given = if is_form {
        Parameters::read(&[], &body.bytes).get("secret").map(str::to_owned)
    } else {
        let request: Request<'_> = read_object(&body.bytes)?;
        request.secret.and_then(text)
    };
    match given.filter(|secret| check_chosen_secret(secret).is_ok()) {
        Some(secret) => Ok(Chosen::given(secret)),
        None => Err(VonageError::bad_secret("Does not meet complexity requirements")),
    }
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    secret: Member<'a>,
}
