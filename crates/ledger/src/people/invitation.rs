//! Invitations: a membership that waits for somebody. The link that proves one is signed by the server's
//! keys, so nothing of it is kept.

use std::sync::Arc;

use domain::Timestamp;

use super::decide::{administers, internal, room_for_a_letter};
use super::{Chosen, NewUser, PeopleAct, PeopleEvent, Rights, RoleCode, Within, membership, provider};
use crate::draft::Draft;
use crate::rejection::PeopleRejection as No;
use crate::{EventRef, InvitationIndex, Rejection, Text, UserIndex};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub within: Within,
    pub rights: Rights,
    pub accounts: Chosen,
    /// Keyed hash of the address; the address itself is sealed.
    pub email_digest: u128,
    pub email: Text,
    pub invited_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was accepted or revoked.
    pub closed_at: Option<Timestamp>,
    pub last: EventRef,
}

/// Open ones of one organization's side or family.
pub const INVITATIONS_MAX: usize = 1_000;
pub const INVITATION_LIFE_MAX_SECS: i64 = 30 * 24 * 3600;

impl Invitation {
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.closed_at.is_none() && now < self.expires_at
    }
}

pub(super) fn invite(draft: &Draft<'_>, act: &PeopleAct) -> Result<PeopleEvent, Rejection> {
    let PeopleAct::Invite { within, rights, accounts, email_digest, email, expires_at, by_mail } = act else {
        unreachable!("asked for invitations only")
    };
    if *by_mail {
        room_for_a_letter(draft)?;
    }
    administers(draft, *within)?;
    membership::fits(draft, *within, *rights, accounts)?;
    if *rights == Rights::Role(RoleCode::OWNER) {
        membership::no_primary(draft, *within)?;
    }
    lasts(draft.now, *expires_at)?;
    let open = draft.ledger.invitations(*within, None).filter(|(_, it)| it.is_open(draft.now));
    if open.count() >= INVITATIONS_MAX {
        return Err(No::TooMany { max: INVITATIONS_MAX as u32 }.into());
    }
    let invited = Box::new(Invitation {
        within: *within,
        rights: *rights,
        accounts: accounts.clone(),
        email_digest: *email_digest,
        email: email.clone(),
        invited_at: draft.now,
        expires_at: *expires_at,
        closed_at: None,
        last: EventRef::NONE,
    });
    let invitation = InvitationIndex::new(draft.ledger.people.invitations.len());
    Ok(PeopleEvent::Invited { invitation, invited })
}

fn lasts(now: Timestamp, expires_at: Timestamp) -> Result<(), Rejection> {
    let is_fitting = now < expires_at && expires_at <= now.plus_secs(INVITATION_LIFE_MAX_SECS);
    if is_fitting { Ok(()) } else { Err(No::LifeOutOfRange.into()) }
}

pub(super) fn accept(
    draft: &Draft<'_>,
    index: InvitationIndex,
    password: Option<&Arc<str>>,
    subject: Option<u128>,
) -> Result<PeopleEvent, Rejection> {
    internal(draft)?;
    let invitation = draft.ledger.invitation(index).filter(|it| it.is_open(draft.now));
    let invitation = invitation.ok_or(No::InvitationNotFound)?;
    let organization = draft.ledger.organization_within(invitation.within);
    let known = draft.ledger.find_user(organization, invitation.email_digest);
    let user = known.unwrap_or_else(|| UserIndex::new(draft.ledger.users.len()));
    let new = match known {
        Some(_) => None,
        None if password.is_none() && subject.is_none() => return Err(No::PasswordMissing.into()),
        None => {
            subject.map_or(Ok(()), |subject| provider::unknown(draft, organization, subject))?;
            Some(Box::new(NewUser {
                organization,
                email_digest: invitation.email_digest,
                email: invitation.email.clone(),
                password: password.cloned(),
                subject,
            }))
        }
    };
    let granted = membership::grant(draft, user, invitation.within, invitation.rights, &invitation.accounts)?;
    Ok(PeopleEvent::InvitationAccepted {
        invitation: index,
        user,
        new,
        accepted_at: draft.now,
        membership: membership::next(draft),
        granted,
    })
}
