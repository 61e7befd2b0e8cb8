//! The rules of money, as a pure state machine.
//!
//! [`decide()`] judges one command against the state and changes nothing; what it admits comes out as
//! [`Event`]s that carry every amount **after** the fact. [`Ledger::apply`] folds an event and cannot
//! fail, so recovery is `apply`, repeated, and replay equals live byte for byte.
//!
//! | noun | file | its rules |
//! |---|---|---|
//! | account, funding, restrictions | `account.rs` | who pays, and what a status allows |
//! | balance and its amounts | `balance.rs` | posted, available, what may leave |
//! | charge, refund, top-up … | `money.rs` | how money moves |
//! | credit | `credit.rs` | granted, received, given |
//! | hold | `hold.rs` | place, extend, capture, void, expire |
//! | transfer, merge | `transfer.rs` | money between the accounts of a family |
//! | period | `period.rs` | counters that roll when they are touched |
//! | reload rule | `reload.rs` | how a balance is topped up again |
//! | organization, user, credential | `organization.rs`, `people.rs` | who exists and whose word still counts |
//! | membership, session, invitation | `people/` | who acts where, how far, and what a sign-in leaves |
//! | audit log | `audit.rs` | who asked for what was done, as a chain |
//! | scope, limit | `scope.rs`, `limit.rs` | what a credential may not, though its holder may |
//! | number, settings | `number.rs`, `settings.rs` | what an account has besides money |
//! | house, family | `totals.rs` | running totals that make the invariants cheap to check |
//!
//! Invariants: no IO, no clock, no randomness, no floats, no unordered iteration. Time arrives as an
//! argument, identities as dense indices. Every object carries the reference of the last event it has
//! seen, so a snapshot taken while charging goes on can be replayed over without harm.
//!
//! Left out: how commands arrive, who is allowed which operation (the table of roles lives with the
//! callers; here only sides count: seller or buyer), texts (sealed bytes, never looked into).
#![deny(clippy::float_arithmetic)]

mod account;
mod apply;
mod arena;
mod audit;
mod balance;
mod command;
mod credential;
mod credit;
mod decide;
mod draft;
mod entry_kind;
mod event;
mod hold;
mod index;
pub mod invariant;
mod limit;
mod money;
mod number;
mod object;
mod organization;
mod people;
mod period;
mod rejection;
mod reload;
mod scope;
mod settings;
mod state;
mod totals;
mod transfer;

pub use account::{ACCOUNTS_MAX, Account, Funding, Restrictions, Status, Terms};
pub use arena::Arena;
pub use audit::{AuditHead, Audited, Before, ReloadTerms, Sealed};
pub use balance::{Amounts, Balance, SKIP_LEVELS};
pub use command::{
    Act, Actor, Admission, AllocationWay, ChargeKind, Command, Correction, ExcessPolicy, NewAccount, Text,
    Usage,
};
pub use decide::decide;
pub use entry_kind::EntryKind;
pub use event::{Charged, Event, HoldEnd, HoldPlaced, Image, Posting};
pub use hold::{DUE_MAX, HOLD_LIFE_MAX_SECS, Hold};
pub use index::{
    AccountIndex, BalanceIndex, ChargeId, CredentialIndex, EventRef, FamilyIndex, HoldId, InvitationIndex,
    MembershipIndex, NameIndex, OrganizationIndex, PermissionSetIndex, UserIndex,
};
pub use limit::{Flow, Flows, LIMITS_MAX, Limit, PerDay, Span, Spent, day_of};
pub use number::{NUMBERS_MAX, Number};
pub use object::{Cursor, Object};
pub use organization::{Calendar, FAMILY_NAMES_MAX, NAMES_MAX, Organization};
pub use people::{
    About, CHOSEN_MAX, CREDENTIALS_MAX, Chosen, Credential, FORMER_PASSWORDS_MAX, Factor, Holder,
    INVITATION_LIFE_MAX_SECS, INVITATIONS_MAX, Invitation, LETTERS_MAX, MEMBER_ACCOUNTS_MAX, MEMBERS_MAX,
    MEMBERSHIPS_OF_USER_MAX, Membership, NewUser, PERMISSION_SETS_MAX, PROVIDER_DOMAINS_MAX, PeopleAct,
    PeopleEvent, PermissionSet, Person, Posted, RECOVERY_CODES_MAX, Rights, RoleCode, SESSIONS_MAX,
    SecondFactor, Session, SessionId, SignInProvider, User, Verifier, WaitingLetter, Within,
};
pub use rejection::{PeopleRejection, Rejection};
pub use reload::{
    Provider, RELOAD_FAILURES_MAX, Reload, ReloadLimits, ReloadPause, ReloadRequest, ReloadRule, ReloadTally,
};
pub use scope::{Allowed, FormerScope, SCOPE_ACCOUNTS_MAX, Scope};
pub use settings::{Forward, Settings, SettingsChange, Throughput};
pub use state::{Handle, Ledger, Merge, Name, Refunded, WARM_MAX};
pub use totals::{Family, House, HouseLeg};
