//! Judges acts about people. Who may grant which rights is for the callers' table; here it is decided on
//! whose side somebody stands, that nobody reaches beyond it, and that nothing is done twice.

use super::letter::{About, LETTERS_MAX};
use super::{
    Authority, Chosen, NewUser, PeopleAct, PeopleEvent, RECOVERY_CODES_MAX, Rights, User, Within, invitation,
    membership, permission_set, provider, session,
};
use crate::draft::Draft;
use crate::rejection::PeopleRejection as No;
use crate::{Event, OrganizationIndex, Rejection, UserIndex};

pub(crate) fn decide(draft: &mut Draft<'_>, act: &PeopleAct) -> Result<(), Rejection> {
    let event = match act {
        PeopleAct::AddUser { new, within, rights, accounts } => {
            add_user(draft, new, *within, *rights, accounts)?
        }
        PeopleAct::RemoveUser { user } => remove_user(draft, *user)?,
        PeopleAct::Grant { user, within, rights, accounts } => {
            administers(draft, *within)?;
            live_user(draft, *user, draft.ledger.organization_within(*within))?;
            let granted = membership::grant(draft, *user, *within, *rights, accounts)?;
            PeopleEvent::Granted { membership: membership::next(draft), granted }
        }
        PeopleAct::ChangeMembership { membership, rights, accounts } => {
            membership::change(draft, *membership, *rights, accounts)?
        }
        PeopleAct::EndMembership { membership } => {
            let known = membership::live(draft, *membership)?;
            if known.is_primary() {
                return Err(No::PrimaryStays.into());
            }
            PeopleEvent::MembershipEnded { membership: *membership, ended_at: draft.now }
        }
        PeopleAct::HandOver { root, to, former } => membership::hand_over(draft, *root, *to, *former)?,
        PeopleAct::Invite { .. } => invitation::invite(draft, act)?,
        PeopleAct::RevokeInvitation { invitation } => {
            let known = draft.ledger.invitation(*invitation).ok_or(No::InvitationNotFound)?;
            administers(draft, known.within).map_err(|_| No::InvitationNotFound)?;
            if !known.is_open(draft.now) {
                return Err(No::InvitationNotFound.into());
            }
            PeopleEvent::InvitationRevoked { invitation: *invitation, revoked_at: draft.now }
        }
        PeopleAct::AcceptInvitation { invitation, password, subject } => {
            invitation::accept(draft, *invitation, password.as_ref(), *subject)?
        }
        PeopleAct::OpenSession { .. } => session::open(draft, act)?,
        PeopleAct::EndSession { session } => {
            let known = draft.ledger.session(*session).ok_or(No::SessionNotFound)?;
            own(draft, known.user).map_err(|_| No::SessionNotFound)?;
            PeopleEvent::SessionEnded { session: *session, user: known.user }
        }
        PeopleAct::EndSessions { user, keep } => {
            own_or_administered(draft, *user)?;
            PeopleEvent::SessionsEnded { user: *user, keep: *keep }
        }
        PeopleAct::SetPassword { user, password, passwords, keep } => {
            let known = own(draft, *user)?;
            if known.passwords() != *passwords {
                return Err(No::LinkUsed.into());
            }
            PeopleEvent::PasswordSet {
                user: *user,
                password: password.clone(),
                passwords: passwords + 1,
                keep: *keep,
            }
        }
        PeopleAct::AskReset { user, by_mail } => {
            internal(draft)?;
            if *by_mail {
                room_for_a_letter(draft)?;
            }
            own(draft, *user)?;
            PeopleEvent::ResetAsked { user: *user }
        }
        PeopleAct::SettleLetter { letter, posted, tries } => {
            internal(draft)?;
            let waiting = draft.ledger.people.letters.get(letter).ok_or(No::LetterNotFound)?;
            PeopleEvent::LetterSettled {
                letter: *letter,
                about: waiting.about,
                posted: *posted,
                tries: *tries,
            }
        }
        PeopleAct::BeginFactor { user, secret } => {
            if own(draft, *user)?.factor().is_some() {
                return Err(No::FactorExists.into());
            }
            PeopleEvent::FactorBegun { user: *user, secret: secret.clone() }
        }
        PeopleAct::ConfirmFactor { user, step, recovery } => {
            let begun = own(draft, *user)?.person.as_ref().and_then(|person| person.factor.as_ref());
            match begun {
                None => return Err(No::FactorMissing.into()),
                Some(factor) if factor.confirmed => return Err(No::FactorExists.into()),
                Some(_) => {}
            }
            debug_assert!(recovery.len() <= RECOVERY_CODES_MAX);
            PeopleEvent::FactorConfirmed { user: *user, step: *step, recovery: recovery.clone() }
        }
        PeopleAct::RenewRecovery { user, step, recovery } => {
            let factor = own(draft, *user)?.factor().ok_or(No::FactorMissing)?;
            if *step <= factor.step {
                return Err(No::CodeUsed.into());
            }
            debug_assert!(recovery.len() <= RECOVERY_CODES_MAX);
            PeopleEvent::RecoveryRenewed { user: *user, step: *step, recovery: recovery.clone() }
        }
        PeopleAct::RemoveFactor { user } => {
            if own_or_administered(draft, *user)?.person.as_ref().is_none_or(|it| it.factor.is_none()) {
                return Err(No::FactorMissing.into());
            }
            PeopleEvent::FactorRemoved { user: *user }
        }
        PeopleAct::NoteFailures { user, count, since } => {
            internal(draft)?;
            PeopleEvent::SignInsFailed { user: *user, count: *count, since: *since }
        }
        PeopleAct::DefinePermissions { organization, name, operations } => {
            permission_set::define(draft, *organization, name, *operations)?
        }
        PeopleAct::RemovePermissions { set } => permission_set::remove(draft, *set)?,
        PeopleAct::SetProvider { organization, provider } => provider::set(draft, *organization, provider)?,
        PeopleAct::RemoveProvider { organization } => {
            draft.whole(*organization)?;
            draft.ledger.provider(*organization).ok_or(No::ProviderNotFound)?;
            PeopleEvent::ProviderRemoved { organization: *organization }
        }
        PeopleAct::LinkSubject { user, subject } => {
            internal(draft)?;
            let organization = own(draft, *user)?.organization;
            draft.ledger.provider(organization).ok_or(No::ProviderNotFound)?;
            if draft.ledger.subject(*user).is_some() {
                return Err(No::NotVouched.into());
            }
            provider::unknown(draft, organization, *subject)?;
            PeopleEvent::SubjectLinked { user: *user, subject: *subject }
        }
    };
    let letter = asked_letter(act, &event);
    draft.push(Event::People(Box::new(event)));
    if let Some(about) = letter {
        let asked = PeopleEvent::LetterAsked { about, asked_at: draft.now };
        draft.push(Event::People(Box::new(asked)));
    }
    Ok(())
}

