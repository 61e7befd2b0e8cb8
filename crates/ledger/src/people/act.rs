//! What can be asked about people, and what happened.

use std::sync::Arc;

use domain::Timestamp;

use super::{
    About, Chosen, Invitation, Membership, PermissionSet, Posted, Rights, SecondFactor, Session, SessionId,
    SignInProvider, Within,
};
use crate::{
    AccountIndex, EventRef, InvitationIndex, MembershipIndex, OrganizationIndex, PermissionSetIndex, Text,
    UserIndex,
};

/// Somebody who is to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    pub organization: OrganizationIndex,
    pub email_digest: u128,
    pub email: Text,
    /// None for one who signs in elsewhere.
    pub password: Option<Arc<str>>,
    pub subject: Option<u128>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleAct {
    /// A user with a membership.
    AddUser {
        new: NewUser,
        within: Within,
        rights: Rights,
        accounts: Chosen,
    },
    /// Ends all that the user is and has.
    RemoveUser {
        user: UserIndex,
    },
    Grant {
        user: UserIndex,
        within: Within,
        rights: Rights,
        accounts: Chosen,
    },
    ChangeMembership {
        membership: MembershipIndex,
        rights: Rights,
        accounts: Chosen,
    },
    EndMembership {
        membership: MembershipIndex,
    },
    /// The primary user's role goes to another member of the family.
    HandOver {
        root: AccountIndex,
        to: MembershipIndex,
        /// What the former primary user may do from then on.
        former: Rights,
    },
    Invite {
        within: Within,
        rights: Rights,
        accounts: Chosen,
        email_digest: u128,
        email: Text,
        expires_at: Timestamp,
        /// Whether a letter is to be sent.
        by_mail: bool,
    },
    RevokeInvitation {
        invitation: InvitationIndex,
    },
    /// By whoever has the link; the password is that of somebody new.
    AcceptInvitation {
        invitation: InvitationIndex,
        password: Option<Arc<str>>,
        subject: Option<u128>,
    },
    /// By whoever has just proved to be the user.
    OpenSession {
        membership: MembershipIndex,
        digest: u128,
        expires_at: Timestamp,
        /// How often the password was set when it proved right.
        passwords: u32,
        factor: SecondFactor,
        /// As whom the sign-in provider knows the user, where it was its word that counted.
        vouched: Option<u128>,
        /// The session that this one takes the place of; it proves the second factor too.
        replaces: Option<SessionId>,
    },
    EndSession {
        session: SessionId,
    },
    /// Sign-out everywhere.
    EndSessions {
        user: UserIndex,
        keep: Option<SessionId>,
    },
    SetPassword {
        user: UserIndex,
        password: Arc<str>,
        /// How often it was set when the right to set it was given.
        passwords: u32,
        keep: Option<SessionId>,
    },
    AskReset {
        user: UserIndex,
        by_mail: bool,
    },
    SettleLetter {
        /// The event that asked for it.
        letter: EventRef,
        posted: Posted,
        tries: u32,
    },
    BeginFactor {
        user: UserIndex,
        secret: Text,
    },
    ConfirmFactor {
        user: UserIndex,
        step: u64,
        recovery: Arc<[u128]>,
    },
    /// Other recovery codes, by whoever has just shown a code of the device.
    RenewRecovery {
        user: UserIndex,
        step: u64,
        recovery: Arc<[u128]>,
    },
    RemoveFactor {
        user: UserIndex,
    },
    /// Sign-ins that failed for one user, counted since.
    NoteFailures {
        user: UserIndex,
        count: u32,
        since: Timestamp,
    },
    DefinePermissions {
        organization: OrganizationIndex,
        name: Arc<str>,
        operations: u64,
    },
    RemovePermissions {
        set: PermissionSetIndex,
    },
    /// A company's own place to sign in; without a secret it keeps the one it has.
    SetProvider {
        organization: OrganizationIndex,
        provider: Box<SignInProvider>,
    },
    RemoveProvider {
        organization: OrganizationIndex,
    },
    /// By whoever the provider said it was, the first time: later the subject alone counts.
    LinkSubject {
        user: UserIndex,
        subject: u128,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleEvent {
    UserAdded {
        user: UserIndex,
        new: NewUser,
        added_at: Timestamp,
        membership: MembershipIndex,
        granted: Box<Membership>,
    },
    UserRemoved {
        user: UserIndex,
        removed_at: Timestamp,
    },
    Granted {
        membership: MembershipIndex,
        granted: Box<Membership>,
    },
    MembershipChanged {
        membership: MembershipIndex,
        rights: Rights,
        accounts: Chosen,
        rights_before: Rights,
        accounts_before: Chosen,
    },
    MembershipEnded {
        membership: MembershipIndex,
        ended_at: Timestamp,
    },
    HandedOver {
        root: AccountIndex,
        from: MembershipIndex,
        to: MembershipIndex,
        former: Rights,
    },
    Invited {
        invitation: InvitationIndex,
        invited: Box<Invitation>,
    },
    InvitationRevoked {
        invitation: InvitationIndex,
        revoked_at: Timestamp,
    },
    InvitationAccepted {
        invitation: InvitationIndex,
        user: UserIndex,
        /// None for one who was known already.
        new: Option<Box<NewUser>>,
        accepted_at: Timestamp,
        membership: MembershipIndex,
        granted: Box<Membership>,
    },
    SessionOpened {
        session: Box<Session>,
        factor: SecondFactor,
        /// Those it takes the place of: the one before, expired ones, the oldest of too many.
        ended: Arc<[SessionId]>,
    },
    SessionEnded {
        session: SessionId,
        user: UserIndex,
    },
    SessionsEnded {
        user: UserIndex,
        keep: Option<SessionId>,
    },
    PasswordSet {
        user: UserIndex,
        password: Arc<str>,
        passwords: u32,
        keep: Option<SessionId>,
    },
    ResetAsked {
        user: UserIndex,
    },
    FactorBegun {
        user: UserIndex,
        secret: Text,
    },
    FactorConfirmed {
        user: UserIndex,
        step: u64,
        recovery: Arc<[u128]>,
    },
    FactorRemoved {
        user: UserIndex,
    },
    SignInsFailed {
        user: UserIndex,
        count: u32,
        since: Timestamp,
    },
    PermissionsDefined {
        set: PermissionSetIndex,
        defined: Box<PermissionSet>,
        /// What they were, where the set was there.
        before: Option<u64>,
    },
    PermissionsRemoved {
        set: PermissionSetIndex,
    },
    ProviderSet {
        organization: OrganizationIndex,
        provider: Box<SignInProvider>,
        /// What it was, without its secret.
        before: Option<Box<SignInProvider>>,
        /// Whom the one before knew is not known any more.
        unlinks: bool,
    },
    ProviderRemoved {
        organization: OrganizationIndex,
    },
    SubjectLinked {
        user: UserIndex,
        subject: u128,
    },
    LetterAsked {
        about: About,
        asked_at: Timestamp,
    },
    LetterSettled {
        letter: EventRef,
        about: About,
        posted: Posted,
        tries: u32,
    },
    /// A session on the provider's word.
    SessionVouched {
        session: Box<Session>,
        factor: SecondFactor,
        ended: Arc<[SessionId]>,
    },
    /// The recovery codes before count no more.
    RecoveryRenewed {
        user: UserIndex,
        step: u64,
        recovery: Arc<[u128]>,
    },
}

impl PeopleEvent {
    /// The user whom it is about, where it is about what somebody does and proves as themselves, wherever they
    /// belong.
    pub fn user(&self) -> Option<UserIndex> {
        match self {
            Self::UserRemoved { user, .. }
            | Self::SessionEnded { user, .. }
            | Self::SessionsEnded { user, .. }
            | Self::PasswordSet { user, .. }
            | Self::ResetAsked { user }
            | Self::FactorBegun { user, .. }
            | Self::FactorConfirmed { user, .. }
            | Self::RecoveryRenewed { user, .. }
            | Self::FactorRemoved { user }
            | Self::SubjectLinked { user, .. }
            | Self::SignInsFailed { user, .. } => Some(*user),
            Self::SessionOpened { session, .. } | Self::SessionVouched { session, .. } => Some(session.user),
            Self::UserAdded { .. }
            | Self::Granted { .. }
            | Self::MembershipChanged { .. }
            | Self::MembershipEnded { .. }
            | Self::HandedOver { .. }
            | Self::Invited { .. }
            | Self::InvitationRevoked { .. }
            | Self::InvitationAccepted { .. }
            | Self::PermissionsDefined { .. }
            | Self::PermissionsRemoved { .. }
            | Self::ProviderSet { .. }
            | Self::ProviderRemoved { .. }
            | Self::LetterAsked { .. }
            | Self::LetterSettled { .. } => None,
        }
    }
}
