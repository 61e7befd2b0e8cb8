//! A member, as clients see one: who, where, and what they may do.

use access::{Permissions, Role};
use engine::{Id, Seals};
use ledger::{Chosen, Ledger, Membership, MembershipIndex, Rights, Text, UserIndex, Within};
use serde::Serialize;
use utoipa::ToSchema;

use super::page::Listed;
use super::rights::over;
use super::roles::RoleName;
use crate::accounts::view::string;
use crate::ids;
use crate::look::Sight;
use crate::values::Time;

/// What is read of one in the book.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) index: MembershipIndex,
    membership: Membership,
    email: Text,
    organization: String,
    set: Option<String>,
}

impl Seen {
    pub(crate) fn of(ledger: &Ledger, index: MembershipIndex, membership: &Membership) -> Self {
        let organization = ledger.organization_within(membership.within);
        Self {
            index,
            membership: membership.clone(),
            email: ledger.user(membership.user).email.clone(),
            organization: ledger.organization(organization).name.as_ref().to_owned(),
            set: set_name(ledger, membership.rights),
        }
    }

    pub(crate) fn view(&self, seals: &Seals) -> Member {
        let it = &self.membership;
        Member {
            id: ids::print(seals, Id::Membership(self.index)),
            user: ids::print(seals, Id::User(it.user)),
            email: string(&self.email),
            organization: self.organization.clone(),
            family: family(seals, it.within),
            role: role(it.rights),
            permissions: self.set.clone(),
            primary: it.is_primary(),
            accounts: accounts(seals, &it.accounts),
            granted_at: it.granted_at.into(),
        }
    }
}

impl Listed for Seen {
    type Index = MembershipIndex;
    type View = Member;

    fn place(id: Id) -> Option<MembershipIndex> {
        match id {
            Id::Membership(place) => Some(place),
            _ => None,
        }
    }

    fn id(&self) -> Id {
        Id::Membership(self.index)
    }

    fn is_seen(&self, ledger: &Ledger, sight: Sight) -> bool {
        let it = &self.membership;
        sight.is_user(ledger, it.user) || sight.sees_about(ledger, &over(it.within, &it.accounts))
    }

    fn view(&self, seals: &Seals) -> Member {
        Self::view(self, seals)
    }
}

pub(crate) fn set_name(ledger: &Ledger, rights: Rights) -> Option<String> {
    match rights {
        Rights::Role(_) => None,
        Rights::Set(set) => Some(ledger.permission_set(set).name.as_ref().to_owned()),
    }
}

pub(crate) fn role(rights: Rights) -> Option<RoleName> {
    match rights {
        Rights::Role(code) => Role::from_code(code).and_then(RoleName::of),
        Rights::Set(_) => None,
    }
}

pub(crate) fn family(seals: &Seals, within: Within) -> Option<String> {
    match within {
        Within::Organization(_) => None,
        Within::Family(root) => Some(ids::account(seals, root)),
    }
}

pub(crate) fn accounts(seals: &Seals, chosen: &Chosen) -> Option<Vec<String>> {
    let all = || chosen.iter().map(|account| ids::account(seals, *account)).collect();
    (!chosen.is_empty()).then(all)
}

pub(crate) fn names(permissions: Permissions) -> Vec<String> {
    permissions.operations().map(access::Operation::name).collect()
}

/// Where a user acts, and with which rights.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Member {
    /// Of the membership.
    id: String,
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    organization: String,
    /// The root account, for who belongs to a family; absent on the seller's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<RoleName>,
    /// The set of permissions, where it is no role.
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<String>,
    /// The one whose rights have no limit in the family.
    primary: bool,
    /// The accounts it is limited to, their descendants included; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<String>>,
    granted_at: Time,
}

/// A user, without where they belong.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Person {
    id: String,
    organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Whether a code is asked for besides the password.
    second_factor: bool,
    created_at: Time,
}

impl Person {
    pub(crate) fn of(ledger: &Ledger, seals: &Seals, index: UserIndex) -> Self {
        let user = ledger.user(index);
        Self {
            id: ids::print(seals, Id::User(index)),
            organization: ledger.organization(user.organization).name.as_ref().to_owned(),
            email: string(&user.email),
            second_factor: user.factor().is_some(),
            created_at: user.created_at.into(),
        }
    }
}
