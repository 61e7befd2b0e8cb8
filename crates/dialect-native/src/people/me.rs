//! Whoever asks: `GET /me`, and what people do about themselves.

use std::sync::Arc;

use access::check_password;
use axum::extract::State;
use axum::http::StatusCode;
use dialect::App;
use ledger::{Act, Ledger, PeopleAct, UserIndex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::member::{Member, Person, Seen, names};
use super::roles::RoleName;
use crate::answer::Answer;
use crate::ids;
use crate::input::Input;
use crate::look::look;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::submit::submit;

/// Say who asks
///
/// And what they may do, whatever they signed in with.
#[utoipa::path(
    get, path = "/me", tag = "sessions", operation_id = "who_am_i",
    responses((status = 200, description = "Who it is", body = Me)),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([]))),
)]
pub(crate) async fn show(caller: Signed, State(app): State<Arc<App>>) -> Result<Answer<Me>, Problem> {
    let person = caller.0.person();
    let organization = caller.0.organization();
    let seals = app.engine.seals().clone();
    let read = look(&app, &caller.0, move |ledger, _, _| {
        let name = ledger.organization(organization).name.as_ref().to_owned();
        let person = person.map(|it| {
            let under = Seen::of(ledger, it.membership, ledger.membership(it.membership));
            (Person::of(ledger, &seals, it.user), under.view(&seals))
        });
        Ok((name, person))
    });
    let (organization, person) = read.await?;
    let (user, membership) = person.unzip();
    Ok(Answer::ok(Me {
        organization,
        account: caller.0.account().map(|account| ids::account(app.engine.seals(), account)),
        role: caller.0.role().and_then(RoleName::of),
        operations: names(caller.0.permissions()),
        user,
        membership,
    }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    organization: String,
    /// Inside whose family: a key's account, a person's root account; absent on the seller's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<RoleName>,
    /// By their names in the table of operations.
    operations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<Member>,
}

/// Set one's password
///
/// 12 to 128 characters, none that would be among the first to be guessed, not one of the last four. All
/// other sessions of the user end.
#[utoipa::path(
    put, path = "/me/password", tag = "sessions", operation_id = "set_password",
    request_body = SetPassword,
    responses((status = 204, description = "It counts from now on")),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!(["too-many-sign-ins"]))),
)]
pub(crate) async fn set_password(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<StatusCode, Problem> {
    let (user, session) = caller.in_session()?;
    let asked: SetPassword = input.read()?;
    let known = Known::read(&app, user).await?;
    if !known.is_password(&app, &asked.current).await? {
        return Err(Problem::field("current", "is not the password"));
    }
    let password = known.hash(&app, &asked.password).await?;
    let act = PeopleAct::SetPassword { user, password, passwords: known.passwords, keep: Some(session) };
    submit(&app, &caller.0, Act::People(Box::new(act)), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What has to be known of a user before a password is set.
pub(crate) struct Known {
    pub(crate) passwords: u32,
    hashes: Vec<String>,
    own: Vec<String>,
}

impl Known {
    pub(crate) async fn read(app: &App, user: UserIndex) -> Result<Self, Problem> {
        let read = move |ledger: &Ledger, _| {
            let known = ledger.user(user);
            let former = known.person.iter().flat_map(|person| &person.former);
            let hashes = std::iter::once(&known.password).chain(former).filter(|hash| !hash.is_empty());
            let email = known.email.as_deref().unwrap_or_default();
            Self {
                passwords: known.passwords(),
                hashes: hashes.map(|hash| hash.as_ref().to_owned()).collect(),
                own: vec![
                    String::from_utf8_lossy(email).into_owned(),
                    ledger.organization(known.organization).name.as_ref().to_owned(),
                ],
            }
        };
        Ok(app.engine.read(read).await?)
    }

    pub(crate) async fn is_password(&self, app: &App, password: &str) -> Result<bool, Problem> {
        let current = self.hashes.get(..1).unwrap_or_default();
        Ok(app.access.passwords().is_one_of(password, current).await?)
    }

    /// The slow hash of a new password, if the rules let it be one.
    pub(crate) async fn hash(&self, app: &App, password: &str) -> Result<Arc<str>, Problem> {
        let own: Vec<&str> = self.own.iter().map(String::as_str).collect();
        check_password(password, &own).map_err(|rule| Problem::field("password", rule))?;
        if app.access.passwords().is_one_of(password, &self.hashes).await? {
            return Err(Problem::field("password", access::PasswordRule::Used));
        }
        hash(app, password).await
    }
}

pub(crate) async fn hash(app: &App, password: &str) -> Result<Arc<str>, Problem> {
    let hash = app.access.passwords().hash(password).await;
    hash.map(Into::into).map_err(|_| Problem::bug("a password cannot be hashed"))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current": "correct horse battery", "password": "violet anchor and a lamp"}))]
pub(crate) struct SetPassword {
    current: String,
    password: String,
}
