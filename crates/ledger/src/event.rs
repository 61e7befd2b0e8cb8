//! What happened: effects with the amounts after, never wishes.
//!
//! The meaning of a kind never changes; a new meaning is a new kind. `apply` reads only the objects an
//! event names and the event itself.

use std::sync::Arc;

use domain::{Currency, Nanos, Timestamp};

use crate::{
    AccountIndex, Admission, AllocationWay, Amounts, Audited, BalanceIndex, ChargeId, ChargeKind, Correction,
    Credential, CredentialIndex, FamilyIndex, FormerScope, Funding, HoldId, HouseLeg, NameIndex, NewAccount,
    Number, OrganizationIndex, PeopleEvent, ReloadLimits, ReloadPause, ReloadRequest, ReloadRule,
    ReloadTally, Restrictions, RoleCode, Scope, Settings, Spent, Status, Text, Usage, UserIndex,
};

/// A balance after an event: the amounts, and the number the event has in its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    pub balance: BalanceIndex,
    pub entry: u64,
    pub amounts: Amounts,
}

/// Money that came, went or was corrected on the balance that pays for `account`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    pub account: AccountIndex,
    pub payer: Image,
    /// The account's own balance, where another pays: its history shows the event too.
    pub user: Option<Image>,
    pub amount: Nanos,
    pub reference: Text,
}

