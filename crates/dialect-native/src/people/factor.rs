//! The second factor: `POST /me/second-factor`, `…/confirm`, `…/recovery-codes`, and its end.

use std::sync::Arc;

use access::{code_step, factor_text, factor_uri, new_factor_secret, new_recovery_codes, recovery_digest};
use axum::extract::State;
use axum::http::StatusCode;
use dialect::{App, Arrival};
use ledger::{Act, Ledger, PeopleAct, UserIndex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::me::Known;
use crate::accounts::view::string;
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::submit;

/// Set up a second factor
///
/// A secret for an authenticator app, shown here and never again. It is not asked for before a code of it was
/// shown: confirm it next.
#[utoipa::path(
    post, path = "/me/second-factor", tag = "sessions", operation_id = "begin_second_factor",
    request_body = Prove,
    responses((status = 201, description = "Show a code of it next", body = FactorSecret)),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([
        "second-factor-exists", "too-many-sign-ins",
    ]))),
)]
pub(crate) async fn begin(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<Answer<FactorSecret>, Problem> {
    let (user, _) = caller.in_session()?;
    let asked: Prove = input.read()?;
    prove(&app, &caller, &asked).await?;
    let secret = new_factor_secret(app.engine.entropy());
    let act = PeopleAct::BeginFactor { user, secret: Some(secret.as_slice().into()) };
    submit(&app, &caller.0, Act::People(Box::new(act)), None).await?;
    let read = move |ledger: &Ledger, _| {
        let known = ledger.user(user);
        let organization = ledger.organization(known.organization).name.as_ref().to_owned();
        (string(&known.email).unwrap_or_default(), organization)
    };
    let (email, organization) = app.engine.read(read).await?;
    Ok(Answer::created(FactorSecret {
        secret: factor_text(&secret),
        uri: factor_uri(&secret, &format!("Bursar {organization}"), &email),
    }))
}

/// Confirm a second factor
///
/// By a code that the app shows. From then on one is asked for at every sign-in. The recovery codes are for
/// when the device is lost; they are shown here and never again, and each is good once.
#[utoipa::path(
    post, path = "/me/second-factor/confirm", tag = "sessions", operation_id = "confirm_second_factor",
    request_body = Confirm,
    responses((status = 200, description = "It is asked for from now on", body = RecoveryCodes)),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([
        "no-second-factor", "second-factor-exists", "second-factor-wrong",
    ]))),
)]
pub(crate) async fn confirm(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<Answer<RecoveryCodes>, Problem> {
    let (user, _) = caller.in_session()?;
    let asked: Confirm = input.read()?;
    let read = move |ledger: &Ledger, now| {
        let factor = ledger.user(user).person.as_ref().and_then(|person| person.factor.as_ref());
        let secret = factor.map(|factor| factor.secret.as_deref().unwrap_or_default().to_vec());
        (secret, now)
    };
    let (secret, now) = app.engine.read(read).await?;
    let secret = secret.ok_or_else(|| Problem::new(Kind::NoSecondFactor))?;
    let step = code_step(&secret, asked.code.trim(), now);
    let step = step.ok_or_else(|| Problem::new(Kind::SecondFactorWrong).with_field("code"))?;
    let (codes, recovery) = RecoveryCodes::new(&app, user);
    let act = PeopleAct::ConfirmFactor { user, step, recovery };
    submit(&app, &caller.0, Act::People(Box::new(act)), None).await?;
    Ok(Answer::ok(codes))
}

/// Make other recovery codes
///
/// By a code that the app shows now. The recovery codes before no longer count; the new ones are shown here and
/// never again. After five wrong codes whoever says them waits, as at a sign-in.
#[utoipa::path(
    post, path = "/me/second-factor/recovery-codes", tag = "sessions", operation_id = "renew_recovery_codes",
    request_body = Confirm,
    responses((status = 201, description = "These count from now on", body = RecoveryCodes)),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([
        "no-second-factor", "second-factor-wrong", "too-many-sign-ins",
    ]))),
)]
pub(crate) async fn renew(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<Answer<RecoveryCodes>, Problem> {
    let (user, _) = caller.in_session()?;
    let asked: Confirm = input.read()?;
    let origin = Arrival::current().into();
    let step = app.access.sign_in().device_step(user, &asked.code, &origin).await?;
    let step = step.ok_or_else(|| Problem::new(Kind::NoSecondFactor))?;
    let (codes, recovery) = RecoveryCodes::new(&app, user);
    let act = PeopleAct::RenewRecovery { user, step, recovery };
    submit(&app, &caller.0, Act::People(Box::new(act)), None).await?;
    Ok(Answer::created(codes))
}

/// Remove one's second factor
#[utoipa::path(
    post, path = "/me/second-factor/remove", tag = "sessions", operation_id = "remove_second_factor",
    request_body = Prove,
    responses((status = 204, description = "The password is enough from now on")),
    extensions(("x-operation" = json!(["Yourself"])), ("x-problems" = json!([
        "no-second-factor", "too-many-sign-ins",
    ]))),
)]
pub(crate) async fn remove(
    caller: Signed,
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<StatusCode, Problem> {
    let (user, _) = caller.in_session()?;
    let asked: Prove = input.read()?;
    prove(&app, &caller, &asked).await?;
    let act = Act::People(Box::new(PeopleAct::RemoveFactor { user }));
    submit(&app, &caller.0, act, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a user's second factor
///
/// For who has lost the device and the recovery codes.
#[utoipa::path(
    delete, path = "/users/{user}/second-factor", tag = "people", operation_id = "remove_users_second_factor",
    params(("user" = String, Path, description = "The id of the user")),
    responses((status = 204, description = "The password is enough from now on")),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!([
        "user-not-found", "no-second-factor",
    ]))),
)]
pub(crate) async fn remove_of(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    let user = super::users::find(&app, &caller, &name).await?;
    super::users::may_change(&app, &caller, user).await?;
    let act = Act::People(Box::new(PeopleAct::RemoveFactor { user }));
    submit(&app, &caller.0, act, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who sits at a session that was left open does not know the password.
async fn prove(app: &App, caller: &Signed, asked: &Prove) -> Result<(), Problem> {
    let (user, _) = caller.in_session()?;
    let known = Known::read(app, user).await?;
    if known.is_password(app, &asked.password).await? {
        Ok(())
    } else {
        Err(Problem::field("password", "is not the password"))
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "correct horse battery"}))]
pub(crate) struct Prove {
    /// The user's password, once more.
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "123456"}))]
pub(crate) struct Confirm {
    code: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FactorSecret {
    /// To be typed in, base 32.
    secret: String,
    /// To be shown as a picture.
    uri: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

impl RecoveryCodes {
    /// And what is kept of them.
    fn new(app: &App, user: UserIndex) -> (Self, Arc<[u128]>) {
        let codes = new_recovery_codes(app.engine.entropy());
        let seals = app.engine.seals();
        let kept = codes.iter().map(|code| recovery_digest(seals, user, code.expose())).collect();
        (Self { recovery_codes: codes.iter().map(|code| code.expose().to_owned()).collect() }, kept)
    }
}
