//! The roles of people and of the seller's programs, by name.

use access::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Role)]
pub(crate) enum RoleName {
    /// Everything.
    Owner,
    /// Everything but what makes or ends owners, organizations and servers.
    Admin,
    /// Money, credit and corrections; no people, no credentials.
    Finance,
    /// Integrates: accounts, usage, holds; no money is made.
    Developer,
    /// Looks.
    ReadOnly,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Finance => Self::Finance,
            RoleName::Developer => Self::Developer,
            RoleName::ReadOnly => Self::ReadOnly,
        }
    }
}

impl RoleName {
    /// None for an account's own role: no token and no user has it.
    pub(crate) fn of(role: Role) -> Option<Self> {
        match role {
            Role::Owner => Some(Self::Owner),
            Role::Admin => Some(Self::Admin),
            Role::Finance => Some(Self::Finance),
            Role::Developer => Some(Self::Developer),
            Role::ReadOnly => Some(Self::ReadOnly),
            Role::Account => None,
        }
    }
}
