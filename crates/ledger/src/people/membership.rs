//! Memberships: where a user acts, with which rights, and over which accounts.
//!
//! One person may belong to the seller's side and to families; each belonging is a membership, and a
//! session acts under exactly one. A family has at most one primary user: it comes with the first owner
//! of the family, goes on by hand-over, and is never lost.

use std::sync::Arc;

use domain::Timestamp;

use super::decide::administers;
use super::{Authority, PeopleEvent, RoleCode};
use crate::draft::Draft;
use crate::rejection::PeopleRejection as No;
use crate::{
    AccountIndex, EventRef, MembershipIndex, OrganizationIndex, PermissionSetIndex, Rejection, UserIndex,
};

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

/// Bounds that keep lists short and walks cheap.
pub const MEMBERS_MAX: usize = 10_000;
pub const MEMBERSHIPS_OF_USER_MAX: usize = 100;
pub const MEMBER_ACCOUNTS_MAX: usize = 100;

impl Membership {
    pub fn is_live(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Of a family: the one whose rights have no limit there.
    pub fn is_primary(&self) -> bool {
        matches!(self.within, Within::Family(_)) && self.rights == Rights::Role(RoleCode::OWNER)
    }
}

pub(super) fn change(
    draft: &Draft<'_>,
    index: MembershipIndex,
    rights: Rights,
    accounts: &Chosen,
) -> Result<PeopleEvent, Rejection> {
    let known = live(draft, index)?;
    fits(draft, known.within, rights, accounts)?;
    let is_owner = rights == Rights::Role(RoleCode::OWNER);
    if known.is_primary() && !is_owner {
        return Err(No::PrimaryStays.into());
    }
    if !known.is_primary() && is_owner {
        no_primary(draft, known.within)?;
    }
    Ok(PeopleEvent::MembershipChanged {
        membership: index,
        rights,
        accounts: accounts.clone(),
        rights_before: known.rights,
        accounts_before: known.accounts.clone(),
    })
}

pub(super) fn hand_over(
    draft: &Draft<'_>,
    root: AccountIndex,
    to: MembershipIndex,
    former: Rights,
) -> Result<PeopleEvent, Rejection> {
    administers(draft, Within::Family(root))?;
    let from = draft.ledger.primary(root).ok_or(No::MembershipNotFound)?;
    // Within the family only the primary user itself gives the role away.
    if let Authority::Buyer(_) = draft.authority
        && draft.user != Some(draft.ledger.membership(from).user)
    {
        return Err(Rejection::SellerOnly);
    }
    let heir = live(draft, to)?;
    if heir.within != Within::Family(root) || to == from {
        return Err(No::MembershipNotFound.into());
    }
    if former == Rights::Role(RoleCode::OWNER) {
        return Err(No::PrimaryExists.into());
    }
    fits(draft, heir.within, former, &Arc::default())?;
    Ok(PeopleEvent::HandedOver { root, from, to, former })
}

pub(super) fn grant(
    draft: &Draft<'_>,
    user: UserIndex,
    within: Within,
    rights: Rights,
    accounts: &Chosen,
) -> Result<Box<Membership>, Rejection> {
    fits(draft, within, rights, accounts)?;
    if draft.ledger.memberships_of(user).any(|(_, it)| it.within == within) {
        return Err(No::AlreadyMember.into());
    }
    if rights == Rights::Role(RoleCode::OWNER) {
        no_primary(draft, within)?;
    }
    if draft.ledger.memberships_of(user).count() >= MEMBERSHIPS_OF_USER_MAX {
        return Err(No::TooMany { max: MEMBERSHIPS_OF_USER_MAX as u32 }.into());
    }
    if draft.ledger.members(within, None).count() >= MEMBERS_MAX {
        return Err(No::TooMany { max: MEMBERS_MAX as u32 }.into());
    }
    Ok(Box::new(Membership {
        user,
        within,
        rights,
        accounts: accounts.clone(),
        granted_at: draft.now,
        ended_at: None,
        last: EventRef::NONE,
    }))
}

pub(super) fn next(draft: &Draft<'_>) -> MembershipIndex {
    MembershipIndex::new(draft.ledger.people.memberships.len())
}

pub(super) fn live<'a>(draft: &Draft<'a>, index: MembershipIndex) -> Result<&'a Membership, Rejection> {
    let known = draft.ledger.find_membership(index).filter(|it| it.is_live());
    let known = known.ok_or(No::MembershipNotFound)?;
    administers(draft, known.within).map_err(|_| No::MembershipNotFound)?;
    Ok(known)
}

/// Whether rights and accounts are of that side or family at all.
pub(super) fn fits(
    draft: &Draft<'_>,
    within: Within,
    rights: Rights,
    accounts: &Chosen,
) -> Result<(), Rejection> {
    if accounts.len() > MEMBER_ACCOUNTS_MAX {
        return Err(No::TooMany { max: MEMBER_ACCOUNTS_MAX as u32 }.into());
    }
    let organization = draft.ledger.organization_within(within);
    for account in accounts.iter() {
        let known = draft.ledger.account(*account);
        let is_within = match within {
            Within::Organization(organization) => known.organization == organization,
            Within::Family(root) => known.root == root,
        };
        if !is_within {
            return Err(Rejection::AccountNotFound);
        }
    }
    match rights {
        Rights::Set(set) => {
            let known = draft.ledger.permission_set(set);
            if known.organization == organization && !known.removed {
                Ok(())
            } else {
                Err(No::PermissionSetNotFound.into())
            }
        }
        // The primary user is not limited: somebody in the family has to be able to do everything.
        Rights::Role(RoleCode::OWNER) if matches!(within, Within::Family(_)) && !accounts.is_empty() => {
            Err(No::PrimaryStays.into())
        }
        Rights::Role(_) => Ok(()),
    }
}

pub(super) fn no_primary(draft: &Draft<'_>, within: Within) -> Result<(), Rejection> {
    match within {
        Within::Family(root) if draft.ledger.primary(root).is_some() => Err(No::PrimaryExists.into()),
        Within::Family(_) | Within::Organization(_) => Ok(()),
    }
}