/// Usage taken. Everything a report may ask about a charge is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charged {
    pub account: AccountIndex,
    pub payer: Image,
    pub user: Option<Image>,
    pub amount: Nanos,
    pub kind: ChargeKind,
    pub admission: Admission,
    pub usage: Usage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldPlaced {
    pub hold: HoldId,
    pub account: AccountIndex,
    pub payer: Image,
    pub user: Option<Image>,
    pub amount: Nanos,
    pub placed_at: Timestamp,
    pub expires_at: Timestamp,
    pub usage: Usage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    Voided,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    OrganizationCreated {
        organization: OrganizationIndex,
        name: Arc<str>,
        time_zone: Arc<str>,
        currency: Currency,
        first_period: u32,
        boundaries: Arc<[Timestamp]>,
        created_at: Timestamp,
    },
    CalendarExtended {
        organization: OrganizationIndex,
        /// All boundaries after, the known ones included.
        boundaries: Arc<[Timestamp]>,
    },
    CurrencyDeclared {
        organization: OrganizationIndex,
        currency: Currency,
        exponent: u8,
    },
    NameInterned {
        organization: OrganizationIndex,
        family: Option<AccountIndex>,
        name: NameIndex,
        digest: u128,
        text: Text,
    },
    /// As it was before there were memberships; not written any more.
    UserCreated {
        user: UserIndex,
        organization: OrganizationIndex,
        role: RoleCode,
        email_digest: u128,
        email: Text,
        password: Arc<str>,
        created_at: Timestamp,
    },
    CredentialIssued {
        index: CredentialIndex,
        credential: Box<Credential>,
    },
    CredentialRevoked {
        credential: CredentialIndex,
        revoked_at: Timestamp,
    },
    /// As it was before there were limits; not written any more.
    CredentialScoped {
        credential: CredentialIndex,
        scope: Box<FormerScope>,
    },
    /// As it was before there were limits; not written any more.
    CredentialSpent {
        credential: CredentialIndex,
        spent: Spent,
    },
    /// Behind the issue of a credential that is held to a scope.
    ScopeSet {
        credential: CredentialIndex,
        scope: Box<Scope>,
    },
    /// What went through the credential's limit of that place, this command included.
    LimitCounted {
        credential: CredentialIndex,
        limit: u32,
        spent: Spent,
    },
    CredentialUsed {
        credential: CredentialIndex,
        day: u32,
    },
    AccountOpened {
        account: AccountIndex,
        new: Box<NewAccount>,
        root: AccountIndex,
        opened_at: Timestamp,
        credential: Option<(CredentialIndex, Box<Credential>)>,
    },
    AccountChanged {
        account: AccountIndex,
        name: Text,
        status: Status,
        restrictions: Restrictions,
        funding: Funding,
        reason: Text,
    },
    HandleSet {
        account: AccountIndex,
        kind: u8,
        digest: u128,
        text: Text,
    },
    SettingsChanged {
        account: AccountIndex,
        settings: Box<Settings>,
    },
    NumberAssigned {
        digest: u128,
        number: Number,
    },
    NumberMoved {
        digest: u128,
        from: AccountIndex,
        /// As it is at its new account.
        number: Number,
    },
    NumberReleased {
        digest: u128,
        account: AccountIndex,
    },
    BalanceOpened {
        balance: BalanceIndex,
        account: AccountIndex,
        currency: Currency,
        family: FamilyIndex,
        period: u32,
        period_end: Timestamp,
    },
    PeriodRolled {
        image: Image,
        period: u32,
        period_end: Timestamp,
    },
    CreditSet {
        image: Image,
        /// By how much the limit rose.
        change: Nanos,
        reference: Text,
    },
    Allocated {
        way: AllocationWay,
        from: Image,
        to: Image,
        amount: Nanos,
        reference: Text,
    },
    Transferred {
        from: Image,
        to: Image,
        amount: Nanos,
        reference: Text,
    },
    /// An account went back to sharing: its money, credit and holds are its payer's now.
    Merged {
        from: Image,
        to: Image,
        posted: Nanos,
        held: Nanos,
        credit: Nanos,
    },
    ToppedUp(Posting),
    Withdrawn(Posting),
    Adjusted {
        posting: Posting,
        correction: Correction,
    },
    UsageCredited(Posting),
    /// As it was before rules had limits; not written any more.
    ReloadSet {
        account: AccountIndex,
        balance: BalanceIndex,
        rule: Box<ReloadRule>,
    },
    ReloadRequested {
        balance: BalanceIndex,
        request: ReloadRequest,
    },
    ReloadEnded {
        balance: BalanceIndex,
        approved: bool,
    },
    ReloadRuled {
        account: AccountIndex,
        balance: BalanceIndex,
        rule: Box<ReloadRule>,
        limits: ReloadLimits,
    },
    /// By itself: posted minus held was below the threshold.
    ReloadStarted {
        balance: BalanceIndex,
        request: ReloadRequest,
        /// With this one.
        started: ReloadTally,
    },
    /// Behind the end of one that failed.
    ReloadPaused {
        balance: BalanceIndex,
        pause: ReloadPause,
    },
    Charged(Charged),
    Refunded {
        charge: ChargeId,
        posting: Posting,
        /// All that was refunded of the charge, this included.
        refunded: Nanos,
    },
    HoldPlaced(HoldPlaced),
    HoldExtended {
        hold: HoldId,
        payer: Image,
        user: Option<Image>,
        expires_at: Timestamp,
    },
    HoldCaptured {
        hold: HoldId,
        /// What stays set aside; zero ends the hold.
        left: Nanos,
        released: Nanos,
        /// How much of the charge the hold had set aside.
        within: Nanos,
        charged: Charged,
    },
    HoldEnded {
        hold: HoldId,
        payer: Image,
        user: Option<Image>,
        released: Nanos,
        end: HoldEnd,
    },
    People(Box<PeopleEvent>),
    Audited(Box<Audited>),
}

/// What an event changes in the sums of its balance's family and house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub balance: BalanceIndex,
    pub posted: Nanos,
    pub held: Nanos,
    pub credit: Nanos,
    pub leg: HouseLeg,
}

