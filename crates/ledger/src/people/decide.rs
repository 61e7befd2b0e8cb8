//! Judges acts about people. Who may grant which rights is for the callers' table; here it is decided on
//! whose side somebody stands, that nobody reaches beyond it, and that nothing is done twice.

use std::sync::Arc;

use domain::Timestamp;

use super::letter::{About, LETTERS_MAX};
use super::membership::{MEMBER_ACCOUNTS_MAX, MEMBERS_MAX, MEMBERSHIPS_OF_USER_MAX, PERMISSION_SETS_MAX};
use super::provider::PROVIDER_DOMAINS_MAX;
use super::{
    Authority, Chosen, INVITATION_LIFE_MAX_SECS, INVITATIONS_MAX, Invitation, Membership, NewUser, PeopleAct,
    PeopleEvent, PermissionSet, RECOVERY_CODES_MAX, Rights, RoleCode, SESSIONS_MAX, SecondFactor, Session,
    SessionId, SignInProvider, User, Within,
};
use crate::draft::Draft;
use crate::rejection::PeopleRejection as No;
use crate::{
    AccountIndex, Event, EventRef, InvitationIndex, MembershipIndex, OrganizationIndex, PermissionSetIndex,
    Rejection, UserIndex,
};

pub(crate) fn decide(draft: &mut Draft<'_>, act: &PeopleAct) -> Result<(), Rejection> {
    let event = match act {
        PeopleAct::AddUser { new, within, rights, accounts } => {
            add_user(draft, new, *within, *rights, accounts)?
        }
        PeopleAct::RemoveUser { user } => remove_user(draft, *user)?,
        PeopleAct::Grant { user, within, rights, accounts } => {
            administers(draft, *within)?;
            live_user(draft, *user, draft.ledger.organization_within(*within))?;
            let granted = grant(draft, *user, *within, *rights, accounts)?;
            PeopleEvent::Granted { membership: next_membership(draft), granted }
        }
        PeopleAct::ChangeMembership { membership, rights, accounts } => {
            change(draft, *membership, *rights, accounts)?
        }
        PeopleAct::EndMembership { membership } => {
            let known = live_membership(draft, *membership)?;
            if known.is_primary() {
                return Err(No::PrimaryStays.into());
            }
            PeopleEvent::MembershipEnded { membership: *membership, ended_at: draft.now }
        }
        PeopleAct::HandOver { root, to, former } => hand_over(draft, *root, *to, *former)?,
        PeopleAct::Invite { within, rights, accounts, email_digest, email, expires_at, by_mail } => {
            if *by_mail {
                room_for_a_letter(draft)?;
            }
            administers(draft, *within)?;
            fits(draft, *within, *rights, accounts)?;
            if *rights == Rights::Role(RoleCode::OWNER) {
                no_primary(draft, *within)?;
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
            PeopleEvent::Invited { invitation, invited }
        }
        PeopleAct::RevokeInvitation { invitation } => {
            let known = draft.ledger.invitation(*invitation).ok_or(No::InvitationNotFound)?;
            administers(draft, known.within).map_err(|_| No::InvitationNotFound)?;
            if !known.is_open(draft.now) {
                return Err(No::InvitationNotFound.into());
            }
            PeopleEvent::InvitationRevoked { invitation: *invitation, revoked_at: draft.now }
        }
        PeopleAct::AcceptInvitation { invitation, password, subject } => {
            accept(draft, *invitation, password.as_ref(), *subject)?
        }
        PeopleAct::OpenSession { .. } => open_session(draft, act)?,
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
            define(draft, *organization, name, *operations)?
        }
        PeopleAct::RemovePermissions { set } => remove_permissions(draft, *set)?,
        PeopleAct::SetProvider { organization, provider } => set_provider(draft, *organization, provider)?,
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
            unknown_subject(draft, organization, *subject)?;
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

fn room_for_a_letter(draft: &Draft<'_>) -> Result<(), Rejection> {
    if draft.ledger.people.letters.len() < LETTERS_MAX {
        Ok(())
    } else {
        Err(No::TooMany { max: LETTERS_MAX as u32 }.into())
    }
}

/// Acts that the server does for whoever proved something to it.
fn internal(draft: &Draft<'_>) -> Result<(), Rejection> {
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

fn live_membership<'a>(draft: &Draft<'a>, index: MembershipIndex) -> Result<&'a Membership, Rejection> {
    let known = draft.ledger.find_membership(index).filter(|it| it.is_live());
    let known = known.ok_or(No::MembershipNotFound)?;
    administers(draft, known.within).map_err(|_| No::MembershipNotFound)?;
    Ok(known)
}

/// Whether rights and accounts are of that side or family at all.
fn fits(draft: &Draft<'_>, within: Within, rights: Rights, accounts: &Chosen) -> Result<(), Rejection> {
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

fn no_primary(draft: &Draft<'_>, within: Within) -> Result<(), Rejection> {
    match within {
        Within::Family(root) if draft.ledger.primary(root).is_some() => Err(No::PrimaryExists.into()),
        Within::Family(_) | Within::Organization(_) => Ok(()),
    }
}

fn grant(
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

fn next_membership(draft: &Draft<'_>) -> MembershipIndex {
    MembershipIndex::new(draft.ledger.people.memberships.len())
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
    let granted = grant(draft, user, within, rights, accounts)?;
    Ok(PeopleEvent::UserAdded {
        user,
        new: new.clone(),
        added_at: draft.now,
        membership: next_membership(draft),
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

fn change(
    draft: &Draft<'_>,
    index: MembershipIndex,
    rights: Rights,
    accounts: &Chosen,
) -> Result<PeopleEvent, Rejection> {
    let known = live_membership(draft, index)?;
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

fn hand_over(
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
    let heir = live_membership(draft, to)?;
    if heir.within != Within::Family(root) || to == from {
        return Err(No::MembershipNotFound.into());
    }
    if former == Rights::Role(RoleCode::OWNER) {
        return Err(No::PrimaryExists.into());
    }
    fits(draft, heir.within, former, &Arc::default())?;
    Ok(PeopleEvent::HandedOver { root, from, to, former })
}

fn lasts(now: Timestamp, expires_at: Timestamp) -> Result<(), Rejection> {
    let is_fitting = now < expires_at && expires_at <= now.plus_secs(INVITATION_LIFE_MAX_SECS);
    if is_fitting { Ok(()) } else { Err(No::LifeOutOfRange.into()) }
}

fn accept(
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
            subject.map_or(Ok(()), |subject| unknown_subject(draft, organization, subject))?;
            Some(Box::new(NewUser {
                organization,
                email_digest: invitation.email_digest,
                email: invitation.email.clone(),
                password: password.cloned(),
                subject,
            }))
        }
    };
    let granted = grant(draft, user, invitation.within, invitation.rights, &invitation.accounts)?;
    Ok(PeopleEvent::InvitationAccepted {
        invitation: index,
        user,
        new,
        accepted_at: draft.now,
        membership: next_membership(draft),
        granted,
    })
}

fn open_session(draft: &Draft<'_>, act: &PeopleAct) -> Result<PeopleEvent, Rejection> {
    let PeopleAct::OpenSession { membership, digest, expires_at, passwords, factor, vouched, replaces } =
        *act
    else {
        unreachable!("asked for sessions only")
    };
    internal(draft)?;
    let known = draft.ledger.find_membership(membership).filter(|it| it.is_live());
    let user = known.ok_or(No::MembershipNotFound)?.user;
    let person = draft.ledger.user(user);
    if person.is_removed() || person.passwords() != passwords {
        return Err(No::LinkUsed.into());
    }
    let before = replaces.and_then(|id| draft.ledger.session(id));
    let is_proven = before.is_some_and(|it| it.user == user && draft.now < it.expires_at);
    if replaces.is_some() && !is_proven {
        return Err(Rejection::CredentialRevoked);
    }
    match vouched {
        Some(_) if draft.ledger.provider(person.organization).is_none() => {
            return Err(No::ProviderNotFound.into());
        }
        Some(_) if draft.ledger.subject(user) != vouched => return Err(No::NotVouched.into()),
        None if !is_proven && !draft.ledger.takes_password(user) => return Err(No::PasswordRefused.into()),
        Some(_) | None => {}
    }
    match (person.factor(), factor) {
        (None, SecondFactor::None) => {}
        (Some(_), SecondFactor::None) if is_proven => {}
        (Some(_), SecondFactor::None) => return Err(No::FactorMissing.into()),
        (Some(known), SecondFactor::Step(step)) if step > known.step => {}
        (Some(known), SecondFactor::Recovery(code)) if known.recovery.contains(&code) => {}
        _ => return Err(No::CodeUsed.into()),
    }
    let session =
        Session { digest, user, membership, opened_at: draft.now, expires_at, last: EventRef::NONE };
    if draft.ledger.session(session.id()).is_some() {
        return Err(No::SessionNotFound.into());
    }
    let (session, ended) = (Box::new(session), making_room(draft, user, replaces));
    Ok(match vouched {
        Some(_) => PeopleEvent::SessionVouched { session, factor, ended },
        None => PeopleEvent::SessionOpened { session, factor, ended },
    })
}

fn set_provider(
    draft: &Draft<'_>,
    organization: OrganizationIndex,
    wanted: &SignInProvider,
) -> Result<PeopleEvent, Rejection> {
    draft.whole(organization)?;
    if !(1..=PROVIDER_DOMAINS_MAX).contains(&wanted.domains.len()) {
        return Err(No::TooMany { max: PROVIDER_DOMAINS_MAX as u32 }.into());
    }
    let before = draft.ledger.provider(organization);
    let unlinks = before.is_some_and(|before| before.knows_others_than(wanted));
    let mut provider = wanted.clone();
    if provider.client_secret.is_none() && !unlinks {
        provider.client_secret = before.and_then(|before| before.client_secret.clone());
    }
    if provider.client_secret.is_none() {
        return Err(No::SecretMissing.into());
    }
    let before = before.map(|before| Box::new(SignInProvider { client_secret: None, ..before.clone() }));
    Ok(PeopleEvent::ProviderSet { organization, provider: Box::new(provider), before, unlinks })
}

/// One subject is one user.
fn unknown_subject(
    draft: &Draft<'_>,
    organization: OrganizationIndex,
    subject: u128,
) -> Result<(), Rejection> {
    match draft.ledger.find_subject(organization, subject) {
        None => Ok(()),
        Some(_) => Err(No::NotVouched.into()),
    }
}

/// The sessions that a new one of `user` ends.
fn making_room(draft: &Draft<'_>, user: UserIndex, replaces: Option<SessionId>) -> Arc<[SessionId]> {
    let mut ended: Vec<SessionId> = Vec::new();
    let mut live: Vec<&Session> = Vec::new();
    for session in draft.ledger.sessions_of(user) {
        if session.expires_at <= draft.now || Some(session.id()) == replaces {
            ended.push(session.id());
        } else {
            live.push(session);
        }
    }
    live.sort_by_key(|session| (session.opened_at, session.id()));
    let crowded = (live.len() + 1).saturating_sub(SESSIONS_MAX);
    ended.extend(live[..crowded].iter().map(|session| session.id()));
    ended.into()
}

fn define(
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

fn remove_permissions(draft: &Draft<'_>, index: PermissionSetIndex) -> Result<PeopleEvent, Rejection> {
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
