//! A member, as clients see one: who, where, and what they may do.

use access::Permissions;
use domain::Timestamp;
use engine::{Id, Seals};
use ledger::{Ledger, Membership, MembershipIndex, Text, UserIndex};
use serde::Serialize;
use utoipa::ToSchema;

use super::belonging::Belonging;
use super::page::Listed;
use super::roles::RoleName;
use crate::accounts::view::string;
use crate::ids;
use crate::look::Sight;
use crate::values::Time;

/// What is read of one in the book.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) index: MembershipIndex,
    user: UserIndex,
    email: Text,
    belonging: Belonging,
    primary: bool,
    granted_at: Timestamp,
}

impl Seen {
    pub(crate) fn of(ledger: &Ledger, index: MembershipIndex, it: &Membership) -> Self {
        Self {
            index,
            user: it.user,
            email: ledger.user(it.user).email.clone(),
            belonging: Belonging::of(ledger, it.within, it.rights, &it.accounts),
            primary: it.is_primary(),
            granted_at: it.granted_at,
        }
    }

    pub(crate) fn view(&self, seals: &Seals) -> Member {
        Member {
            id: ids::print(seals, Id::Membership(self.index)),
            user: ids::print(seals, Id::User(self.user)),
            email: string(&self.email),
            organization: self.belonging.organization.clone(),
            family: self.belonging.family(seals),
            role: self.belonging.role(),
            permissions: self.belonging.set.clone(),
            primary: self.primary,
            accounts: self.belonging.accounts(seals),
            granted_at: self.granted_at.into(),
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
        sight.is_user(ledger, self.user) || self.belonging.is_seen(ledger, sight)
    }

    fn view(&self, seals: &Seals) -> Member {
        Self::view(self, seals)
    }
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
