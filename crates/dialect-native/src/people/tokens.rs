//! The seller's tokens: `POST` and `GET /organizations/{organization}/tokens`, `DELETE /tokens/{token}`.

use std::sync::Arc;

use access::{NO_EXPIRY, Operation, Permissions, Role, Secret, token_digest};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use dialect::App;
use engine::Id;
use ledger::{AccountIndex, Act, Credential, CredentialIndex, Holder, Ledger, Verifier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::roles::RoleName;
use super::scope::AskedScope;
use super::token::{Token, issued, page};
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Input, Named, Paging};
use crate::look::{Sight, look};
use crate::once::Once;
use crate::operator::administer;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::{submit, submit_as};
use crate::values::{Name, Time, text};

/// Issue a token
///
/// Shown here and never again: a repeat under the same key answers without it. One that is held to a scope may
/// what the role and the scope both allow; it issues no tokens itself.
#[utoipa::path(
    post, path = "/organizations/{organization}/tokens", tag = "people", operation_id = "issue_token",
    params(("organization" = String, Path, description = "The organization's name")),
    request_body = IssueToken,
    responses((status = 201, description = "It counts", body = Token)),
    extensions(("x-operation" = json!(["ManageTokens"])), ("x-problems" = json!([
        "organization-not-found", "account-not-found",
    ]))),
)]
pub(crate) async fn issue(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Token>, Problem> {
    let (organization, actor) = administer(&app, &caller.0, Operation::ManageTokens, &name)?;
    let asked: IssueToken = input.read()?;
    if !caller.0.permissions().contains(Permissions::of_role(asked.role.into())) {
        return Err(Problem::new(Kind::Forbidden).with_detail("this role is more than the caller's own"));
    }
    let scope = match &asked.scope {
        Some(scope) => {
            let home = app.engine.read(move |ledger, _| ledger.organization(organization).currency).await?;
            Some(scope.scope(&app, &caller.0, Permissions::of_role(asked.role.into()), home).await?)
        }
        None => None,
    };
    let key = once.key(&app, &caller.0, "issue token", organization, &asked);
    let token = Secret::new_token(app.engine.entropy(), app.engine.seals().book());
    let act = Act::IssueCredential {
        holder: Holder::Organization(organization),
        role: Role::from(asked.role).code(),
        verifier: Verifier::Digest(token_digest(app.engine.seals(), token.expose())),
        label: text(asked.label.as_ref()),
        expires_at: asked.expires_at.map_or(NO_EXPIRY, Time::timestamp),
        live_max: None,
        scope,
    };
    issued(&app, submit_as(&app, actor, act, key).await?, &token).await
}

/// List the tokens of an organization
///
/// Those that count, oldest first, without the tokens themselves.
#[utoipa::path(
    get, path = "/organizations/{organization}/tokens", tag = "people", operation_id = "list_tokens",
    params(("organization" = String, Path, description = "The organization's name"), Paging),
    responses((status = 200, description = "A page of tokens", body = List<Token>)),
    extensions(("x-operation" = json!(["ManageTokens"])), ("x-problems" = json!(["organization-not-found"]))),
)]
pub(crate) async fn list(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Token>>, Problem> {
    let (organization, _) = administer(&app, &caller.0, Operation::ManageTokens, &name)?;
    let is_its = move |ledger: &Ledger, sight: Sight, it: &Credential| {
        it.holder == Holder::Organization(organization) && sight.sees_about(ledger, held_to(it))
    };
    page(&app, &caller, paging, is_its).await
}

/// Revoke a token
///
/// People revoke their own without that right.
#[utoipa::path(
    delete, path = "/tokens/{token}", tag = "people", operation_id = "revoke_token",
    params(("token" = String, Path, description = "The id of the token, not the token itself")),
    responses((status = 204, description = "It no longer counts")),
    extensions(("x-operation" = json!(["ManageTokens"])), ("x-problems" = json!(["credential-not-found"]))),
)]
pub(crate) async fn revoke(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    // The book is asked whatever the id is: how long it takes says nothing of whose it is.
    let named = named(&app, &name).ok();
    // Everybody takes back their own.
    let is_own = match caller.0.person() {
        Some(person) => {
            let look = look(&app, &caller.0, move |ledger, _, _| {
                Ok(named.is_some_and(|credential| match ledger.credential(credential).holder {
                    Holder::Member(of) => ledger.membership(of).user == person.user,
                    Holder::Organization(_) | Holder::Account(_) => false,
                }))
            });
            look.await?
        }
        None => false,
    };
    if !is_own {
        caller.may(Operation::ManageTokens)?;
    }
    let token = look(&app, &caller.0, move |ledger, _, sight| {
        let token = named.filter(|credential| {
            let holder = ledger.credential(*credential).holder;
            let is_of = |organization| sight.is_of(organization);
            !matches!(holder, Holder::Account(_)) && ledger.organization_of(holder).is_some_and(is_of)
        });
        token.ok_or(Kind::CredentialNotFound)
    });
    let credential = token.await?;
    submit(&app, &caller.0, Act::RevokeCredential { credential, live_min: 0 }, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The accounts that a credential is held to by its scope.
pub(crate) fn held_to(credential: &Credential) -> &[AccountIndex] {
    credential.scope.as_ref().map_or(&[], |scope| &scope.accounts)
}

pub(crate) fn named(app: &App, text: &str) -> Result<CredentialIndex, Problem> {
    match ids::parse(app.engine.seals(), text) {
        Some(Id::Credential(credential)) => Ok(credential),
        _ => Err(Problem::new(Kind::CredentialNotFound)),
    }
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "finance", "label": "provisioning", "scope": {
    "operations": ["read", "open-subaccount", "allocate"],
    "limits": [{"counts": ["allocate"], "amount": "500", "currency": "EUR", "period": "total"}],
}}))]
pub(crate) struct IssueToken {
    role: RoleName,
    /// What it is for.
    label: Option<Name>,
    /// Never when absent.
    expires_at: Option<Time>,
    scope: Option<AskedScope>,
}
