//! Folds what happened to people.

use std::sync::Arc;

use domain::Timestamp;

use super::{
    FORMER_PASSWORDS_MAX, Factor, Membership, NewUser, PeopleEvent, PermissionSet, Person, Rights, RoleCode,
    SecondFactor, Session, SessionId, User, WaitingLetter,
};
use crate::{EventRef, InvitationIndex, Ledger, MembershipIndex, OrganizationIndex, UserIndex};

impl Ledger {
    pub(crate) fn apply_people(&mut self, event: &PeopleEvent, at: EventRef) {
        match event {
            PeopleEvent::UserAdded { user, new, added_at, membership, granted } => {
                self.add_user(*user, new, *added_at, at);
                self.grant(*membership, granted, at);
            }
            PeopleEvent::UserRemoved { user, removed_at } => {
                if self.user(*user).last < at {
                    let known = self.users.get_mut(user.slot()).expect("it exists");
                    (known.email, known.password) = (None, Arc::default());
                }
                self.unfile_subject(*user);
                self.person(*user, at, |person| {
                    *person = Person { passwords: person.passwords, ..Person::default() };
                    person.removed_at = Some(*removed_at);
                });
                let known = self.user(*user);
                let place = (known.organization, known.email_digest);
                // Somebody new may have that address by now.
                if self.people.by_email.get(&place) == Some(user) {
                    self.people.by_email.remove(&place);
                }
                let memberships: Vec<_> = self.memberships_of(*user).map(|(index, _)| index).collect();
                for membership in memberships {
                    self.end_membership(membership, *removed_at, at);
                }
                self.end_sessions(*user, None);
            }
            PeopleEvent::Granted { membership, granted } => self.grant(*membership, granted, at),
            PeopleEvent::MembershipChanged { membership, rights, accounts, .. } => {
                self.change_membership(*membership, at, |it| {
                    it.rights = *rights;
                    it.accounts = accounts.clone();
                });
            }
            PeopleEvent::MembershipEnded { membership, ended_at } => {
                self.end_membership(*membership, *ended_at, at);
            }
            PeopleEvent::HandedOver { from, to, former, .. } => {
                self.change_membership(*from, at, |it| it.rights = *former);
                self.change_membership(*to, at, |it| {
                    it.rights = Rights::Role(RoleCode::OWNER);
                    it.accounts = Arc::default();
                });
            }
            PeopleEvent::Invited { invitation, invited } => {
                if invitation.slot() == self.people.invitations.len() {
                    let mut invited = (**invited).clone();
                    invited.last = at;
                    self.people.invitations.push(invited);
                    self.people.file_invitation(*invitation);
                }
            }
            PeopleEvent::InvitationRevoked { invitation, revoked_at } => {
                self.close_invitation(*invitation, *revoked_at, at);
            }
            PeopleEvent::InvitationAccepted { invitation, user, new, accepted_at, membership, granted } => {
                self.close_invitation(*invitation, *accepted_at, at);
                if let Some(new) = new {
                    self.add_user(*user, new, *accepted_at, at);
                }
                self.grant(*membership, granted, at);
            }
            PeopleEvent::SessionOpened { session, factor, ended }
            | PeopleEvent::SessionVouched { session, factor, ended } => {
                ended.iter().for_each(|id| self.people.end_session(*id));
                self.open_session(session, *factor, at);
            }
            PeopleEvent::SessionEnded { session, .. } => self.people.end_session(*session),
            PeopleEvent::SessionsEnded { user, keep } => self.end_sessions(*user, *keep),
            PeopleEvent::PasswordSet { user, password, passwords, keep } => {
                self.set_password(*user, password, *passwords, at);
                self.end_sessions(*user, *keep);
            }
            PeopleEvent::FactorBegun { user, secret } => self.person(*user, at, |person| {
                let secret = secret.clone();
                person.factor = Some(Factor { secret, confirmed: false, step: 0, recovery: Vec::new() });
            }),
            PeopleEvent::FactorConfirmed { user, step, recovery } => self.person(*user, at, |person| {
                if let Some(factor) = &mut person.factor {
                    factor.confirmed = true;
                    factor.step = *step;
                    factor.recovery = recovery.to_vec();
                }
            }),
            PeopleEvent::RecoveryRenewed { user, step, recovery } => self.person(*user, at, |person| {
                if let Some(factor) = &mut person.factor {
                    factor.step = *step;
                    factor.recovery = recovery.to_vec();
                }
            }),
            PeopleEvent::FactorRemoved { user } => self.person(*user, at, |person| person.factor = None),
            PeopleEvent::ResetAsked { .. } | PeopleEvent::SignInsFailed { .. } => {}
            PeopleEvent::PermissionsDefined { set, defined, .. } => {
                let mut defined = (**defined).clone();
                defined.last = at;
                if set.slot() == self.people.sets.len() {
                    self.people.sets.push(defined);
                } else {
                    self.change_set(set.slot(), at, |it| it.operations = defined.operations);
                }
            }
            PeopleEvent::PermissionsRemoved { set } => {
                self.change_set(set.slot(), at, |it| it.removed = true);
            }
            PeopleEvent::ProviderSet { organization, provider, unlinks, .. } => {
                if *unlinks {
                    self.unlink_all(*organization, at);
                }
                if self.provider(*organization).is_none_or(|known| known.last < at) {
                    let mut provider = (**provider).clone();
                    provider.last = at;
                    self.people.providers.insert(*organization, provider);
                }
            }
            PeopleEvent::ProviderRemoved { organization } => {
                self.unlink_all(*organization, at);
                if self.provider(*organization).is_some_and(|known| known.last < at) {
                    self.people.providers.remove(organization);
                }
            }
            PeopleEvent::LetterAsked { about, asked_at } => {
                self.people.letters.insert(at, WaitingLetter { about: *about, asked_at: *asked_at });
            }
            PeopleEvent::LetterSettled { letter, .. } => drop(self.people.letters.remove(letter)),
            PeopleEvent::SubjectLinked { user, subject } => self.set_subject(*user, Some(*subject), at),
        }
    }

