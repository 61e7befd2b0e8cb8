//! `POST /organizations/{organization}/users`

use std::sync::Arc;

use access::{Operation, Role, email_digest};
use axum::extract::State;
use dialect::App;
use engine::Id;
use ledger::{Act, Event};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::roles::RoleName;
use crate::answer::Answer;
use crate::ids;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::operator::administer;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::submit::submit_as;
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
    if !(PASSWORD_CHARACTERS_MIN..=PASSWORD_CHARACTERS_MAX).contains(&asked.password.chars().count()) {
        return Err(Problem::field("password", "expected 12 to 128 characters"));
    }
    // The password does not count under a key: not even its hash is kept anywhere but where it must be.
    let key = once.key(&app, &caller.0, "create user", organization, &(&asked.email, asked.role));
    let password = app.access.passwords().hash(&asked.password).await;
    let act = Act::CreateUser {
        organization,
        role: Role::from(asked.role).code(),
        email_digest: email_digest(app.engine.seals(), asked.email.as_str()),
        email: asked.email.text(),
        password: password.map_err(|_| Problem::bug("a password cannot be hashed"))?.into(),
    };
    let receipt = submit_as(&app, actor, act, key).await?;
    let Event::UserCreated { user, created_at, .. } = receipt.event else {
        return Err(Problem::bug("a user was answered by another event"));
    };
    let user = User {
        id: ids::print(app.engine.seals(), Id::User(user)),
        organization: name,
        email: asked.email.as_str().to_owned(),
        role: asked.role,
        created_at: created_at.into(),
    };
    Ok(Answer::created(user).replayed(receipt.repeated))
}

const PASSWORD_CHARACTERS_MIN: usize = 12;
const PASSWORD_CHARACTERS_MAX: usize = 128;

/// One at sign with something on both sides; whether mail arrives there is shown by sending some.
fn is_address(text: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && !part.contains([' ', '@']);
    text.split_once('@').is_some_and(|(local, domain)| is_word(local) && is_word(domain))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ann@acme.example", "role": "finance", "password": "correct horse battery"}))]
pub(crate) struct CreateUser {
    email: Name,
    role: RoleName,
    /// 12 to 128 characters. Kept as a slow hash.
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
