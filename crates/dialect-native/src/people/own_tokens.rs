//! A person's own tokens: `POST` and `GET /me/tokens`. They are revoked like all others.

use std::sync::Arc;

use access::{NO_EXPIRY, Secret, token_digest};
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use dialect::App;
use ledger::{Act, Credential, Holder, Ledger, RoleCode, Verifier, Within};
use serde::Deserialize;
use utoipa::ToSchema;

use super::scope::AskedScope;
use super::token::{Token, issued, page};
use crate::answer::{Answer, List};
use crate::input::{Input, Paging};
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::submit;
use crate::values::{Name, Time, text};

/// Issue a token of one's own
///
/// For programs that act as this person: it may what the membership may, as far as its scope goes, for as long
/// as both last. Shown here and never again.
#[utoipa::path(
    post, path = "/me/tokens", tag = "sessions", operation_id = "issue_own_token",
    request_body = IssueOwnToken,
    responses((status = 201, description = "It counts", body = Token)),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn issue(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<Answer<Token>, Problem> {
    caller.in_session()?;
    let person = caller.0.person().ok_or_else(|| Problem::new(Kind::Forbidden))?;
    let asked: IssueOwnToken = input.read_or_default()?;
    let scope = match &asked.scope {
        Some(scope) => {
            let membership = person.membership;
            let home = move |ledger: &Ledger, _| match ledger.membership(membership).within {
                Within::Organization(organization) => ledger.organization(organization).currency,
                Within::Family(root) => ledger.account(root).currency,
            };
            let home = app.engine.read(home).await?;
            Some(scope.scope(&app, &caller.0, caller.0.permissions(), home).await?)
        }
        None => None,
    };
    let token = Secret::new_token(app.engine.entropy(), app.engine.seals().book());
    let act = Act::IssueCredential {
        holder: Holder::Member(person.membership),
        role: RoleCode(0),
        verifier: Verifier::Digest(token_digest(app.engine.seals(), token.expose())),
        label: text(asked.label.as_ref()),
        expires_at: asked.expires_at.map_or(NO_EXPIRY, Time::timestamp),
        live_max: None,
        scope,
    };
    issued(&app, submit(&app, &caller.0, act, None).await?, &token).await
}

/// List one's own tokens
///
/// Those that count, under whichever membership, oldest first, without the tokens themselves.
#[utoipa::path(
    get, path = "/me/tokens", tag = "sessions", operation_id = "list_own_tokens",
    params(Paging),
    responses((status = 200, description = "A page of tokens", body = List<Token>)),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([]))),
)]
pub(crate) async fn list(
    caller: Signed,
    State(app): State<Arc<App>>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Token>>, Problem> {
    let (user, _) = caller.in_session()?;
    let is_own = move |ledger: &Ledger, _, it: &Credential| match it.holder {
        Holder::Member(of) => {
            let membership = ledger.membership(of);
            membership.user == user && membership.is_live()
        }
        Holder::Organization(_) | Holder::Account(_) => false,
    };
    page(&app, &caller, paging, is_own).await
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"label": "laptop", "scope": {"operations": ["read"]}}))]
pub(crate) struct IssueOwnToken {
    /// What it is for.
    label: Option<Name>,
    /// Never when absent.
    expires_at: Option<Time>,
    scope: Option<AskedScope>,
}
