//! The secrets of an account: `POST` and `GET /accounts/{account}/secrets`, `DELETE …/{secret}`, and
//! `POST …/reissue` after a leak.

use std::sync::Arc;

use access::{
    NO_EXPIRY, Operation, Permissions, Role, Secret as NewSecret, check_chosen_secret, secret_digest,
};
use axum::extract::State;
use axum::http::StatusCode;
use dialect::App;
use ledger::{AccountIndex, Act, CREDENTIALS_MAX, Event, Holder, Verifier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scope::AskedScope;
use super::secret::{Secret, look_at_secrets};
use super::tokens::named;
use crate::answer::{Answer, List};
use crate::input::{Input, Named, NamedWithin};
use crate::look::{look, look_at};
use crate::once::Once;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::submit::submit;
use crate::values::{Name, Time, text};

/// Add a secret to an account
///
/// For rotation: add the new one, deploy it, revoke the old one. A secret that is made here is shown here and
/// never again. At most 100 live ones, four of them of your own choice; other dialects allow fewer.
#[utoipa::path(
    post, path = "/accounts/{account}/secrets", tag = "people", operation_id = "add_secret",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = AddSecret,
    responses((status = 201, description = "It counts", body = Secret)),
    extensions(("x-operation" = json!(["ManageSecrets"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "too-many-credentials", "out-of-scope", "too-many-sign-ins",
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
    let home = look_at(&app, &caller.0, index, move |ledger, _| ledger.account(index).currency).await?;
    let scope = match &asked.scope {
        Some(scope) => {
            let all = Permissions::of_role(Role::Account);
            Some(scope.scope(&app, &caller.0, all, home).await?)
        }
        None => None,
    };
    let key = once.key(&app, &caller.0, "add secret", index, &asked);
    let (secret, verifier) = match asked.secret {
        Some(chosen) => (None, chosen_verifier(&app, index, chosen).await?),
        None => {
            let (secret, verifier) = made(&app);
            (Some(secret), verifier)
        }
    };
    let act = Act::IssueCredential {
        holder: Holder::Account(index),
        role: Role::Account.code(),
        verifier,
        label: text(asked.label.as_ref()),
        expires_at: asked.expires_at.map_or(NO_EXPIRY, Time::timestamp),
        live_max: Some(CREDENTIALS_MAX),
        scope,
    };
    issued(&app, &caller, act, key, secret).await
}

fn made(app: &App) -> (NewSecret, Verifier) {
    let secret = NewSecret::new_secret(app.engine.entropy());
    let digest = secret_digest(app.engine.seals(), secret.expose());
    (secret, Verifier::Digest(digest))
}

/// Of a secret that came from elsewhere: hashed slowly, and never shown.
async fn chosen_verifier(app: &App, account: AccountIndex, secret: String) -> Result<Verifier, Problem> {
    if let Err(error) = check_chosen_secret(&secret) {
        return Err(Problem::field("secret", error));
    }
    let secret = NewSecret::given(secret);
    if app.access.is_in_use(account, &secret).await? {
        return Err(Problem::field("secret", "is live already"));
    }
    let hash = app.access.passwords().hash_for(account, &secret).await?;
    Ok(Verifier::Password(hash.into()))
}

/// Issues, and shows what is new; nothing of it when this repeats what was done before.
async fn issued(
    app: &App,
    caller: &Signed,
    act: Act,
    key: crate::submit::Intent,
    secret: Option<NewSecret>,
) -> Result<Answer<Secret>, Problem> {
    let receipt = submit(app, &caller.0, act, key).await?;
    let Event::CredentialIssued { index, .. } = receipt.event else {
        return Err(Problem::bug("a secret was answered by another event"));
    };
    let shown = app.engine.read(move |ledger, now| Secret::seen(ledger, now, index)).await?;
    let shown = Secret::print(app, shown);
    let value = secret.filter(|_| !receipt.repeated).map(|secret| secret.expose().to_owned());
    Ok(Answer::created(shown.with(value)).replayed(receipt.repeated))
}

/// List the secrets of an account
///
/// Those that count, newest first, without the secrets themselves. The day of the last use is right but for
/// what a crash may lose of its last minute.
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
    let live = look_at_secrets(&app, &caller.0, index).await?;
    let data = live.into_iter().map(|seen| Secret::print(&app, seen)).collect();
    Ok(Answer::ok(List { data, next_cursor: None }))
}

/// Revoke a secret of an account
///
/// From the next call on it proves nothing. The last one stays.
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
    let named = named(&app, &secret).ok();
    let credential = look(&app, &caller.0, move |ledger, _, sight| {
        if !sight.reaches(ledger, index) {
            return Err(Kind::AccountNotFound);
        }
        let its = named.filter(|it| ledger.credential(*it).holder == Holder::Account(index));
        its.ok_or(Kind::CredentialNotFound)
    })
    .await?;
    submit(&app, &caller.0, Act::RevokeCredential { credential, live_min: 1 }, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replace all secrets of an account
///
/// After a leak: one new secret, shown here and never again, and from the next call on no other proves
/// anything. All of it at once.
#[utoipa::path(
    post, path = "/accounts/{account}/secrets/reissue", tag = "people", operation_id = "reissue_secret",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = Reissue,
    responses((status = 201, description = "It alone counts", body = Secret)),
    extensions(("x-operation" = json!(["ManageSecrets"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "out-of-scope",
    ]))),
)]
pub(crate) async fn reissue(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Secret>, Problem> {
    caller.may(Operation::ManageSecrets)?;
    let asked: Reissue = input.read_or_default()?;
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "reissue secret", index, &asked);
    let (secret, verifier) = made(&app);
    let role = Role::Account.code();
    let label = text(asked.label.as_ref());
    let act = Act::ReissueCredential { account: index, role, verifier, label };
    issued(&app, &caller, act, key, Some(secret)).await
}

#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "rotation of March", "scope": {"operations": ["charge"],
    "limits": [{"counts": ["charge"], "amount": "20", "period": "day"}]}}))]
pub(crate) struct AddSecret {
    /// What it is for.
    label: Option<Name>,
    /// From then on it proves nothing; never, when absent.
    expires_at: Option<Time>,
    /// One of your own choice, for keys that are in use already: 8 to 25 characters, a lower-case and an
    /// upper-case letter and a digit among them. A better one is made when absent.
    #[serde(skip_serializing)]
    secret: Option<String>,
    scope: Option<AskedScope>,
}

#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReissueSecret, example = json!({"label": "after the leak of March"}))]
pub(crate) struct Reissue {
    /// What the new one is for.
    label: Option<Name>,
}
