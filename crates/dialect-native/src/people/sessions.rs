//! Signing in and out: `POST`, `GET` and `DELETE /sessions`, and `…/current`.

use std::sync::Arc;

use access::{Credentials, SignInError, SignedIn, email_digest};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cookie::{Cookie, SameSite};
use dialect::{App, Arrival};
use engine::{Id, Seals};
use ledger::{Act, Ledger, MembershipIndex, PeopleAct, Session as Held};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::member::{Member, Person, Seen};
use crate::answer::{Answer, List, json};
use crate::ids;
use crate::input::Input;
use crate::look::look;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, cookie_name};
use crate::submit::submit;
use crate::values::{Name, Time};

/// Sign in
///
/// By e-mail address and password, and a code where there is a second factor: without one the answer is 401
/// `second-factor-needed`. The token goes into `Authorization: Bearer`; browsers get it as a cookie besides.
/// Unknown address and wrong password are one answer. After five wrong attempts whoever made them waits,
/// longer each time; nobody else does.
#[utoipa::path(
    post, path = "/sessions", tag = "sessions", operation_id = "sign_in",
    request_body = SignIn,
    responses((status = 201, description = "Signed in", body = Session)),
    extensions(("x-operation" = json!(["Anybody"])), ("x-problems" = json!([
        "sign-in-failed", "second-factor-needed", "second-factor-wrong", "no-membership", "too-many-sign-ins",
        "sign-in-elsewhere",
    ]))),
)]
pub(crate) async fn sign_in(State(app): State<Arc<App>>, input: Input) -> Result<Response, Problem> {
    let asked: SignIn = input.read()?;
    let seals = app.engine.seals();
    let membership = match &asked.membership {
        None => None,
        Some(text) => Some(named(seals, text).ok_or_else(|| Problem::new(Kind::NoMembership))?),
    };
    if asked.password.len() > PASSWORD_BYTES_MAX {
        return Err(SignInError::Wrong.into());
    }
    let credentials = Credentials {
        organization: asked.organization.as_ref().map_or(access::DEFAULT_ORGANIZATION, Name::as_str),
        email_digest: email_digest(seals, asked.email.as_str()),
        password: &asked.password,
        code: asked.code.as_deref(),
        membership,
        keep: asked.keep,
    };
    let origin = Arrival::current().into();
    let signed_in = app.access.sign_in().by_password(app.access.passwords(), &credentials, &origin).await?;
    opened(&app, &signed_in).await
}

/// More than any password is: not even hashed.
const PASSWORD_BYTES_MAX: usize = 1024;

/// The session, in the answer and as a cookie: always a new token, so none can be planted beforehand.
pub(crate) async fn opened(app: &App, signed_in: &SignedIn) -> Result<Response, Problem> {
    let seals = app.engine.seals().clone();
    let (user, membership) = (signed_in.session.user, signed_in.session.membership);
    let read = move |ledger: &Ledger, _| {
        let person = Person::of(ledger, &seals, user);
        let seen = ledger.memberships_of(user).map(|(index, it)| Seen::of(ledger, index, it));
        (person, seen.collect::<Vec<_>>())
    };
    let (user, seen) = app.engine.read(read).await?;
    let seals = app.engine.seals();
    let under = seen.iter().find(|it| it.index == membership);
    let session = Session {
        token: signed_in.token.expose().to_owned(),
        expires_at: signed_in.session.expires_at.into(),
        user,
        membership: under.map(|it| it.view(seals)),
        memberships: seen.iter().map(|it| it.view(seals)).collect(),
    };
    let body = serde_json::to_vec(&session).map_err(|_| Problem::bug("a session cannot be printed"))?;
    let mut response = json(StatusCode::CREATED, body);
    let cookie = cookie(app, signed_in.token.expose(), None);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

pub(crate) fn cookie(app: &App, token: &str, age: Option<i64>) -> HeaderValue {
    let mut cookie = Cookie::build((cookie_name(app), token))
        .path("/")
        .http_only(true)
        .secure(app.site.is_secure())
        .same_site(SameSite::Lax)
        .build()
        .to_string();
    if let Some(age) = age {
        cookie.push_str(&format!("; Max-Age={age}"));
    }
    HeaderValue::from_str(&cookie).expect("names and tokens of ours may stand in a header")
}

/// Go on under another membership
///
/// Of the same user. The session is another one from then on: the token and the cookie are new, the old ones
/// no longer count.
#[utoipa::path(
    post, path = "/sessions/current/switch", tag = "sessions", operation_id = "switch_membership",
    request_body = Switch,
    responses((status = 201, description = "Switched", body = Session)),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!(["no-membership"]))),
)]
pub(crate) async fn switch(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<Response, Problem> {
    let (_, session) = caller.in_session()?;
    let asked: Switch = input.read()?;
    let membership = named(app.engine.seals(), &asked.membership);
    let membership = membership.ok_or_else(|| Problem::new(Kind::NoMembership))?;
    let origin = Arrival::current().into();
    let signed_in = app.access.sign_in().switch(session, membership, &origin).await?;
    opened(&app, &signed_in).await
}

/// Sign out
#[utoipa::path(
    delete, path = "/sessions/current", tag = "sessions", operation_id = "sign_out",
    responses((status = 204, description = "The session has ended")),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([]))),
)]
pub(crate) async fn sign_out(caller: Signed, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let (_, session) = caller.in_session()?;
    let act = Act::People(Box::new(PeopleAct::EndSession { session }));
    submit(&app, &caller.0, act, None).await?;
    Ok(ended(&app))
}

