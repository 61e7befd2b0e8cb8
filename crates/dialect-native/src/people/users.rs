//! `POST /organizations/{organization}/users`, `DELETE /users/{user}`

use std::sync::Arc;

use access::{Operation, check_password, email_digest};
use axum::extract::State;
use axum::http::StatusCode;
use dialect::App;
use engine::Id;
use ledger::{Act, Event, NewUser, PeopleAct, PeopleEvent, UserIndex, Within};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::me::hash;
use super::rights::{self, Wanted};
use super::roles::RoleName;
use crate::answer::Answer;
use crate::ids;
use crate::input::{Input, Named};
use crate::look::look;
use crate::once::Once;
use crate::operator::administer;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::{submit, submit_as};
use crate::values::{Name, Time};

/// Create a user
///
/// Somebody on the seller's side, who signs in with an e-mail address and a password.
#[utoipa::path(
    post, path = "/organizations/{organization}/users", tag = "people", operation_id = "create_user",
    params(("organization" = String, Path, description = "The organization's name")),
    request_body = CreateUser,
    responses((status = 201, description = "The user may sign in", body = User)),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!([
        "organization-not-found", "user-exists",
    ]))),
)]
pub(crate) async fn create(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<User>, Problem> {
    let (organization, actor) = administer(&app, &caller.0, Operation::ManageUsers, &name)?;
    let asked: CreateUser = input.read()?;
    if !is_address(asked.email.as_str()) {
        return Err(Problem::field("email", "expected an e-mail address"));
    }
    check_password(&asked.password, &[asked.email.as_str(), &name])
        .map_err(|rule| Problem::field("password", rule))?;
    // The password does not count under a key: not even its hash is kept anywhere but where it must be.
    let key = once.key(&app, &caller.0, "create user", organization, &(&asked.email, asked.role));
    let within = Within::Organization(organization);
    let wanted = Wanted { role: Some(asked.role), permissions: None, accounts: None };
    let (rights, accounts) = rights::read(&app, &caller.0, within, &wanted).await?;
    let new = NewUser {
        organization,
        email_digest: email_digest(app.engine.seals(), asked.email.as_str()),
        email: asked.email.text(),
        password: Some(hash(&app, &asked.password).await?),
        subject: None,
    };
    let act = Act::People(Box::new(PeopleAct::AddUser { new, within, rights, accounts }));
    let receipt = submit_as(&app, actor, act, key).await?;
    let Event::People(event) = receipt.event else {
        return Err(Problem::bug("a user was answered by another event"));
    };
    let PeopleEvent::UserAdded { user, added_at, .. } = *event else {
        return Err(Problem::bug("a user was answered by another event"));
    };
    let user = User {
        id: ids::print(app.engine.seals(), Id::User(user)),
        organization: name,
        email: asked.email.as_str().to_owned(),
        role: asked.role,
        created_at: added_at.into(),
    };
    Ok(Answer::created(user).replayed(receipt.repeated))
}

/// Remove a user
///
/// Memberships, sessions and tokens end at once, and what is personal is erased: only keyed hashes stay. A
/// primary user hands the role over first.
#[utoipa::path(
    delete, path = "/users/{user}", tag = "people", operation_id = "remove_user",
    params(("user" = String, Path, description = "The id of the user")),
    responses((status = 204, description = "There is no such user any more")),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!([
        "user-not-found", "primary-user-stays",
    ]))),
)]
pub(crate) async fn remove(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    let user = find(&app, &caller, &name).await?;
    may_change(&app, &caller, user).await?;
    submit(&app, &caller.0, Act::People(Box::new(PeopleAct::RemoveUser { user })), None).await?;
    erase(&app, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Destroys the keys of what is personal: the user's own, and those of the invitations that led here.
async fn erase(app: &App, user: UserIndex) -> Result<(), Problem> {
    let owners = app.engine.read(move |ledger, _| engine::erased_with(ledger, user)).await?;
    let vault = app.engine.vault().clone();
    let erase = move || owners.into_iter().try_for_each(|owner| vault.destroy(owner.0));
    let erased = tokio::task::spawn_blocking(erase);
    erased.await.map_err(|_| Problem::bug("erasing panicked"))?.map_err(|error| {
        tracing::error!(%error, "the keys of a removed user cannot be destroyed");
        Problem::new(Kind::Unavailable).with_detail("the user is removed, but not erased: repeat")
    })
}

/// A user of the caller's own organization; another's is like one that does not exist, and so is everybody to
/// whoever is limited to chosen accounts: no user ends at those.
pub(crate) async fn find(app: &App, caller: &Signed, text: &str) -> Result<UserIndex, Problem> {
    caller.may(Operation::ManageUsers)?;
    let unknown = || Problem::new(Kind::UserNotFound);
    let Some(Id::User(user)) = ids::parse(app.engine.seals(), text) else { return Err(unknown()) };
    look(app, &caller.0, move |ledger, _, sight| {
        let is_there = ledger.has_user(user) && !ledger.user(user).is_removed();
        let is_own = is_there && sight.is_of(ledger.user(user).organization) && !sight.is_limited(ledger);
        if is_own { Ok(user) } else { Err(Kind::UserNotFound) }
    })
    .await
}

/// Nobody acts on somebody who may more on the seller's side.
pub(crate) async fn may_change(app: &App, caller: &Signed, user: UserIndex) -> Result<(), Problem> {
    let memberships = look(app, &caller.0, move |ledger, _, _| {
        let own = ledger.memberships_of(user);
        let sellers = own.filter(|(_, it)| matches!(it.within, Within::Organization(_)));
        Ok(sellers.map(|(index, _)| index).collect::<Vec<_>>())
    });
    memberships.await?.into_iter().try_for_each(|it| rights::may_change(app, &caller.0, it))
}

/// One at sign with something on both sides; whether mail arrives there is shown by sending some.
pub(crate) fn is_address(text: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && !part.contains(|it: char| it.is_whitespace() || it == '@');
    text.split_once('@').is_some_and(|(local, domain)| is_word(local) && is_word(domain))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ann@acme.example", "role": "finance", "password": "correct horse battery"}))]
pub(crate) struct CreateUser {
    email: Name,
    role: RoleName,
    /// 12 to 128 characters, none that would be among the first to be guessed. Kept as a slow hash.
    password: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    id: String,
    organization: String,
    email: String,
    role: RoleName,
    created_at: Time,
}
