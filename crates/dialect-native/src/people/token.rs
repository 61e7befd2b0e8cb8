//! A bearer token, as it is shown, and pages of them.

use access::Role;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use dialect::{App, Page, PageBounds, PagingError};
use domain::Timestamp;
use engine::{Id, Receipt};
use ledger::{Credential, CredentialIndex, Event, Holder, Ledger};
use serde::Serialize;
use utoipa::ToSchema;

use super::roles::RoleName;
use super::scope::Scope;
use super::secret::date;
use crate::accounts::view::string;
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Paging, query};
use crate::look::{Sight, look};
use crate::problem::Problem;
use crate::signed::Signed;
use crate::values::Time;

/// A bearer token: of a seller's program, or of a person under a membership.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    id: String,
    /// The token itself, where it was just issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Of a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<RoleName>,
    /// Of a person: it may what that membership may.
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    issued_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// The day of its last use, in UTC: `2025-03-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
}

impl Token {
    fn of(app: &App, index: CredentialIndex, credential: &Credential, now: Timestamp) -> Self {
        let seals = app.engine.seals();
        let membership = match credential.holder {
            Holder::Member(membership) => Some(ids::print(seals, Id::Membership(membership))),
            Holder::Organization(_) | Holder::Account(_) => None,
        };
        let used_on = app.access.last_use().day(index).max(credential.used_on);
        Self {
            id: ids::print(seals, Id::Credential(index)),
            token: None,
            role: Role::from_code(credential.role).and_then(RoleName::of),
            membership,
            label: string(&credential.label),
            issued_at: credential.issued_at.into(),
            expires_at: (credential.expires_at != Timestamp::NEVER).then(|| credential.expires_at.into()),
            last_used_on: date(used_on),
            scope: Scope::of(seals, credential, now),
        }
    }
}

/// The only sight of what was issued; nothing of it where this repeats what was done before.
pub(super) async fn issued(
    app: &App,
    receipt: Receipt,
    token: &access::Secret,
) -> Result<Answer<Token>, Problem> {
    let Event::CredentialIssued { index, .. } = receipt.event else {
        return Err(Problem::bug("a token was answered by another event"));
    };
    let known = app.engine.read(move |ledger: &Ledger, now| (ledger.credential(index).clone(), now));
    let (credential, now) = known.await?;
    let shown = (!receipt.repeated).then(|| token.expose().to_owned());
    let issued = Token { token: shown, ..Token::of(app, index, &credential, now) };
    Ok(Answer::created(issued).replayed(receipt.repeated))
}

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };
/// Credentials looked at in one turn of the book, and turns for one page.
const SLICE: usize = 10_000;
const SLICES_MAX: usize = 100;

/// A page of the live tokens that are wanted, oldest first.
pub(super) async fn page(
    app: &App,
    caller: &Signed,
    paging: Result<Query<Paging>, QueryRejection>,
    is_wanted: impl Fn(&Ledger, Sight, &Credential) -> bool + Copy + Send + 'static,
) -> Result<Answer<List<Token>>, Problem> {
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
        let (found, looked_at, now) = slice(app, caller, from, room, is_wanted).await?;
        for (index, credential) in &found {
            data.push(Token::of(app, *index, credential, now));
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
    from: usize,
    room: usize,
    is_wanted: impl Fn(&Ledger, Sight, &Credential) -> bool + Copy + Send + 'static,
) -> Result<(Vec<(CredentialIndex, Credential)>, usize, Timestamp), Problem> {
    look(app, &caller.0, move |ledger, now, sight| {
        let (mut found, mut looked_at) = (Vec::new(), 0);
        for (index, credential) in ledger.credentials().skip(from).take(SLICE) {
            if found.len() == room {
                break;
            }
            looked_at += 1;
            if is_wanted(ledger, sight, credential) && credential.is_live(now) {
                found.push((index, credential.clone()));
            }
        }
        Ok((found, looked_at, now))
    })
    .await
}
