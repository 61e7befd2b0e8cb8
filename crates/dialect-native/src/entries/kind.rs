//! What kind of entry an event is, seen from one of its balances.

use ledger::{BalanceIndex, Event, HoldEnd};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryKind {
    Charge,
    /// A hold became a charge, all of it or a part.
    Capture,
    Refund,
    TopUp,
    Withdrawal,
    Adjustment,
    UsageCredit,
    TransferIn,
    TransferOut,
    /// The limit was set.
    CreditLimit,
    AllocationIn,
    AllocationOut,
    /// A child's money, credit and holds came here.
    MergeIn,
    /// All of it went to the payer.
    MergeOut,
    Hold,
    HoldExtended,
    HoldVoided,
    HoldExpired,
    /// A period ended: the counters begin again.
    Period,
}

impl EntryKind {
    pub(crate) fn of(event: &Event, balance: BalanceIndex) -> Option<Self> {
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
            | Event::BalanceOpened { .. }
            | Event::People(_)
            | Event::Audited(_) => return None,
        })
    }
}
