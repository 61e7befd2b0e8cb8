//! What can be asked. Handles, texts and secrets were resolved before: commands carry indices and
//! sealed bytes.

use std::sync::Arc;

use domain::{Currency, Nanos, Timestamp};

use crate::{
    AccountIndex, BalanceIndex, ChargeId, CredentialIndex, Funding, HoldId, Holder, MembershipIndex,
    NameIndex, OrganizationIndex, PeopleAct, ReloadLimits, ReloadRule, RoleCode, Scope, SessionId,
    SettingsChange, Verifier,
};

/// Sealed bytes, or nothing. The ledger never looks into them.
pub type Text = Option<Arc<[u8]>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub actor: Actor,
    pub act: Act,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The server itself.
    System,
    Credential(CredentialIndex),
    Session(SessionId),
    /// How the journal names whoever acted in a session. It proves nothing.
    Member(MembershipIndex),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    CreateOrganization {
        name: Arc<str>,
        time_zone: Arc<str>,
        currency: Currency,
        first_period: u32,
        boundaries: Arc<[Timestamp]>,
    },
    ExtendCalendar {
        organization: OrganizationIndex,
        boundaries: Arc<[Timestamp]>,
    },
    DeclareCurrency {
        organization: OrganizationIndex,
        currency: Currency,
        exponent: u8,
    },
    InternName {
        organization: OrganizationIndex,
        /// The root of the family that brought it up; none, when it was the seller.
        family: Option<AccountIndex>,
        digest: u128,
        text: Text,
    },
    People(Box<PeopleAct>),
    IssueCredential {
        holder: Holder,
        role: RoleCode,
        verifier: Verifier,
        label: Text,
        expires_at: Timestamp,
        /// More live credentials than this are refused.
        live_max: Option<u32>,
        scope: Option<Box<Scope>>,
    },
    /// Whatever the account had proves nothing any more; this does.
    ReissueCredential {
        account: AccountIndex,
        role: RoleCode,
        verifier: Verifier,
        label: Text,
    },
    /// That a credential was used on a day; by the server itself, now and then.
    NoteUse {
        credential: CredentialIndex,
        day: u32,
    },
    RevokeCredential {
        credential: CredentialIndex,
        /// Fewer live credentials than this must not be left.
        live_min: u32,
    },
    OpenAccount(Box<NewAccount>),
    /// All of it or none.
    ModifyAccount {
        account: AccountIndex,
        name: Option<Text>,
        suspended: Option<bool>,
        shared: Option<bool>,
    },
    SetFrozen {
        account: AccountIndex,
        frozen: bool,
        reason: Text,
    },
    SetClosed {
        account: AccountIndex,
        closed: bool,
    },
    SetHandle {
        account: AccountIndex,
        kind: u8,
        digest: u128,
        text: Text,
    },
    SetSettings {
        account: AccountIndex,
        change: Box<SettingsChange>,
    },
    AssignNumber {
        account: AccountIndex,
        digest: u128,
        country: [u8; 2],
        digits: Text,
    },
    ReleaseNumber {
        account: AccountIndex,
        digest: u128,
    },
    TransferNumber {
        from: AccountIndex,
        to: AccountIndex,
        digest: u128,
        /// The number's own, where it is named.
        country: Option<[u8; 2]>,
    },
    // Money. Without a currency it is the account's home currency.
    SetReload {
        account: AccountIndex,
        currency: Option<Currency>,
        rule: Box<ReloadRule>,
        limits: ReloadLimits,
    },
    /// Without anybody asking; by the server itself.
    BeginReload {
        balance: BalanceIndex,
    },
    StartReload {
        account: AccountIndex,
        currency: Option<Currency>,
        /// Of the reference that the rule was set with.
        digest: u128,
    },
    SettleReload {
        account: AccountIndex,
        currency: Option<Currency>,
        approved: bool,
    },
    SetCredit {
        account: AccountIndex,
        currency: Option<Currency>,
        credit: Nanos,
        reference: Text,
    },
    Allocate {
        /// The parent's edge to this child is what the credit crosses.
        child: AccountIndex,
        currency: Option<Currency>,
        way: AllocationWay,
        amount: Nanos,
        reference: Text,
    },
    Transfer {
        from: AccountIndex,
        to: AccountIndex,
        currency: Option<Currency>,
        amount: Nanos,
        reference: Text,
    },
    TopUp {
        account: AccountIndex,
        currency: Option<Currency>,
        amount: Nanos,
        reference: Text,
    },
    Withdraw {
        account: AccountIndex,
        currency: Option<Currency>,
        amount: Nanos,
        reference: Text,
    },
    Adjust {
        account: AccountIndex,
        currency: Option<Currency>,
        /// Signed: positive raises posted.
        amount: Nanos,
        correction: Correction,
        reference: Text,
    },
    GiveUsageCredit {
        account: AccountIndex,
        currency: Option<Currency>,
        amount: Nanos,
        reference: Text,
    },
    Charge {
        account: AccountIndex,
        currency: Option<Currency>,
        amount: Nanos,
        kind: ChargeKind,
        admission: Admission,
        usage: Usage,
    },
    Refund {
        charge: ChargeId,
        /// The balance that paid, and the number of the charge there; facts of the charge's own event.
        payer: BalanceIndex,
        payer_entry: u64,
        charged: Nanos,
        amount: Nanos,
        reference: Text,
    },
    PlaceHold {
        account: AccountIndex,
        currency: Option<Currency>,
        amount: Nanos,
        expires_at: Timestamp,
        usage: Usage,
    },
    ExtendHold {
        hold: HoldId,
        expires_at: Timestamp,
    },
    CaptureHold {
        hold: HoldId,
        amount: Nanos,
        excess: ExcessPolicy,
        keep_open: bool,
        /// What is said again at capture wins over what the hold was placed with.
        quantity: Option<Nanos>,
        reference: Text,
    },
    VoidHold {
        hold: HoldId,
    },
}

/// What a charge or hold is for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    pub product: Option<NameIndex>,
    pub used_by: Option<NameIndex>,
    pub quantity: Option<Nanos>,
    pub reference: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    pub organization: OrganizationIndex,
    pub parent: Option<AccountIndex>,
    pub currency: Currency,
    pub funding: Funding,
    pub managed: bool,
    pub may_open_children: bool,
    pub allows_overruns: bool,
    pub name: Text,
    /// Set by the seller; zero when a parent opens a child.
    pub credit: Nanos,
    pub credential: Option<(RoleCode, Verifier)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocationWay {
    /// From the parent to the child.
    Give,
    /// From the child back to its parent.
    Return,
}

/// Which counter a correction belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    Funded,
    Used,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeKind {
    Metered,
    Order,
    Fee,
}

/// How a charge may pass the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It costs no more than what is available.
    Strict,
    /// It was used already: admitted whole if anything was available before it.
    Served,
    /// By the seller, whatever is available.
    Forced,
}

/// What a capture above its hold may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExcessPolicy {
    /// Nothing: refused.
    Exact,
    /// As much of it as is available.
    UpToAvailable,
    /// All of it, if a charge of the excess would be admitted.
    Admit(Admission),
}
