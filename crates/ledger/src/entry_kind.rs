//! What kind of entry an event is, seen from one of its balances.

use crate::{BalanceIndex, Event, HoldEnd};

macro_rules! entry_kinds {
    ($($(#[$meta:meta])* $kind:ident $name:literal,)*) => {
        /// What happened to a balance.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EntryKind { $($(#[$meta])* $kind),* }

        impl EntryKind {
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its word, wherever entries are printed.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }
        }
    };
}

entry_kinds! {
    Charge "charge",
    /// A hold became a charge, all of it or a part.
    Capture "capture",
    Refund "refund",
    TopUp "top_up",
    Withdrawal "withdrawal",
    Adjustment "adjustment",
    UsageCredit "usage_credit",
    TransferIn "transfer_in",
    TransferOut "transfer_out",
    /// The limit was set.
    CreditLimit "credit_limit",
    AllocationIn "allocation_in",
    AllocationOut "allocation_out",
    /// A child's money, credit and holds came here.
    MergeIn "merge_in",
    /// All of it went to the payer.
    MergeOut "merge_out",
    Hold "hold",
    HoldExtended "hold_extended",
    HoldVoided "hold_voided",
    HoldExpired "hold_expired",
    /// A period ended: the counters begin again.
    Period "period",
}

impl EntryKind {
    /// None for an event that touches no balance.
    pub fn of(event: &Event, balance: BalanceIndex) -> Option<Self> {
        let way = |from: BalanceIndex, out, into| if from == balance { out } else { into };
        Some(match event {
            Event::Charged(_) => Self::Charge,
            Event::HoldCaptured { .. } => Self::Capture,
            Event::Refunded { .. } => Self::Refund,
            Event::ToppedUp(_) => Self::TopUp,
            Event::Withdrawn(_) => Self::Withdrawal,
            Event::Adjusted { .. } => Self::Adjustment,
            Event::UsageCredited(_) => Self::UsageCredit,
            Event::Transferred { from, .. } => way(from.balance, Self::TransferOut, Self::TransferIn),
            Event::CreditSet { .. } => Self::CreditLimit,
            Event::Allocated { from, .. } => way(from.balance, Self::AllocationOut, Self::AllocationIn),
            Event::Merged { from, .. } => way(from.balance, Self::MergeOut, Self::MergeIn),
            Event::HoldPlaced(_) => Self::Hold,
            Event::HoldExtended { .. } => Self::HoldExtended,
            Event::HoldEnded { end: HoldEnd::Voided, .. } => Self::HoldVoided,
            Event::HoldEnded { end: HoldEnd::Expired, .. } => Self::HoldExpired,
            Event::PeriodRolled { .. } => Self::Period,
            Event::OrganizationCreated { .. }
            | Event::CalendarExtended { .. }
            | Event::CurrencyDeclared { .. }
            | Event::NameInterned { .. }
            | Event::UserCreated { .. }
            | Event::CredentialIssued { .. }
            | Event::CredentialRevoked { .. }
            | Event::AccountOpened { .. }
            | Event::AccountChanged { .. }
            | Event::HandleSet { .. }
            | Event::CredentialScoped { .. }
            | Event::CredentialSpent { .. }
            | Event::ScopeSet { .. }
            | Event::LimitCounted { .. }
            | Event::CredentialUsed { .. }
            | Event::SettingsChanged { .. }
            | Event::NumberAssigned { .. }
            | Event::NumberMoved { .. }
            | Event::NumberReleased { .. }
            | Event::ReloadSet { .. }
            | Event::ReloadRequested { .. }
            | Event::ReloadEnded { .. }
            | Event::ReloadRuled { .. }
            | Event::ReloadStarted { .. }
            | Event::ReloadPaused { .. }
            | Event::BalanceOpened { .. }
            | Event::People(_)
            | Event::Audited(_) => return None,
        })
    }
}
