//! The secrets of an account: `POST` and `GET /accounts/{account}/secrets`, `DELETE …/{secret}`.

use std::sync::Arc;

use access::{NO_EXPIRY, Operation, Role, Secret as NewSecret, secret_digest};
use axum::extract::State;
use axum::http::StatusCode;
use dialect::App;
use engine::{Id, Seals};
use ledger::{Act, CredentialIndex, Event, Holder, Verifier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tokens::named;
use crate::accounts::view::string;
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Input, Named, NamedWithin};
use crate::look::{look, look_at};
use crate::once::Once;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::submit::submit;
use crate::values::{Name, Time, text};

/// Live secrets of one account. Other dialects allow fewer.
const SECRETS_MAX: u32 = 16;

/// Add a secret to an account
///
/// For rotation: add the new one, deploy it, revoke the old one. Shown here and never again.
#[utoipa::path(
    post, path = "/accounts/{account}/secrets", tag = "people", operation_id = "add_secret",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = AddSecret,
    responses((status = 201, description = "It counts", body = Secret)),
    extensions(("x-operation" = json!(["ManageSecrets"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "too-many-credentials",
    ]))),
)]
pub(crate) async fn add(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Secret>, Problem> {
    caller.may(Operation::ManageSecrets)?;
    let asked: AddSecret = input.read_or_default()?;
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "add secret", index, &asked);
    let seals = app.engine.seals();
    let secret = NewSecret::new_secret(app.engine.entropy());
    let digest = secret_digest(seals, secret.expose());
    let act = Act::IssueCredential {
        holder: Holder::Account(index),
        role: Role::Account.code(),
        verifier: Verifier::Digest(digest),
        label: text(asked.label.as_ref()),
        expires_at: NO_EXPIRY,
        live_max: Some(SECRETS_MAX),
    };
    let receipt = submit(&app, &caller.0, act, key).await?;
    let Event::CredentialIssued { index, credential } = &receipt.event else {
        return Err(Problem::bug("a secret was answered by another event"));
    };
    let mut added = Secret::of(seals, *index, credential);
    added.secret = (!receipt.repeated).then(|| secret.expose().to_owned());
    Ok(Answer::created(added).replayed(receipt.repeated))
}

/// List the secrets of an account
///
/// Those that count, newest first, without the secrets themselves.
#[utoipa::path(
    get, path = "/accounts/{account}/secrets", tag = "people", operation_id = "list_secrets",
    params(("account" = String, Path, description = "Any handle of the account")),
    responses((status = 200, description = "All of them", body = List<Secret>)),
    extensions(("x-operation" = json!(["ManageSecrets"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn list(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Answer<List<Secret>>, Problem> {
    caller.may(Operation::ManageSecrets)?;
    let index = account(&app, &caller.0, &name)?;
    let live = look_at(&app, &caller.0, index, move |ledger, now| {
        let live = ledger.credentials_of(index, now).take(SECRETS_MAX as usize);
        live.map(|(index, credential)| (index, credential.clone())).collect::<Vec<_>>()
    });
    let seals = app.engine.seals();
    let data = live.await?.iter().map(|(index, credential)| Secret::of(seals, *index, credential)).collect();
    Ok(Answer::ok(List { data, next_cursor: None }))
}

/// Revoke a secret of an account
///
/// The last one stays.
#[utoipa::path(
    delete, path = "/accounts/{account}/secrets/{secret}", tag = "people", operation_id = "revoke_secret",
    params(
        ("account" = String, Path, description = "Any handle of the account"),
        ("secret" = String, Path, description = "The id of the secret, not the secret itself"),
    ),
    responses((status = 204, description = "It no longer counts")),
    extensions(("x-operation" = json!(["ManageSecrets"])), ("x-problems" = json!([
        "account-not-found", "credential-not-found", "last-credential",
    ]))),
)]
pub(crate) async fn revoke(
    caller: Signed,
    State(app): State<Arc<App>>,
    NamedWithin(name, secret): NamedWithin,
) -> Result<StatusCode, Problem> {
    caller.may(Operation::ManageSecrets)?;
    let index = account(&app, &caller.0, &name)?;
    let credential = named(&app, &secret)?;
    look(&app, &caller.0, move |ledger, _, sight| {
        if !sight.reaches(ledger, index) {
            return Err(Kind::AccountNotFound);
        }
        let is_its = ledger.credential(credential).holder == Holder::Account(index);
        if is_its { Ok(()) } else { Err(Kind::CredentialNotFound) }
    })
    .await?;
    submit(&app, &caller.0, Act::RevokeCredential { credential, live_min: 1 }, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Secret {
    fn of(seals: &Seals, index: CredentialIndex, credential: &ledger::Credential) -> Self {
        Self {
            id: ids::print(seals, Id::Credential(index)),
            secret: None,
            label: string(&credential.label),
            issued_at: credential.issued_at.into(),
        }
    }
}

#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "rotation of March"}))]
pub(crate) struct AddSecret {
    /// What it is for.
    label: Option<Name>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Secret {
    id: String,
    /// The secret itself, where it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    issued_at: Time,
}
