//! `PATCH /accounts/{api_key}/subaccounts/{subaccount_key}`: name, suspension, own balance; all or none.

use std::sync::Arc;

use access::Operation;
use axum::extract::{Path, State};
use dialect::{App, Body, BodyError};
use ledger::Act;
use serde::Deserialize;

use crate::body::{Answer, Subaccount};
use crate::caller::Primary;
use crate::error::VonageError;
use crate::members::{Member, Problems, read_object};
use crate::view::View;

const IRREVERSIBLE: &str = "Transitioning from 'use_primary_account_balance = false' to \
                            'use_primary_account_balance = true' is not supported";

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    Path((_, key)): Path<(String, String)>,
    body: Result<Body, BodyError>,
) -> Result<Answer<Subaccount>, VonageError> {
    primary.may(Operation::ModifyAccount)?;
    let mut view = primary.subaccount(&app, &key).await?;
    if let Some(act) = changes(&view, &body?)? {
        primary.submit(&app, act, &key).await?;
        view = primary.subaccount(&app, &key).await?;
    }
    Ok(Answer(Subaccount::new(app.engine.seals(), &primary, view)))
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    name: Member<'a>,
    #[serde(borrow)]
    suspended: Member<'a>,
    #[serde(borrow)]
    use_primary_account_balance: Member<'a>,
}

/// What the body asks for and is not so already: clients send back whole accounts as they read them,
/// and what they did not change must not become a wish.
fn changes(view: &View, body: &Body) -> Result<Option<Act>, VonageError> {
    let request: Request<'_> = read_object(&body.bytes)?;
    let mut problems = Problems::default();
    let name = request.name.map(|name| problems.name(Some(name)));
    let suspended = problems.boolean("suspended", request.suspended);
    let shared = problems.boolean("use_primary_account_balance", request.use_primary_account_balance);
    if shared == Some(true) && !view.is_shared() {
        problems.add("use_primary_account_balance", IRREVERSIBLE);
    }
    problems.none_or_refuse()?;

    let name = name.filter(|name| *name != view.name).map(|name| Some(name.as_bytes().into()));
    let suspended = suspended.filter(|suspended| *suspended != view.suspended);
    let shared = shared.filter(|shared| *shared != view.is_shared());
    let unchanged = name.is_none() && suspended.is_none() && shared.is_none();
    Ok((!unchanged).then_some(Act::ModifyAccount { account: view.account, name, suspended, shared }))
}
