//! The seller's tokens: `POST` and `GET /organizations/{organization}/tokens`, `DELETE /tokens/{token}`.

use std::sync::Arc;

use access::{NO_EXPIRY, Operation, Permissions, Role, Secret, token_digest};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use dialect::{App, Page, PageBounds, PagingError};
use engine::Id;
use ledger::{Act, CredentialIndex, Event, Holder, OrganizationIndex, Verifier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::roles::RoleName;
use crate::accounts::view::string;
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Input, Named, Paging, query};
use crate::look::look;
use crate::once::Once;
use crate::operator::administer;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::{submit, submit_as};
use crate::values::{Name, Time, text};

/// Issue a token
///
/// Shown here and never again: a repeat under the same key answers without it.
#[utoipa::path(
    post, path = "/organizations/{organization}/tokens", tag = "people", operation_id = "issue_token",
    params(("organization" = String, Path, description = "The organization's name")),
    request_body = IssueToken,
    responses((status = 201, description = "It counts", body = Token)),
    extensions(("x-operation" = json!(["ManageTokens"])), ("x-problems" = json!(["organization-not-found"]))),
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
    let key = once.key(&app, &caller.0, "issue token", organization, &asked);
    let token = Secret::new_token(app.engine.entropy(), app.engine.seals().book());
    let act = Act::IssueCredential {
        holder: Holder::Organization(organization),
        role: Role::from(asked.role).code(),
        verifier: Verifier::Digest(token_digest(app.engine.seals(), token.expose())),
        label: text(asked.label.as_ref()),
        expires_at: asked.expires_at.map_or(NO_EXPIRY, Time::timestamp),
        live_max: None,
        scope: None,
    };
    let receipt = submit_as(&app, actor, act, key).await?;
    let Event::CredentialIssued { index, credential } = &receipt.event else {
        return Err(Problem::bug("a token was answered by another event"));
    };
    let mut issued = Token::of(app.engine.seals(), *index, credential)?;
    issued.token = (!receipt.repeated).then(|| token.expose().to_owned());
    Ok(Answer::created(issued).replayed(receipt.repeated))
}

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };
/// Credentials looked at in one turn of the book, and turns for one page.
const SLICE: usize = 10_000;
const SLICES_MAX: usize = 100;

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
    let paging = query(paging)?;
    let page = Page::read(paging.limit.as_deref(), paging.cursor.as_deref(), BOUNDS)?;
    let seals = app.engine.seals();
    let mut from = match page.after.as_ref().map(|cursor| ids::of_cursor(seals, cursor)).transpose()? {
        None => 0,
        Some(Id::Credential(after)) => after.slot() + 1,
        Some(_) => return Err(PagingError::Cursor.into()),
    };
    let mut data: Vec<Token> = Vec::new();
    for _ in 0..SLICES_MAX {
        let room = page.limit - data.len();
        let (found, looked_at) = slice(&app, &caller, organization, from, room).await?;
        for (index, credential) in &found {
            data.push(Token::of(seals, *index, credential)?);
        }
        from += looked_at;
        if looked_at == 0 {
            return Ok(Answer::ok(List { data, next_cursor: None }));
        }
        if data.len() == page.limit {
            break;
        }
    }
    let last = Id::Credential(CredentialIndex::new(from.saturating_sub(1)));
    Ok(Answer::ok(List { data, next_cursor: Some(ids::cursor(seals, last)) }))
}

/// Up to `room` live tokens from slot `from` on, and how many credentials were looked at.
async fn slice(
    app: &App,
    caller: &Signed,
    organization: OrganizationIndex,
    from: usize,
    room: usize,
) -> Result<(Vec<(CredentialIndex, ledger::Credential)>, usize), Problem> {
    look(app, &caller.0, move |ledger, now, _| {
        let (mut found, mut looked_at) = (Vec::new(), 0);
        for (index, credential) in ledger.credentials().skip(from).take(SLICE) {
            if found.len() == room {
                break;
            }
            looked_at += 1;
            if credential.holder == Holder::Organization(organization) && credential.is_live(now) {
                found.push((index, credential.clone()));
            }
        }
        Ok((found, looked_at))
    })
    .await
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
    let named = named(&app, &name);
    // Everybody takes back their own.
    let is_own = match (&named, caller.0.person()) {
        (Ok(credential), Some(person)) => {
            let credential = *credential;
            let look =
                look(&app, &caller.0, move |ledger, _, _| match ledger.credential(credential).holder {
                    Holder::Member(of) => Ok(ledger.membership(of).user == person.user),
                    Holder::Organization(_) | Holder::Account(_) => Ok(false),
                });
            look.await?
        }
        _ => false,
    };
    if !is_own {
        caller.may(Operation::ManageTokens)?;
    }
    let credential = named?;
    let is_token = look(&app, &caller.0, move |ledger, _, _| {
        Ok(!matches!(ledger.credential(credential).holder, Holder::Account(_)))
    });
    if !is_token.await? {
        return Err(Problem::new(Kind::CredentialNotFound));
    }
    submit(&app, &caller.0, Act::RevokeCredential { credential, live_min: 0 }, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn named(app: &App, text: &str) -> Result<CredentialIndex, Problem> {
    match ids::parse(app.engine.seals(), text) {
        Some(Id::Credential(credential)) => Ok(credential),
        _ => Err(Problem::new(Kind::CredentialNotFound)),
    }
}

impl Token {
    fn of(
        seals: &engine::Seals,
        index: CredentialIndex,
        credential: &ledger::Credential,
    ) -> Result<Self, Problem> {
        let role = Role::from_code(credential.role).and_then(RoleName::of);
        Ok(Self {
            id: ids::print(seals, Id::Credential(index)),
            token: None,
            role: role.ok_or_else(|| Problem::bug("a token without a seller's role"))?,
            label: string(&credential.label),
            issued_at: credential.issued_at.into(),
            expires_at: (credential.expires_at != NO_EXPIRY).then(|| credential.expires_at.into()),
        })
    }
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "developer", "label": "gateway"}))]
pub(crate) struct IssueToken {
    role: RoleName,
    /// What it is for.
    label: Option<Name>,
    /// Never when absent.
    expires_at: Option<Time>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    id: String,
    /// The token itself, where it was just issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    role: RoleName,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    issued_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
}
