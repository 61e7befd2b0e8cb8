//! Which rights are asked for, and whether whoever asks may give them.

use access::{Caller, Operation, Permissions, Role};
use dialect::App;
use ledger::{Chosen, Ledger, MembershipIndex, OrganizationIndex, PermissionSetIndex, Rights, Within};

use super::roles::RoleName;
use crate::look::find_in_field;
use crate::problem::{Kind, Problem};
use crate::values::Name;

/// As a body says it: a role or a set of permissions, and over which accounts.
pub(crate) struct Wanted<'a> {
    pub(crate) role: Option<RoleName>,
    pub(crate) permissions: Option<&'a Name>,
    pub(crate) accounts: Option<&'a [String]>,
}

/// Nobody gives what they have not, on their own side.
pub(crate) async fn read(
    app: &App,
    caller: &Caller,
    within: Within,
    wanted: &Wanted<'_>,
) -> Result<(Rights, Chosen), Problem> {
    let (rights, operations) = match (wanted.role, wanted.permissions) {
        (Some(_), Some(_)) => {
            return Err(Problem::field("permissions", "stands beside role: give one of them"));
        }
        (None, None) => {
            return Err(Problem::new(Kind::MissingField)
                .with_field("role")
                .with_detail("role, or permissions"));
        }
        (Some(role), None) => (Rights::Role(Role::from(role).code()), 0),
        (None, Some(name)) => {
            let (set, operations) = find_set(app, organization(app, within).await?, name.as_str()).await?;
            (Rights::Set(set), operations)
        }
    };
    may_give(caller, within, rights, operations)?;
    let mut accounts = Vec::new();
    for text in wanted.accounts.unwrap_or_default() {
        accounts.push(find_in_field(app, caller, "accounts", text).await?);
    }
    if wanted.accounts.is_some_and(<[String]>::is_empty) {
        return Err(Problem::field("accounts", "leave it out for all accounts"));
    }
    Ok((rights, accounts.into()))
}

/// The seller stands above families; among themselves people give at most what they have.
fn may_give(caller: &Caller, within: Within, rights: Rights, operations: u64) -> Result<(), Problem> {
    let is_above = caller.account().is_none() && matches!(within, Within::Family(_));
    let asked = Permissions::of_rights(rights, operations, within);
    if is_above || caller.permissions().contains(asked) {
        return Ok(());
    }
    let first = asked.operations().find(|operation| !caller.permissions().may(*operation));
    let detail = first.map_or("", Operation::text);
    Err(Problem::new(Kind::Forbidden)
        .with_detail(format!("these rights are more than the caller's own: to {detail}")))
}

/// Whether the caller may change what a member has now.
pub(crate) fn may_change(app: &App, caller: &Caller, membership: MembershipIndex) -> Result<(), Problem> {
    let known = app.engine.directory().member(membership);
    let known = known.ok_or_else(|| Problem::new(Kind::MembershipNotFound))?;
    if known.organization != caller.organization() {
        return Ok(());
    }
    may_give(caller, known.within, known.rights, known.operations)
}

/// Which operation it takes to say who belongs there.
pub(crate) fn operation(within: Within) -> Operation {
    match within {
        Within::Organization(_) => Operation::ManageUsers,
        Within::Family(_) => Operation::ManageMembers,
    }
}

async fn organization(app: &App, within: Within) -> Result<OrganizationIndex, Problem> {
    Ok(app.engine.read(move |ledger: &Ledger, _| ledger.organization_within(within)).await?)
}

pub(crate) async fn find_set(
    app: &App,
    organization: OrganizationIndex,
    name: &str,
) -> Result<(PermissionSetIndex, u64), Problem> {
    let name = name.to_owned();
    let found = app.engine.read(move |ledger: &Ledger, _| {
        let mut sets = ledger.permission_sets();
        let found =
            sets.find(|(_, set)| set.organization == organization && !set.removed && *set.name == *name);
        found.map(|(index, set)| (index, set.operations))
    });
    found.await?.ok_or_else(|| Problem::new(Kind::PermissionSetNotFound).with_field("permissions"))
}
