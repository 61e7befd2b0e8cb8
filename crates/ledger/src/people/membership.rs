//! Memberships: where a user acts, with which rights, and over which accounts.
//!
//! One person may belong to the seller's side and to families; each belonging is a membership, and a
//! session acts under exactly one. A family has at most one primary user: it comes with the first owner
//! of the family, goes on by hand-over, and is never lost.

use std::sync::Arc;

use domain::Timestamp;

use super::RoleCode;
use crate::{AccountIndex, EventRef, OrganizationIndex, PermissionSetIndex, UserIndex};

/// On which side, and how far at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Within {
    /// The seller's side.
    Organization(OrganizationIndex),
    /// The family of this root account.
    Family(AccountIndex),
}

/// What one may do there: a role of the callers' table, or a set that the organization defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    Role(RoleCode),
    Set(PermissionSetIndex),
}

/// The accounts that a membership is about, their descendants included; none: all that are within.
pub type Chosen = Arc<[AccountIndex]>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub user: UserIndex,
    pub within: Within,
    pub rights: Rights,
    pub accounts: Chosen,
    pub granted_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub last: EventRef,
}

/// A named set of operations, for roles of an organization's own making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSet {
    pub organization: OrganizationIndex,
    pub name: Arc<str>,
    /// A bit per operation of the callers' table. Here it is only kept.
    pub operations: u64,
    pub removed: bool,
    pub last: EventRef,
}

/// Bounds that keep lists short and walks cheap.
pub const MEMBERS_MAX: usize = 10_000;
pub const MEMBERSHIPS_OF_USER_MAX: usize = 100;
pub const MEMBER_ACCOUNTS_MAX: usize = 100;
pub const PERMISSION_SETS_MAX: usize = 100;

impl Membership {
    pub fn is_live(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Of a family: the one whose rights have no limit there.
    pub fn is_primary(&self) -> bool {
        matches!(self.within, Within::Family(_)) && self.rights == Rights::Role(RoleCode::OWNER)
    }
}
