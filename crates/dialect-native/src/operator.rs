//! The operator: whoever holds an owner's token of the first organization.
//!
//! The least rule that gets a second seller going: the operator founds organizations, and there it
//! creates users, issues tokens, declares currencies and opens accounts. It neither sees nor moves anything
//! else of theirs; for that it needs a token of that organization, like everyone.

use std::sync::Arc;

use access::{Caller, DEFAULT_ORGANIZATION, Operation};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use dialect::App;
use ledger::{Actor, OrganizationIndex};

use crate::problem::{Kind, Problem};
use crate::signed::Signed;

pub(crate) fn is_operator(app: &App, caller: &Caller) -> bool {
    if caller.is_operator() {
        return true;
    }
    let first = app.engine.directory().organization(DEFAULT_ORGANIZATION);
    caller.is_owner_of_all() && first.is_some_and(|(first, _)| first == caller.organization())
}

/// Whether these headers are the operator's. Asked of the first book; the others take its word.
pub async fn recognize_operator(app: &Arc<App>, parts: &mut Parts) -> bool {
    let signed = Signed::from_request_parts(parts, app).await;
    signed.is_ok_and(|Signed(caller)| is_operator(app, &caller))
}

/// The organization of this name, and on whose word the caller may administer it. Another's is like one
/// that does not exist.
pub(crate) fn administer(
    app: &App,
    caller: &Caller,
    operation: Operation,
    name: &str,
) -> Result<(OrganizationIndex, Actor), Problem> {
    let caller = act_in(app, caller, operation, name)?;
    Ok((caller.organization(), caller.actor()))
}

/// The caller as they act in the organization of this name.
pub(crate) fn act_in(
    app: &App,
    caller: &Caller,
    operation: Operation,
    name: &str,
) -> Result<Caller, Problem> {
    caller.may(operation)?;
    let unknown = || Problem::new(Kind::OrganizationNotFound);
    let (organization, _) = app.engine.directory().organization(name).ok_or_else(unknown)?;
    if organization == caller.organization() {
        Ok(*caller)
    } else if is_operator(app, caller) {
        Ok(Caller::operator_in(organization))
    } else {
        Err(unknown())
    }
}
