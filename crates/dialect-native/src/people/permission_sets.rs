//! Roles of an organization's own making: `PUT`, `GET` and `DELETE …/permission-sets`.

use std::sync::Arc;

use access::{Operation, Permissions};
use axum::extract::State;
use axum::http::StatusCode;
use dialect::App;
use ledger::{Act, PeopleAct};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::member::names;
use super::rights::find_set;
use crate::answer::{Answer, List};
use crate::input::{Input, Named, NamedWithin};
use crate::look::look;
use crate::operator::administer;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::submit_as;
use crate::values::is_words;

/// Define a set of permissions
///
/// By a name, in place of a role; whoever has it already may what it says from the next call on. Nobody puts
/// in what they may not do themselves.
#[utoipa::path(
    put, path = "/organizations/{organization}/permission-sets/{name}", tag = "people",
    operation_id = "define_permissions",
    params(
        ("organization" = String, Path, description = "The organization's name"),
        ("name" = String, Path, description = "1 to 64 characters"),
    ),
    request_body = DefinePermissions,
    responses((status = 200, description = "It is defined", body = PermissionSet)),
    extensions(("x-operation" = json!(["ManagePermissions"])), ("x-problems" = json!([
        "organization-not-found", "too-many-members",
    ]))),
)]
pub(crate) async fn define(
    caller: Signed,
    State(app): State<Arc<App>>,
    NamedWithin(organization, name): NamedWithin,
    input: Input,
) -> Result<Answer<PermissionSet>, Problem> {
    let (organization, actor) = administer(&app, &caller.0, Operation::ManagePermissions, &organization)?;
    let asked: DefinePermissions = input.read()?;
    if !is_words(&name, NAME_CHARACTERS_MAX) {
        return Err(Problem::field("name", "expected 1 to 64 characters without control characters"));
    }
    let mut operations = Vec::new();
    for text in &asked.operations {
        let operation = Operation::parse(text);
        operations.push(operation.ok_or_else(|| {
            Problem::field("operations", format!("{} is no operation", text.escape_debug()))
        })?);
    }
    let permissions = Permissions::of(operations);
    if !caller.0.permissions().contains(permissions) {
        return Err(Problem::new(Kind::Forbidden).with_detail("these are more than the caller's own"));
    }
    let act = PeopleAct::DefinePermissions {
        organization,
        name: name.as_str().into(),
        operations: permissions.bits(),
    };
    submit_as(&app, actor, Act::People(Box::new(act)), None).await?;
    Ok(Answer::ok(PermissionSet { name, operations: names(permissions) }))
}

const NAME_CHARACTERS_MAX: usize = 64;

/// List the sets of permissions of an organization
#[utoipa::path(
    get, path = "/organizations/{organization}/permission-sets", tag = "people",
    operation_id = "list_permissions",
    params(("organization" = String, Path, description = "The organization's name")),
    responses((status = 200, description = "All of them", body = List<PermissionSet>)),
    extensions(("x-operation" = json!(["ManagePermissions"])), ("x-problems" = json!([
        "organization-not-found",
    ]))),
)]
pub(crate) async fn list(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(organization): Named,
) -> Result<Answer<List<PermissionSet>>, Problem> {
    let (organization, _) = administer(&app, &caller.0, Operation::ManagePermissions, &organization)?;
    let sets = look(&app, &caller.0, move |ledger, _, _| {
        let sets = ledger.permission_sets().map(|(_, set)| set);
        let own = sets.filter(|set| set.organization == organization && !set.removed);
        Ok(own.map(|set| (set.name.as_ref().to_owned(), set.operations)).collect::<Vec<_>>())
    });
    let view = |(name, bits)| PermissionSet { name, operations: names(Permissions::from_bits(bits)) };
    Ok(Answer::ok(List { data: sets.await?.into_iter().map(view).collect(), next_cursor: None }))
}

/// Remove a set of permissions
///
/// Once nobody has it and nobody is invited to have it.
#[utoipa::path(
    delete, path = "/organizations/{organization}/permission-sets/{name}", tag = "people",
    operation_id = "remove_permissions",
    params(
        ("organization" = String, Path, description = "The organization's name"),
        ("name" = String, Path, description = "The name of the set"),
    ),
    responses((status = 204, description = "It is gone")),
    extensions(("x-operation" = json!(["ManagePermissions"])), ("x-problems" = json!([
        "organization-not-found", "permission-set-not-found", "permission-set-in-use",
    ]))),
)]
pub(crate) async fn remove(
    caller: Signed,
    State(app): State<Arc<App>>,
    NamedWithin(organization, name): NamedWithin,
) -> Result<StatusCode, Problem> {
    let (organization, actor) = administer(&app, &caller.0, Operation::ManagePermissions, &organization)?;
    let (set, _) = find_set(&app, organization, &name).await?;
    submit_as(&app, actor, Act::People(Box::new(PeopleAct::RemovePermissions { set })), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"operations": ["read-accounts", "read-entries", "refund"]}))]
pub(crate) struct DefinePermissions {
    /// By their names, as `GET /me` lists them.
    operations: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PermissionSet {
    name: String,
    operations: Vec<String>,
}