    fn open_session(&mut self, session: &Session, factor: SecondFactor, at: EventRef) {
        let user = session.user;
        self.people.file_session(Session { last: at, ..session.clone() });
        if factor != SecondFactor::None {
            self.person(user, at, |person| use_factor(person, factor));
        }
    }

    fn unlink_all(&mut self, organization: OrganizationIndex, at: EventRef) {
        let linked = (0..self.users.len()).map(UserIndex::new);
        let linked: Vec<_> = linked
            .filter(|user| self.user(*user).organization == organization && self.subject(*user).is_some())
            .collect();
        linked.into_iter().for_each(|user| self.set_subject(user, None, at));
    }

    fn set_subject(&mut self, index: UserIndex, subject: Option<u128>, at: EventRef) {
        if self.user(index).last < at {
            self.unfile_subject(index);
        }
        self.person(index, at, |person| person.subject = subject);
        // A user who has seen more already is filed as they are by now.
        self.file_subject(index);
    }

    fn file_subject(&mut self, index: UserIndex) {
        if let Some(subject) = self.subject(index) {
            self.people.by_subject.insert((self.user(index).organization, subject), index);
        }
    }

    fn unfile_subject(&mut self, index: UserIndex) {
        let place = self.subject(index).map(|subject| (self.user(index).organization, subject));
        // Somebody new may be known by it by now.
        if let Some(place) = place
            && self.people.by_subject.get(&place) == Some(&index)
        {
            self.people.by_subject.remove(&place);
        }
    }