/// Sign out everywhere
///
/// All sessions of the user end at once, this one too.
#[utoipa::path(
    delete, path = "/sessions", tag = "sessions", operation_id = "sign_out_everywhere",
    responses((status = 204, description = "No session is left")),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([]))),
)]
pub(crate) async fn sign_out_everywhere(
    caller: Signed,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let (user, _) = caller.in_session()?;
    let act = Act::People(Box::new(PeopleAct::EndSessions { user, keep: None }));
    submit(&app, &caller.0, act, None).await?;
    Ok(ended(&app))
}

fn ended(app: &App) -> Response {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie(app, "", Some(0)))]).into_response()
}

/// List one's sessions
#[utoipa::path(
    get, path = "/sessions", tag = "sessions", operation_id = "list_sessions",
    responses((status = 200, description = "All of them", body = List<OwnSession>)),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([]))),
)]
pub(crate) async fn list(
    caller: Signed,
    State(app): State<Arc<App>>,
) -> Result<Answer<List<OwnSession>>, Problem> {
    let (user, current) = caller.in_session()?;
    let live = look(&app, &caller.0, move |ledger, now, _| {
        let live = ledger.sessions_of(user).filter(|session| now < session.expires_at);
        Ok(live.cloned().collect::<Vec<Held>>())
    });
    let mut live = live.await?;
    live.sort_by_key(|session| session.opened_at);
    let seals = app.engine.seals();
    let view = |session: &Held| OwnSession {
        membership: ids::print(seals, Id::Membership(session.membership)),
        opened_at: session.opened_at.into(),
        expires_at: session.expires_at.into(),
        current: session.id() == current,
    };
    Ok(Answer::ok(List { data: live.iter().map(view).collect(), next_cursor: None }))
}

pub(crate) fn named(seals: &Seals, text: &str) -> Option<MembershipIndex> {
    match ids::parse(seals, text)? {
        Id::Membership(membership) => Some(membership),
        _ => None,
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ann@acme.example", "password": "correct horse battery"}))]
pub(crate) struct SignIn {
    /// The seller whose user it is; `default` when absent.
    organization: Option<Name>,
    email: Name,
    password: String,
    /// A code of the second factor, or a recovery code.
    code: Option<String>,
    /// Where to act; where one belonged first, when absent.
    membership: Option<String>,
    /// For 30 days instead of 12 hours.
    #[serde(default)]
    keep: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"membership": "0b6f9f0e-3a52-4f0e-9d3a-6b7f3d1c2a10"}))]
pub(crate) struct Switch {
    membership: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    /// Shown here and never again.
    token: String,
    expires_at: Time,
    user: Person,
    /// Under which it acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<Member>,
    /// All of the user's.
    memberships: Vec<Member>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OwnSession {
    membership: String,
    opened_at: Time,
    expires_at: Time,
    /// The one that asks.
    current: bool,
}