/// The letter that is to tell of an event, in the same breath: neither is there without the other.
fn asked_letter(act: &PeopleAct, event: &PeopleEvent) -> Option<About> {
    match (act, event) {
        (PeopleAct::Invite { by_mail: true, .. }, PeopleEvent::Invited { invitation, .. }) => {
            Some(About::Invitation(*invitation))
        }
        (PeopleAct::AskReset { by_mail: true, .. }, PeopleEvent::ResetAsked { user }) => {
            Some(About::Reset(*user))
        }
        _ => None,
    }
}

pub(super) fn room_for_a_letter(draft: &Draft<'_>) -> Result<(), Rejection> {
    if draft.ledger.people.letters.len() < LETTERS_MAX {
        Ok(())
    } else {
        Err(No::TooMany { max: LETTERS_MAX as u32 }.into())
    }
}

/// Acts that the server does for whoever proved something to it.
pub(super) fn internal(draft: &Draft<'_>) -> Result<(), Rejection> {
    if draft.authority == Authority::System { Ok(()) } else { Err(Rejection::SellerOnly) }
}

/// The caller stands above that side or family: the seller, or the family's own root. What is foreign is
/// not there.
pub(crate) fn administers(draft: &Draft<'_>, within: Within) -> Result<(), Rejection> {
    match within {
        Within::Organization(organization) => draft.whole(organization),
        Within::Family(root) => {
            draft.reach(root)?;
            if draft.ledger.account(root).parent.is_some() {
                return Err(No::NotARoot.into());
            }
            if draft.chosen.is_empty() { Ok(()) } else { Err(No::LimitedToAccounts.into()) }
        }
    }
}

fn live_user<'a>(
    draft: &Draft<'a>,
    user: UserIndex,
    organization: OrganizationIndex,
) -> Result<&'a User, Rejection> {
    let known = draft.ledger.user(user);
    if known.organization == organization && !known.is_removed() {
        Ok(known)
    } else {
        Err(No::UserNotFound.into())
    }
}

/// The user acts on themselves, or the server acts for them.
fn own<'a>(draft: &Draft<'a>, user: UserIndex) -> Result<&'a User, Rejection> {
    let is_own = draft.authority == Authority::System || draft.user == Some(user);
    let known = draft.ledger.user(user);
    if is_own && !known.is_removed() { Ok(known) } else { Err(No::UserNotFound.into()) }
}

fn own_or_administered<'a>(draft: &Draft<'a>, user: UserIndex) -> Result<&'a User, Rejection> {
    let organization = draft.ledger.user(user).organization;
    own(draft, user).or_else(|_| {
        draft.whole(organization).map_err(|_| No::UserNotFound)?;
        live_user(draft, user, organization)
    })
}

fn add_user(
    draft: &Draft<'_>,
    new: &NewUser,
    within: Within,
    rights: Rights,
    accounts: &Chosen,
) -> Result<PeopleEvent, Rejection> {
    administers(draft, within)?;
    debug_assert_eq!(new.organization, draft.ledger.organization_within(within));
    if draft.ledger.find_user(new.organization, new.email_digest).is_some() {
        return Err(Rejection::UserExists);
    }
    let user = UserIndex::new(draft.ledger.users.len());
    let granted = membership::grant(draft, user, within, rights, accounts)?;
    Ok(PeopleEvent::UserAdded {
        user,
        new: new.clone(),
        added_at: draft.now,
        membership: membership::next(draft),
        granted,
    })
}

fn remove_user(draft: &Draft<'_>, user: UserIndex) -> Result<PeopleEvent, Rejection> {
    let organization = draft.ledger.user(user).organization;
    draft.whole(organization).map_err(|_| No::UserNotFound)?;
    live_user(draft, user, organization)?;
    if draft.ledger.memberships_of(user).any(|(_, it)| it.is_primary()) {
        return Err(No::PrimaryStays.into());
    }
    Ok(PeopleEvent::UserRemoved { user, removed_at: draft.now })
}
