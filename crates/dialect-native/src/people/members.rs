//! Who belongs where: `GET …/members` of an organization and of a family, `PATCH` and `DELETE
//! /memberships/{membership}`, and the primary user's role handed over.

use std::sync::Arc;

use access::{Caller, Operation};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use dialect::App;
use ledger::{AccountIndex, Act, Actor, MembershipIndex, PeopleAct, Rights, Within};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::member::{Member, Seen};
use super::page::page;
use super::rights::{self, Wanted};
use super::roles::RoleName;
use super::sessions::named;
use crate::answer::{Answer, List};
use crate::input::{Input, Named, Paging};
use crate::look::{look, look_at};
use crate::operator::administer;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::submit::submit;
use crate::values::Name;

/// List the people of an organization
///
/// On the seller's side, in the order they came.
#[utoipa::path(
    get, path = "/organizations/{organization}/members", tag = "people", operation_id = "list_members",
    params(("organization" = String, Path, description = "The organization's name"), Paging),
    responses((status = 200, description = "A page of members", body = List<Member>)),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!(["organization-not-found"]))),
)]
pub(crate) async fn of_organization(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Member>>, Problem> {
    let (organization, _) = administer(&app, &caller.0, Operation::ManageUsers, &name)?;
    list(&app, &caller, Within::Organization(organization), paging).await
}

/// List the people of a family
///
/// The primary user and the team members of a root account.
#[utoipa::path(
    get, path = "/accounts/{account}/members", tag = "people", operation_id = "list_family_members",
    params(("account" = String, Path, description = "Any handle of the root account"), Paging),
    responses((status = 200, description = "A page of members", body = List<Member>)),
    extensions(("x-operation" = json!(["ManageMembers"])), ("x-problems" = json!([
        "account-not-found", "not-a-root",
    ]))),
)]
pub(crate) async fn of_family(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Member>>, Problem> {
    caller.may(Operation::ManageMembers)?;
    let root = root(&app, &caller.0, &name).await?;
    list(&app, &caller, Within::Family(root), paging).await
}

/// A root account that the caller sees.
pub(crate) async fn root(app: &App, caller: &Caller, name: &str) -> Result<AccountIndex, Problem> {
    let index = account(app, caller, name)?;
    let is_root = look_at(app, caller, index, move |ledger, _| ledger.account(index).parent.is_none());
    if is_root.await? { Ok(index) } else { Err(Problem::new(Kind::NotARoot)) }
}

async fn list(
    app: &App,
    caller: &Signed,
    within: Within,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Member>>, Problem> {
    page(app, caller, paging, move |ledger, _, after, room| {
        let members = ledger.members(within, after).take(room);
        members.map(|(index, it)| Seen::of(ledger, index, it)).collect()
    })
    .await
}

/// A membership that a client names, where its family or organization is in reach; else not there.
pub(crate) async fn find(
    app: &App,
    caller: &Caller,
    text: &str,
) -> Result<(MembershipIndex, Within), Problem> {
    let unknown = || Problem::new(Kind::MembershipNotFound);
    let index = named(app.engine.seals(), text).ok_or_else(unknown)?;
    let own = caller.account();
    look(app, caller, move |ledger, _, sight| {
        let known = ledger.find_membership(index).filter(|it| it.is_live());
        let known = known.ok_or(Kind::MembershipNotFound)?;
        let is_reached = match known.within {
            Within::Organization(organization) => own.is_none() && sight.is_of(organization),
            Within::Family(root) => sight.reaches(ledger, root),
        };
        if is_reached { Ok((index, known.within)) } else { Err(Kind::MembershipNotFound) }
    })
    .await
}

/// Change what a member may do
///
/// From the next call on: a role or a set of permissions, over all accounts or those that are named.
#[utoipa::path(
    patch, path = "/memberships/{membership}", tag = "people", operation_id = "change_membership",
    params(("membership" = String, Path, description = "The id of the membership")),
    request_body = ChangeMembership,
    responses((status = 204, description = "It counts from now on")),
    extensions(("x-operation" = json!(["ManageMembers", "ManageUsers"])), ("x-problems" = json!([
        "membership-not-found", "primary-user-stays", "primary-user-exists", "permission-set-not-found",
        "account-not-found", "too-many-members",
    ]))),
)]
pub(crate) async fn change(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    input: Input,
) -> Result<StatusCode, Problem> {
    manages_people(&caller)?;
    let (membership, within) = find(&app, &caller.0, &name).await?;
    caller.may(rights::operation(within))?;
    rights::may_change(&app, &caller.0, membership)?;
    let asked: ChangeMembership = input.read()?;
    let wanted = Wanted {
        role: asked.role,
        permissions: asked.permissions.as_ref(),
        accounts: asked.accounts.as_deref(),
    };
    let (rights, accounts) = rights::read(&app, &caller.0, within, &wanted).await?;
    let act = PeopleAct::ChangeMembership { membership, rights, accounts };
    submit(&app, &caller.0, Act::People(Box::new(act)), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a membership
///
/// Its sessions and tokens end with it, at once. The primary user's stays until it is handed over.
#[utoipa::path(
    delete, path = "/memberships/{membership}", tag = "people", operation_id = "end_membership",
    params(("membership" = String, Path, description = "The id of the membership")),
    responses((status = 204, description = "It has ended")),
    extensions(("x-operation" = json!(["ManageMembers", "ManageUsers"])), ("x-problems" = json!([
        "membership-not-found", "primary-user-stays",
    ]))),
)]
pub(crate) async fn end(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    manages_people(&caller)?;
    let (membership, within) = find(&app, &caller.0, &name).await?;
    caller.may(rights::operation(within))?;
    rights::may_change(&app, &caller.0, membership)?;
    let act = Act::People(Box::new(PeopleAct::EndMembership { membership }));
    submit(&app, &caller.0, act, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asked before it is known where somebody belongs: who may neither is told nothing of that.
pub(crate) fn manages_people(caller: &Signed) -> Result<(), Problem> {
    caller.may(Operation::ManageUsers).or_else(|_| caller.may(Operation::ManageMembers))
}

/// Hand over the role of the primary user
///
/// To another member of the family; who had it becomes an admin of the family. By the primary user, or by the
/// seller.
#[utoipa::path(
    post, path = "/accounts/{account}/primary-user", tag = "people", operation_id = "hand_over",
    params(("account" = String, Path, description = "Any handle of the root account")),
    request_body = HandOver,
    responses((status = 204, description = "The family has another primary user")),
    extensions(("x-operation" = json!(["HandOver"])), ("x-problems" = json!([
        "account-not-found", "not-a-root", "membership-not-found",
    ]))),
)]
pub(crate) async fn hand_over(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    input: Input,
) -> Result<StatusCode, Problem> {
    caller.may(Operation::HandOver)?;
    let root = root(&app, &caller.0, &name).await?;
    let asked: HandOver = input.read()?;
    let to = named(app.engine.seals(), &asked.membership);
    let to = to.ok_or_else(|| Problem::new(Kind::MembershipNotFound).with_field("membership"))?;
    let former = Rights::Role(access::Role::Admin.code());
    let act = Act::People(Box::new(PeopleAct::HandOver { root, to, former }));
    submit(&app, &caller.0, act, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// On whose word the server acts for the caller.
pub(crate) fn actor_within(app: &App, caller: &Caller, within: Within) -> Actor {
    let is_own = match within {
        Within::Organization(organization) => organization == caller.organization(),
        Within::Family(_) => true,
    };
    if !is_own && crate::operator::is_operator(app, caller) { Actor::System } else { caller.actor() }
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "finance"}))]
pub(crate) struct ChangeMembership {
    role: Option<RoleName>,
    /// A set of permissions by its name, in place of a role.
    permissions: Option<Name>,
    /// Any handles of the accounts it is limited to, 100 at most; absent: all.
    accounts: Option<Vec<String>>,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"membership": "0b6f9f0e-3a52-4f0e-9d3a-6b7f3d1c2a10"}))]
pub(crate) struct HandOver {
    /// Of whoever is to be the primary user.
    membership: String,
}
