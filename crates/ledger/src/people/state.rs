//! Who there is, and how they are found.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::Timestamp;

use super::{
    Invitation, Membership, PermissionSet, Session, SessionId, SignInProvider, User, WaitingLetter, Within,
};
use crate::{
    AccountIndex, Actor, Arena, EventRef, InvitationIndex, Ledger, MembershipIndex, OrganizationIndex,
    PermissionSetIndex, UserIndex,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    pub(crate) memberships: Arena<Membership>,
    pub(crate) invitations: Arena<Invitation>,
    pub(crate) sets: Arena<PermissionSet>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) providers: BTreeMap<OrganizationIndex, SignInProvider>,
    pub(crate) letters: BTreeMap<EventRef, WaitingLetter>,

    // Found again from the above: not stored.
    pub(crate) by_email: HashMap<(OrganizationIndex, u128), UserIndex>,
    pub(crate) by_subject: HashMap<(OrganizationIndex, u128), UserIndex>,
    pub(crate) of_user: BTreeMap<UserIndex, BTreeSet<MembershipIndex>>,
    pub(crate) members: BTreeMap<Within, BTreeSet<MembershipIndex>>,
    pub(crate) invited: BTreeMap<Within, BTreeSet<InvitationIndex>>,
    pub(crate) sessions_of: BTreeMap<UserIndex, BTreeSet<SessionId>>,
}

impl People {
    /// Files a membership where it is looked for, or takes it away from there.
    pub(crate) fn file_membership(&mut self, index: MembershipIndex) {
        let membership = self.memberships.get(index.slot()).expect("it was just put there");
        let places = [
            self.of_user.entry(membership.user).or_default(),
            self.members.entry(membership.within).or_default(),
        ];
        for place in places {
            if membership.is_live() {
                place.insert(index);
            } else {
                place.remove(&index);
            }
        }
    }

    pub(crate) fn file_invitation(&mut self, index: InvitationIndex) {
        let invitation = self.invitations.get(index.slot()).expect("it was just put there");
        let place = self.invited.entry(invitation.within).or_default();
        if invitation.closed_at.is_none() {
            place.insert(index);
        } else {
            place.remove(&index);
        }
    }

    pub(crate) fn file_session(&mut self, session: Session) {
        self.sessions_of.entry(session.user).or_default().insert(session.id());
        self.sessions.insert(session.id(), session);
    }

    pub(crate) fn end_session(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.remove(&id)
            && let Some(sessions) = self.sessions_of.get_mut(&session.user)
        {
            sessions.remove(&id);
        }
    }
}

impl Ledger {
    pub fn user(&self, index: UserIndex) -> &User {
        self.users.get(index.slot()).expect("user indices come from this ledger")
    }

    pub fn has_user(&self, index: UserIndex) -> bool {
        index.slot() < self.users.len()
    }

    pub fn membership(&self, index: MembershipIndex) -> &Membership {
        self.people.memberships.get(index.slot()).expect("membership indices come from this ledger")
    }

    /// One that a client names, if there ever was one.
    pub fn find_membership(&self, index: MembershipIndex) -> Option<&Membership> {
        self.people.memberships.get(index.slot())
    }

    pub fn invitation(&self, index: InvitationIndex) -> Option<&Invitation> {
        self.people.invitations.get(index.slot())
    }

    pub fn permission_set(&self, index: PermissionSetIndex) -> &PermissionSet {
        self.people.sets.get(index.slot()).expect("set indices come from this ledger")
    }

    pub fn permission_sets(&self) -> impl Iterator<Item = (PermissionSetIndex, &PermissionSet)> {
        self.people.sets.iter().enumerate().map(|(slot, it)| (PermissionSetIndex::new(slot), it))
    }