impl Event {
    /// The balances it touches, as they are after it.
    pub fn images(&self) -> impl Iterator<Item = &Image> + Clone {
        let (first, second) = match self {
            Self::PeriodRolled { image, .. } | Self::CreditSet { image, .. } => (Some(image), None),
            Self::Allocated { from, to, .. }
            | Self::Transferred { from, to, .. }
            | Self::Merged { from, to, .. } => (Some(from), Some(to)),
            Self::ToppedUp(posting)
            | Self::Withdrawn(posting)
            | Self::UsageCredited(posting)
            | Self::Adjusted { posting, .. }
            | Self::Refunded { posting, .. } => (Some(&posting.payer), posting.user.as_ref()),
            Self::Charged(charged) | Self::HoldCaptured { charged, .. } => {
                (Some(&charged.payer), charged.user.as_ref())
            }
            Self::HoldPlaced(placed) => (Some(&placed.payer), placed.user.as_ref()),
            Self::HoldExtended { payer, user, .. } | Self::HoldEnded { payer, user, .. } => {
                (Some(payer), user.as_ref())
            }
            Self::OrganizationCreated { .. }
            | Self::CalendarExtended { .. }
            | Self::CurrencyDeclared { .. }
            | Self::NameInterned { .. }
            | Self::UserCreated { .. }
            | Self::CredentialIssued { .. }
            | Self::CredentialRevoked { .. }
            | Self::AccountOpened { .. }
            | Self::AccountChanged { .. }
            | Self::HandleSet { .. }
            | Self::CredentialScoped { .. }
            | Self::CredentialSpent { .. }
            | Self::ScopeSet { .. }
            | Self::LimitCounted { .. }
            | Self::CredentialUsed { .. }
            | Self::SettingsChanged { .. }
            | Self::NumberAssigned { .. }
            | Self::NumberMoved { .. }
            | Self::NumberReleased { .. }
            | Self::ReloadSet { .. }
            | Self::ReloadRequested { .. }
            | Self::ReloadEnded { .. }
            | Self::ReloadRuled { .. }
            | Self::ReloadStarted { .. }
            | Self::ReloadPaused { .. }
            | Self::BalanceOpened { .. }
            | Self::People(_)
            | Self::Audited(_) => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// Whether it only makes ready for the event that answers the command.
    pub fn is_preparation(&self) -> bool {
        matches!(self, Self::BalanceOpened { .. } | Self::PeriodRolled { .. })
    }

    /// Whether it belongs to the short history of a balance: money and credit that came, went or was
    /// set, without usage and holds.
    pub fn is_movement(&self) -> bool {
        matches!(
            self,
            Self::CreditSet { .. }
                | Self::Allocated { .. }
                | Self::Transferred { .. }
                | Self::Merged { .. }
                | Self::ToppedUp(_)
                | Self::Withdrawn(_)
                | Self::Adjusted { .. }
                | Self::UsageCredited(_)
        )
    }

    pub(crate) fn change(&self) -> Option<Change> {
        let none = |balance| Change {
            balance,
            posted: Nanos::ZERO,
            held: Nanos::ZERO,
            credit: Nanos::ZERO,
            leg: HouseLeg::Cash,
        };
        let posted = |posting: &Posting, posted, leg| Change { posted, leg, ..none(posting.payer.balance) };
        let minus = |amount: Nanos| Nanos::new(-amount.get());
        Some(match self {
            Self::ToppedUp(it) => posted(it, it.amount, HouseLeg::Cash),
            Self::Withdrawn(it) => posted(it, minus(it.amount), HouseLeg::Cash),
            Self::Adjusted { posting, .. } => posted(posting, posting.amount, HouseLeg::Adjustments),
            Self::UsageCredited(it) => posted(it, it.amount, HouseLeg::UsageCredits),
            Self::Refunded { posting, .. } => posted(posting, posting.amount, HouseLeg::Revenue),
            Self::Charged(it) => {
                Change { posted: minus(it.amount), leg: HouseLeg::Revenue, ..none(it.payer.balance) }
            }
            Self::HoldCaptured { released, within, charged, .. } => Change {
                posted: minus(charged.amount),
                held: Nanos::new(-released.get() - within.get()),
                leg: HouseLeg::Revenue,
                ..none(charged.payer.balance)
            },
            Self::HoldPlaced(it) => Change { held: it.amount, ..none(it.payer.balance) },
            Self::HoldEnded { payer, released, .. } => {
                Change { held: minus(*released), ..none(payer.balance) }
            }
            Self::CreditSet { image, change, .. } => Change { credit: *change, ..none(image.balance) },
            _ => return None,
        })
    }
}
