//! The state as a stream of objects in a defined order: what snapshots store and digests cover.
//!
//! The stream may be drawn piece by piece while events go on being applied. What was drawn early is
//! behind what was drawn late; replaying from where the stream began brings all of it level.

use std::ops::Bound;

use crate::state::{Handle, Merge, Name, Refunded};
use crate::{
    Account, AccountIndex, AuditHead, Balance, BalanceIndex, ChargeId, Credential, EventRef, Family, Hold,
    HoldId, Invitation, InvitationIndex, Ledger, Membership, MembershipIndex, NameIndex, Number,
    Organization, OrganizationIndex, PermissionSet, Reload, Session, SessionId, Settings, SignInProvider,
    User, UserIndex, WaitingLetter,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// First, so that holds placed while the stream is drawn are told from those that ended before.
    NextHold(HoldId),
    Organization(Organization),
    User(User),
    Credential(Credential),
    Name(Name),
    Account(Account),
    Family(Family),
    Balance(Balance),
    Handle(u128, Handle),
    Refunded(ChargeId, Refunded),
    Merges(BalanceIndex, Vec<Merge>),
    Hold(HoldId, Hold),
    Settings(AccountIndex, Settings),
    Number(u128, Number),
    Reload(BalanceIndex, Reload),
    Membership(Membership),
    Invitation(Invitation),
    PermissionSet(PermissionSet),
    Session(Session),
    AuditHead(OrganizationIndex, AuditHead),
    Provider(OrganizationIndex, SignInProvider),
    Letter(EventRef, WaitingLetter),
}

/// How far a stream was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Cursor {
    #[default]
    Start,
    Organizations(usize),
    Users(usize),
    Credentials(usize),
    Names(usize),
    Accounts(usize),
    Families(usize),
    Balances(usize),
    Handles(Option<u128>),
    Refunds(Option<ChargeId>),
    Merges(Option<BalanceIndex>),
    Holds(Option<HoldId>),
    Settings(Option<AccountIndex>),
    Numbers(Option<u128>),
    Reloads(Option<BalanceIndex>),
    Memberships(usize),
    Invitations(usize),
    PermissionSets(usize),
    Sessions(Option<SessionId>),
    AuditHeads(Option<OrganizationIndex>),
    Providers(Option<OrganizationIndex>),
    Letters(Option<EventRef>),
    End,
}