    pub fn memberships(&self) -> impl Iterator<Item = (MembershipIndex, &Membership)> {
        self.people.memberships.iter().enumerate().map(|(slot, it)| (MembershipIndex::new(slot), it))
    }

    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.people.sessions.get(&id)
    }

    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.people.sessions.values()
    }

    /// A user's sessions that have not ended, oldest id first.
    pub fn sessions_of(&self, user: UserIndex) -> impl Iterator<Item = &Session> {
        let ids = self.people.sessions_of.get(&user).into_iter().flatten();
        ids.filter_map(|id| self.people.sessions.get(id))
    }

    /// A user's live memberships, in the order they were granted.
    pub fn memberships_of(&self, user: UserIndex) -> impl Iterator<Item = (MembershipIndex, &Membership)> {
        let indices = self.people.of_user.get(&user).into_iter().flatten();
        indices.map(|index| (*index, self.membership(*index)))
    }

    /// The live members of a side or family, beginning behind `after`.
    pub fn members(
        &self,
        within: Within,
        after: Option<MembershipIndex>,
    ) -> impl Iterator<Item = (MembershipIndex, &Membership)> {
        let indices = self.people.members.get(&within).into_iter().flatten();
        indices
            .filter(move |index| after.is_none_or(|after| **index > after))
            .map(|index| (*index, self.membership(*index)))
    }

    /// The open invitations of a side or family, beginning behind `after`; some may have expired.
    pub fn invitations(
        &self,
        within: Within,
        after: Option<InvitationIndex>,
    ) -> impl Iterator<Item = (InvitationIndex, &Invitation)> {
        let indices = self.people.invited.get(&within).into_iter().flatten();
        indices
            .filter(move |index| after.is_none_or(|after| **index > after))
            .filter_map(|index| Some((*index, self.invitation(*index)?)))
    }

    /// All there ever were, in the order they were made.
    pub fn all_invitations(&self) -> impl Iterator<Item = (InvitationIndex, &Invitation)> {
        self.people.invitations.iter().enumerate().map(|(slot, it)| (InvitationIndex::new(slot), it))
    }

    /// The primary user's membership of a family.
    pub fn primary(&self, root: AccountIndex) -> Option<MembershipIndex> {
        let (index, _) = self.members(Within::Family(root), None).find(|(_, it)| it.is_primary())?;
        Some(index)
    }

    pub fn find_user(&self, organization: OrganizationIndex, email_digest: u128) -> Option<UserIndex> {
        self.people.by_email.get(&(organization, email_digest)).copied()
    }

    /// Whose organization's a side or family is.
    pub fn organization_within(&self, within: Within) -> OrganizationIndex {
        match within {
            Within::Organization(organization) => organization,
            Within::Family(root) => self.account(root).organization,
        }
    }

    /// The membership under which an actor acts, if it is a person.
    pub fn member(&self, actor: Actor) -> Option<MembershipIndex> {
        match actor {
            Actor::System => None,
            Actor::Credential(index) => match self.credential(index).holder {
                super::Holder::Member(membership) => Some(membership),
                super::Holder::Organization(_) | super::Holder::Account(_) => None,
            },
            Actor::Session(id) => self.session(id).map(|session| session.membership),
            Actor::Member(membership) => Some(membership),
        }
    }

    /// The accounts to which an actor's membership is limited; none: no such limit.
    pub fn chosen(&self, actor: Actor) -> &[AccountIndex] {
        self.member(actor).map_or(&[], |index| &self.membership(index).accounts)
    }

    /// Whether an account is one of `chosen`, or below one of them.
    pub fn is_chosen(&self, chosen: &[AccountIndex], account: AccountIndex) -> bool {
        chosen.is_empty() || self.lineage(account).any(|(index, _)| chosen.contains(&index))
    }

    /// Who stands in the journal for an actor: sessions come and go, the membership stays.
    pub fn recorded(&self, actor: Actor) -> Actor {
        match actor {
            Actor::Session(_) => self.member(actor).map_or(actor, Actor::Member),
            Actor::System | Actor::Credential(_) | Actor::Member(_) => actor,
        }
    }

    /// Whether an actor's word counts at `now`.
    pub fn counts(&self, actor: Actor, now: Timestamp) -> bool {
        self.standing(actor, now).is_ok()
    }
}
