//! A forgotten password: `POST /password-resets`, and `…/complete` by the link.

use std::sync::Arc;

use access::{RESET_SECS, email_digest, is_reset_link, reset_link, reset_link_user};
use axum::extract::State;
use axum::http::StatusCode;
use dialect::{App, Arrival};
use engine::{Id, Origin, Request};
use ledger::{Act, Actor, Command, Ledger, PeopleAct, UserIndex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::me::Known;
use crate::answer::Answer;
use crate::ids;
use crate::input::{Input, Named};
use crate::look::look;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::submit_as;
use crate::values::Name;
use crate::whose::bare;

/// Ask for a new password
///
/// Whoever has that address gets a link by mail, once a minute at the most. Whether there is such a user is
/// not told. A server without mail answers the same; an admin resets there.
#[utoipa::path(
    post, path = "/password-resets", tag = "sessions", operation_id = "ask_password_reset",
    request_body = AskReset,
    responses((status = 202, description = "If there is such a user, a link is on its way")),
    extensions(("x-operation" = json!(["Anybody"])), ("x-problems" = json!([]))),
)]
pub(crate) async fn ask(State(app): State<Arc<App>>, input: Input) -> Result<StatusCode, Problem> {
    let asked: AskReset = input.read()?;
    let organization = asked.organization.as_ref().map_or(access::DEFAULT_ORGANIZATION, Name::as_str);
    let organization = app.engine.directory().organization(organization).map(|(index, _)| index);
    let email = email_digest(app.engine.seals(), asked.email.as_str());
    let origin: Origin = Arrival::current().into();
    // All of it happens behind the answer, which so takes the same time for everybody.
    let mailer = app.mailer.clone();
    mailer.run(async move {
        let Some(organization) = organization else { return };
        let find = move |ledger: &Ledger, _| ledger.find_user(organization, email);
        let Ok(Some(user)) = app.engine.read(find).await else { return };
        // What the book does not take is asked for again by whoever waits for the letter.
        drop(ask_letter(&app, user, origin).await);
    });
    Ok(StatusCode::ACCEPTED)
}

/// A letter to a user; none when one has just been asked for.
async fn ask_letter(app: &App, user: UserIndex, origin: Origin) -> Result<(), Problem> {
    let now = app.engine.read(|_, now| now).await?;
    if !app.mailer.is_on() || !app.access.sign_in().may_mail(user, now) {
        return Ok(());
    }
    let act = Act::People(Box::new(PeopleAct::AskReset { user, by_mail: true }));
    let command = Command { actor: Actor::System, act };
    app.engine.submit_from(Request { command, key: None }, Some(origin)).await?;
    app.mailer.asked();
    Ok(())
}

async fn link(app: &App, user: UserIndex) -> Result<String, Problem> {
    let read = move |ledger: &Ledger, now| (ledger.user(user).passwords(), now);
    let (passwords, now) = app.engine.read(read).await?;
    let link = reset_link(app.engine.seals(), user, passwords, now.plus_secs(RESET_SECS));
    Ok(app.site.link("reset", link.expose()))
}

/// Reset a user's password
///
/// By an admin: the user gets the link by mail, or the answer holds it where the server sends none. The
/// password stays as it is until the link is followed.
#[utoipa::path(
    post, path = "/users/{user}/password-reset", tag = "people", operation_id = "reset_password",
    params(("user" = String, Path, description = "The id of the user")),
    responses((status = 200, description = "The link, or that it is on its way", body = Reset)),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!(["user-not-found"]))),
)]
pub(crate) async fn reset(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Answer<Reset>, Problem> {
    let user = super::users::find(&app, &caller, &name).await?;
    super::users::may_change(&app, &caller, user).await?;
    let act = Act::People(Box::new(PeopleAct::AskReset { user, by_mail: app.mailer.is_on() }));
    submit_as(&app, Actor::System, act, None).await?;
    let shown = ids::print(app.engine.seals(), Id::User(user));
    if app.mailer.is_on() {
        app.mailer.asked();
        return Ok(Answer::ok(Reset { user: shown, link: None }));
    }
    Ok(Answer::ok(Reset { user: shown, link: Some(link(&app, user).await?) }))
}

/// Set a new password by a link
///
/// All sessions of the user end; nobody is signed in by it.
#[utoipa::path(
    post, path = "/password-resets/complete", tag = "sessions", operation_id = "complete_password_reset",
    request_body = CompleteReset,
    responses((status = 204, description = "It counts from now on")),
    extensions(("x-operation" = json!(["Anybody"])), ("x-problems" = json!([
        "link-not-valid", "too-many-sign-ins",
    ]))),
)]
pub(crate) async fn complete(State(app): State<Arc<App>>, input: Input) -> Result<StatusCode, Problem> {
    let asked: CompleteReset = input.read()?;
    let link = bare(&asked.link);
    let not_valid = || Problem::new(Kind::LinkNotValid);
    let user = reset_link_user(app.engine.seals(), link).ok_or_else(not_valid)?;
    let is_there =
        move |ledger: &Ledger, now| (ledger.has_user(user) && !ledger.user(user).is_removed(), now);
    let (is_there, now) = app.engine.read(is_there).await?;
    if !is_there {
        return Err(not_valid());
    }
    let known = Known::read(&app, user).await?;
    if !is_reset_link(app.engine.seals(), link, known.passwords, now) {
        return Err(not_valid());
    }
    let password = known.hash(&app, &asked.password).await?;
    let act = PeopleAct::SetPassword { user, password, passwords: known.passwords, keep: None };
    submit_as(&app, Actor::System, Act::People(Box::new(act)), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign a user out everywhere
#[utoipa::path(
    post, path = "/users/{user}/sign-out", tag = "people", operation_id = "sign_user_out",
    params(("user" = String, Path, description = "The id of the user")),
    responses((status = 204, description = "No session of the user is left")),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!(["user-not-found"]))),
)]
pub(crate) async fn sign_out(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    let user = super::users::find(&app, &caller, &name).await?;
    super::users::may_change(&app, &caller, user).await?;
    look(&app, &caller.0, |_, _, _| Ok(())).await?;
    let act = Act::People(Box::new(PeopleAct::EndSessions { user, keep: None }));
    crate::submit::submit(&app, &caller.0, act, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ann@acme.example"}))]
pub(crate) struct AskReset {
    /// The seller whose user it is; `default` when absent.
    organization: Option<Name>,
    email: Name,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"link": "bsr_…", "password": "violet anchor and a lamp"}))]
pub(crate) struct CompleteReset {
    /// The link, or what stands behind its `#`.
    link: String,
    password: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Reset {
    user: String,
    /// Where the server sends no mail: hand it over yourself. It counts for an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}
