//! Users and credentials: whose word still counts, in the same order as charges.
//!
//! | noun | file |
//! |---|---|
//! | membership | `people/membership.rs` |
//! | permission set | `people/permission_set.rs` |
//! | session | `people/session.rs` |
//! | invitation | `people/invitation.rs` |
//! | password, second factor | `people/person.rs` |
//! | letter | `people/letter.rs` |
//! | sign-in provider | `people/provider.rs` |

mod act;
mod apply;
mod decide;
mod invitation;
mod letter;
mod membership;
mod permission_set;
mod person;
mod provider;
mod session;
mod state;

use std::sync::Arc;

use domain::Timestamp;

pub use act::{NewUser, PeopleAct, PeopleEvent};
pub(crate) use decide::{administers, decide};
pub use invitation::{INVITATION_LIFE_MAX_SECS, INVITATIONS_MAX, Invitation};
pub use letter::{About, LETTERS_MAX, Posted, WaitingLetter};
pub use membership::{
    Chosen, MEMBER_ACCOUNTS_MAX, MEMBERS_MAX, MEMBERSHIPS_OF_USER_MAX, Membership, Rights, Within,
};
pub use permission_set::{PERMISSION_SETS_MAX, PermissionSet};
pub use person::{FORMER_PASSWORDS_MAX, Factor, Person, RECOVERY_CODES_MAX, SecondFactor};
pub use provider::{PROVIDER_DOMAINS_MAX, SignInProvider};
pub use session::{SESSIONS_MAX, Session, SessionId};
pub(crate) use state::People;

use crate::{
    AccountIndex, Act, Actor, CredentialIndex, EventRef, Ledger, MembershipIndex, OrganizationIndex,
    Rejection, Scope, Spent, Text, UserIndex,
};

/// A role, as the callers' table numbers it. Here it is only kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleCode(pub u8);

impl RoleCode {
    /// The one role that means something here: within a family it is the primary user's.
    pub const OWNER: Self = Self(1);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub organization: OrganizationIndex,
    /// Of those who came before there were memberships; else zero.
    pub role: RoleCode,
    /// Keyed hash of the address; the address itself is sealed.
    pub email_digest: u128,
    pub email: Text,
    /// Slow hash; empty for one who has no password.
    pub password: Arc<str>,
    pub created_at: Timestamp,
    /// None for those who came before there was signing in, until something about them changes.
    pub person: Option<Box<Person>>,
    pub last: EventRef,
}

impl User {
    pub fn is_removed(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.removed_at.is_some())
    }

    /// A second factor that is asked for.
    pub fn factor(&self) -> Option<&Factor> {
        self.person.as_ref()?.factor.as_ref().filter(|factor| factor.confirmed)
    }

    pub fn passwords(&self) -> u32 {
        self.person.as_ref().map_or(0, |person| person.passwords)
    }
}

/// A secret or a token: what it proves, not what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub holder: Holder,
    pub role: RoleCode,
    pub verifier: Verifier,
    pub label: Text,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// The holder's credential issued before this one.
    pub previous: Option<CredentialIndex>,
    /// What it may not, though its holder may.
    pub scope: Option<Box<Scope>>,
    /// What went through each limit of the scope.
    pub spent: Box<[Spent]>,
    /// The newest day on which it was used, as far as that was written down; zero for never.
    pub used_on: u32,
    pub last: EventRef,
}

/// Live credentials that one account may have, and those among them that people chose: each of these is
/// tried, slowly, when a wrong secret comes.
pub const CREDENTIALS_MAX: u32 = 100;
pub const CHOSEN_MAX: u32 = 4;

impl Credential {
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Organization(OrganizationIndex),
    Account(AccountIndex),
    /// A person's own token: it may what the membership may.
    Member(MembershipIndex),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verifier {
    /// Keyed hash of a secret that we made.
    Digest([u8; 32]),
    /// Slow hash of a secret that a person chose, in its own text form.
    Password(Arc<str>),
}

/// On whose side an act is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// The server itself: first start, calendars, expiry.
    System,
    Seller(OrganizationIndex),
    Buyer(AccountIndex),
}

/// Who acts, and how far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) authority: Authority,
    /// The accounts it is limited to; none: all that the authority reaches.
    pub(crate) chosen: &'a [AccountIndex],
    /// The person who acts, where it is one.
    pub(crate) user: Option<UserIndex>,
}

impl Ledger {
    /// Who acts, if that credential or session still counts at `now`.
    pub(crate) fn standing(&self, actor: Actor, now: Timestamp) -> Result<Standing<'_>, Rejection> {
        let of = |authority| Ok(Standing { authority, chosen: &[], user: None });
        match actor {
            Actor::System => of(Authority::System),
            Actor::Credential(index) => {
                let credential = self.credential(index);
                if !credential.is_live(now) {
                    return Err(Rejection::CredentialRevoked);
                }
                match credential.holder {
                    Holder::Organization(organization) => of(Authority::Seller(organization)),
                    Holder::Account(account) => of(Authority::Buyer(account)),
                    Holder::Member(membership) => self.standing_of(membership),
                }
            }
            Actor::Session(id) => match self.session(id) {
                Some(session) if now < session.expires_at => self.standing_of(session.membership),
                _ => Err(Rejection::CredentialRevoked),
            },
            // A name in the journal proves nothing.
            Actor::Member(_) => Err(Rejection::CredentialRevoked),
        }
    }

    fn standing_of(&self, index: MembershipIndex) -> Result<Standing<'_>, Rejection> {
        let membership = self.membership(index);
        if !membership.is_live() {
            return Err(Rejection::CredentialRevoked);
        }
        let authority = match membership.within {
            Within::Organization(organization) => Authority::Seller(organization),
            Within::Family(root) => Authority::Buyer(root),
        };
        Ok(Standing { authority, chosen: &membership.accounts, user: Some(membership.user) })
    }

    /// The live credentials of an account, newest first.
    pub fn credentials_of(
        &self,
        account: AccountIndex,
        now: Timestamp,
    ) -> impl Iterator<Item = (CredentialIndex, &Credential)> {
        std::iter::successors(self.account(account).last_credential, |index| self.credential(*index).previous)
            .map(|index| (index, self.credential(index)))
            .filter(move |(_, credential)| credential.is_live(now))
    }
}

impl Authority {
    pub(crate) fn is_seller_of(self, organization: OrganizationIndex) -> bool {
        self == Self::Seller(organization) || self == Self::System
    }
}

impl Act {
    /// Acts that only the server itself does.
    pub(crate) fn is_internal(&self) -> bool {
        matches!(
            self,
            Act::CreateOrganization { .. }
                | Act::ExtendCalendar { .. }
                | Act::NoteUse { .. }
                | Act::BeginReload { .. }
        )
    }
}