impl Ledger {
    /// The next object behind `cursor`, which moves on; None at the end.
    pub fn next_object(&self, cursor: &mut Cursor) -> Option<Object> {
        loop {
            let (object, next) = match *cursor {
                Cursor::Start => (Some(Object::NextHold(self.next_hold)), Cursor::Organizations(0)),
                Cursor::Organizations(slot) => (
                    self.organizations.get(slot).cloned().map(Object::Organization),
                    Cursor::Organizations(slot + 1).or(Cursor::Users(0), slot < self.organizations.len()),
                ),
                Cursor::Users(slot) => (
                    self.users.get(slot).cloned().map(Object::User),
                    Cursor::Users(slot + 1).or(Cursor::Credentials(0), slot < self.users.len()),
                ),
                Cursor::Credentials(slot) => (
                    self.credentials.get(slot).cloned().map(Object::Credential),
                    Cursor::Credentials(slot + 1).or(Cursor::Names(0), slot < self.credentials.len()),
                ),
                Cursor::Names(slot) => (
                    self.names.get(slot).cloned().map(Object::Name),
                    Cursor::Names(slot + 1).or(Cursor::Accounts(0), slot < self.names.len()),
                ),
                Cursor::Accounts(slot) => (
                    self.accounts.get(slot).cloned().map(Object::Account),
                    Cursor::Accounts(slot + 1).or(Cursor::Families(0), slot < self.accounts.len()),
                ),
                Cursor::Families(slot) => (
                    self.families.get(slot).cloned().map(Object::Family),
                    Cursor::Families(slot + 1).or(Cursor::Balances(0), slot < self.families.len()),
                ),
                Cursor::Balances(slot) => (
                    self.balances.get(slot).cloned().map(Object::Balance),
                    Cursor::Balances(slot + 1).or(Cursor::Handles(None), slot < self.balances.len()),
                ),
                Cursor::Handles(after) => match self.handles.range(behind(after)).next() {
                    Some((digest, handle)) => {
                        (Some(Object::Handle(*digest, handle.clone())), Cursor::Handles(Some(*digest)))
                    }
                    None => (None, Cursor::Refunds(None)),
                },
                Cursor::Refunds(after) => match self.refunds.range(behind(after)).next() {
                    Some((charge, refunded)) => {
                        (Some(Object::Refunded(*charge, *refunded)), Cursor::Refunds(Some(*charge)))
                    }
                    None => (None, Cursor::Merges(None)),
                },
                Cursor::Merges(after) => match self.merges.range(behind(after)).next() {
                    Some((balance, merges)) => {
                        (Some(Object::Merges(*balance, merges.clone())), Cursor::Merges(Some(*balance)))
                    }
                    None => (None, Cursor::Holds(None)),
                },
                Cursor::Holds(after) => match self.holds.range(behind(after)).next() {
                    Some((id, hold)) => (Some(Object::Hold(*id, hold.clone())), Cursor::Holds(Some(*id))),
                    None => (None, Cursor::Settings(None)),
                },
                Cursor::Settings(after) => match self.settings.range(behind(after)).next() {
                    Some((account, it)) => {
                        (Some(Object::Settings(*account, it.clone())), Cursor::Settings(Some(*account)))
                    }
                    None => (None, Cursor::Numbers(None)),
                },
                Cursor::Numbers(after) => match self.numbers.range(behind(after)).next() {
                    Some((digest, it)) => {
                        (Some(Object::Number(*digest, it.clone())), Cursor::Numbers(Some(*digest)))
                    }
                    None => (None, Cursor::Reloads(None)),
                },
                Cursor::Reloads(after) => match self.reloads.range(behind(after)).next() {
                    Some((balance, it)) => {
                        (Some(Object::Reload(balance, it.clone())), Cursor::Reloads(Some(balance)))
                    }
                    None => (None, Cursor::Memberships(0)),
                },
                Cursor::Memberships(slot) => (
                    self.people.memberships.get(slot).cloned().map(Object::Membership),
                    Cursor::Memberships(slot + 1)
                        .or(Cursor::Invitations(0), slot < self.people.memberships.len()),
                ),
                Cursor::Invitations(slot) => (
                    self.people.invitations.get(slot).cloned().map(Object::Invitation),
                    Cursor::Invitations(slot + 1)
                        .or(Cursor::PermissionSets(0), slot < self.people.invitations.len()),
                ),
                Cursor::PermissionSets(slot) => (
                    self.people.sets.get(slot).cloned().map(Object::PermissionSet),
                    Cursor::PermissionSets(slot + 1)
                        .or(Cursor::Sessions(None), slot < self.people.sets.len()),
                ),
                Cursor::Sessions(after) => match self.people.sessions.range(behind(after)).next() {
                    Some((id, session)) => {
                        (Some(Object::Session(session.clone())), Cursor::Sessions(Some(*id)))
                    }
                    None => (None, Cursor::AuditHeads(None)),
                },
                Cursor::AuditHeads(after) => match self.audits.range(behind(after)).next() {
                    Some((organization, head)) => (
                        Some(Object::AuditHead(*organization, *head)),
                        Cursor::AuditHeads(Some(*organization)),
                    ),
                    None => (None, Cursor::Providers(None)),
                },
                Cursor::Providers(after) => match self.people.providers.range(behind(after)).next() {
                    Some((organization, it)) => (
                        Some(Object::Provider(*organization, it.clone())),
                        Cursor::Providers(Some(*organization)),
                    ),
                    None => (None, Cursor::Letters(None)),
                },
                Cursor::Letters(after) => match self.people.letters.range(behind(after)).next() {
                    Some((asked, it)) => (Some(Object::Letter(*asked, *it)), Cursor::Letters(Some(*asked))),
                    None => (None, Cursor::End),
                },
                Cursor::End => return None,
            };
            *cursor = next;
            if object.is_some() {
                return object;
            }
        }
    }

    /// Puts back an object of a stream, in the order of the stream.
    pub fn restore(&mut self, object: Object) {
        match object {
            Object::NextHold(next) => self.next_hold = next,
            Object::Organization(it) => self.organizations.push(it),
            Object::User(it) => {
                self.users.push(it);
                self.file_user(UserIndex::new(self.users.len() - 1));
            }
            Object::Credential(it) => self.credentials.push(it),
            Object::Name(it) => {
                self.interned.insert(it.digest, NameIndex::new(self.names.len()));
                self.names.push(it);
            }
            Object::Account(it) => self.accounts.push(it),
            Object::Family(it) => self.families.push(it),
            Object::Balance(it) => self.balances.push(it),
            Object::Handle(digest, it) => drop(self.handles.insert(digest, it)),
            Object::Refunded(charge, it) => drop(self.refunds.insert(charge, it)),
            Object::Merges(balance, it) => drop(self.merges.insert(balance, it)),
            Object::Hold(id, it) => {
                self.due.insert((it.expires_at, id));
                self.holds.insert(id, it);
            }
            Object::Settings(account, it) => drop(self.settings.insert(account, it)),
            Object::Number(digest, it) => self.put_number(digest, it),
            Object::Reload(balance, it) => self.reloads.put(balance, it),
            Object::Membership(it) => {
                let index = MembershipIndex::new(self.people.memberships.len());
                self.people.memberships.push(it);
                self.people.file_membership(index);
            }
            Object::Invitation(it) => {
                let index = InvitationIndex::new(self.people.invitations.len());
                self.people.invitations.push(it);
                self.people.file_invitation(index);
            }
            Object::PermissionSet(it) => self.people.sets.push(it),
            Object::Session(it) => self.people.file_session(it),
            Object::AuditHead(organization, it) => drop(self.audits.insert(organization, it)),
            Object::Letter(asked, it) => drop(self.people.letters.insert(asked, it)),
            Object::Provider(organization, it) => drop(self.people.providers.insert(organization, it)),
        }
    }
}

impl Cursor {
    fn or(self, other: Self, more: bool) -> Self {
        if more { self } else { other }
    }
}

fn behind<K: Copy>(after: Option<K>) -> (Bound<K>, Bound<K>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}
