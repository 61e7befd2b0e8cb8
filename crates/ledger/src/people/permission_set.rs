//! Sets of permissions: roles of an organization's own making.

use std::sync::Arc;

use super::{PeopleEvent, Rights};
use crate::draft::Draft;
use crate::rejection::PeopleRejection as No;
use crate::{EventRef, OrganizationIndex, PermissionSetIndex, Rejection};

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

/// Of one organization.
pub const PERMISSION_SETS_MAX: usize = 100;

pub(super) fn define(
    draft: &Draft<'_>,
    organization: OrganizationIndex,
    name: &Arc<str>,
    operations: u64,
) -> Result<PeopleEvent, Rejection> {
    draft.whole(organization)?;
    let sets =
        draft.ledger.permission_sets().filter(|(_, it)| it.organization == organization && !it.removed);
    let (mut count, mut same) = (0, None);
    for (index, set) in sets {
        count += 1;
        if set.name == *name {
            same = Some((index, set.operations));
        }
    }
    if same.is_none() && count >= PERMISSION_SETS_MAX {
        return Err(No::TooMany { max: PERMISSION_SETS_MAX as u32 }.into());
    }
    let next = PermissionSetIndex::new(draft.ledger.people.sets.len());
    let defined =
        PermissionSet { organization, name: name.clone(), operations, removed: false, last: EventRef::NONE };
    Ok(PeopleEvent::PermissionsDefined {
        set: same.map_or(next, |(index, _)| index),
        defined: Box::new(defined),
        before: same.map(|(_, before)| before),
    })
}

pub(super) fn remove(draft: &Draft<'_>, index: PermissionSetIndex) -> Result<PeopleEvent, Rejection> {
    let set = draft.ledger.permission_set(index);
    draft.whole(set.organization).map_err(|_| No::PermissionSetNotFound)?;
    if set.removed {
        return Err(No::PermissionSetNotFound.into());
    }
    let now = draft.now;
    let is_used = draft.ledger.memberships().any(|(_, it)| it.is_live() && it.rights == Rights::Set(index))
        || draft
            .ledger
            .people
            .invitations
            .iter()
            .any(|it| it.is_open(now) && it.rights == Rights::Set(index));
    if is_used {
        Err(No::PermissionSetInUse.into())
    } else {
        Ok(PeopleEvent::PermissionsRemoved { set: index })
    }
}