    fn add_user(&mut self, index: UserIndex, new: &NewUser, added_at: Timestamp, at: EventRef) {
        if index.slot() != self.users.len() {
            return;
        }
        let passwords = u32::from(new.password.is_some());
        self.users.push(User {
            organization: new.organization,
            role: RoleCode(0),
            email_digest: new.email_digest,
            email: new.email.clone(),
            password: new.password.clone().unwrap_or_default(),
            created_at: added_at,
            person: Some(Box::new(Person { passwords, subject: new.subject, ..Person::default() })),
            last: at,
        });
        self.file_user(index);
    }

    pub(crate) fn file_user(&mut self, index: UserIndex) {
        let user = self.user(index);
        if !user.is_removed() {
            let place = (user.organization, user.email_digest);
            self.people.by_email.insert(place, index);
        }
        self.file_subject(index);
    }

    fn grant(&mut self, index: MembershipIndex, granted: &Membership, at: EventRef) {
        if index.slot() == self.people.memberships.len() {
            self.people.memberships.push(Membership { last: at, ..granted.clone() });
            self.people.file_membership(index);
        }
    }

    fn change_membership(
        &mut self,
        index: MembershipIndex,
        at: EventRef,
        change: impl FnOnce(&mut Membership),
    ) {
        let membership = self.people.memberships.get_mut(index.slot()).expect("it exists");
        if membership.last < at {
            change(membership);
            membership.last = at;
            self.people.file_membership(index);
        }
    }

    fn end_membership(&mut self, index: MembershipIndex, ended_at: Timestamp, at: EventRef) {
        self.change_membership(index, at, |it| it.ended_at = Some(ended_at));
        let user = self.membership(index).user;
        let under = self.sessions_of(user).filter(|it| it.membership == index);
        let under: Vec<_> = under.map(Session::id).collect();
        under.into_iter().for_each(|id| self.people.end_session(id));
    }

    fn close_invitation(&mut self, index: InvitationIndex, closed_at: Timestamp, at: EventRef) {
        let invitation = self.people.invitations.get_mut(index.slot()).expect("it exists");
        if invitation.last < at {
            invitation.closed_at = Some(closed_at);
            invitation.email = None;
            invitation.last = at;
            self.people.file_invitation(index);
        }
    }

    fn change_set(&mut self, slot: usize, at: EventRef, change: impl FnOnce(&mut PermissionSet)) {
        let set = self.people.sets.get_mut(slot).expect("it exists");
        if set.last < at {
            change(set);
            set.last = at;
        }
    }

    fn end_sessions(&mut self, user: UserIndex, keep: Option<SessionId>) {
        let ended: Vec<_> = self.sessions_of(user).map(Session::id).filter(|id| Some(*id) != keep).collect();
        ended.into_iter().for_each(|id| self.people.end_session(id));
    }

    fn set_password(&mut self, index: UserIndex, password: &Arc<str>, passwords: u32, at: EventRef) {
        let user = self.users.get_mut(index.slot()).expect("it exists");
        if user.last >= at {
            return;
        }
        let former = std::mem::replace(&mut user.password, password.clone());
        self.person(index, at, |person| {
            person.passwords = passwords;
            if !former.is_empty() {
                person.former.insert(0, former);
                person.former.truncate(FORMER_PASSWORDS_MAX);
            }
        });
    }

    /// Changes a user who has not seen the event at `at` yet.
    fn person(&mut self, index: UserIndex, at: EventRef, change: impl FnOnce(&mut Person)) {
        let user = self.users.get_mut(index.slot()).expect("it exists");
        if user.last < at {
            change(user.person.get_or_insert_default());
            user.last = at;
        }
    }
}

fn use_factor(person: &mut Person, used: SecondFactor) {
    let Some(factor) = &mut person.factor else { return };
    match used {
        SecondFactor::None => {}
        SecondFactor::Step(step) => factor.step = step,
        SecondFactor::Recovery(code) => factor.recovery.retain(|known| *known != code),
    }
}
