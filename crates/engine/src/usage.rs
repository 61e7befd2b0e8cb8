//! What was used, as reports count it.

use domain::{Nanos, Timestamp};
use ledger::{AccountIndex, Actor, BalanceIndex, ChargeId, CredentialIndex, Event, NameIndex};

use crate::History;
use crate::history::HistoryError;
use crate::record::Record;

/// A charge, or what was given back of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    pub at: Timestamp,
    /// Whose usage it is, whoever pays.
    pub account: AccountIndex,
    pub payer: BalanceIndex,
    /// Of a charge: a refund has that of the charge it names.
    pub product: Option<NameIndex>,
    /// The same.
    pub credential: Option<CredentialIndex>,
    pub quantity: Nanos,
    pub cost: Nanos,
    /// The charge that a refund gave back.
    pub refund_of: Option<ChargeId>,
    pub refunded: Nanos,
}

impl Record {
    /// What it says of usage, if anything.
    pub fn usage(&self) -> Option<UsageRecord> {
        let credential = match self.envelope.actor {
            Actor::System | Actor::Session(_) | Actor::Member(_) => None,
            Actor::Credential(credential) => Some(credential),
        };
        let none = |account, payer| UsageRecord {
            at: self.envelope.time,
            account,
            payer,
            product: None,
            credential: None,
            quantity: Nanos::ZERO,
            cost: Nanos::ZERO,
            refund_of: None,
            refunded: Nanos::ZERO,
        };
        Some(match &self.event {
            Event::Charged(it) | Event::HoldCaptured { charged: it, .. } => UsageRecord {
                product: it.usage.product,
                credential,
                quantity: it.usage.quantity.unwrap_or(Nanos::ZERO),
                cost: it.amount,
                ..none(it.account, it.payer.balance)
            },
            Event::Refunded { charge, posting: it, .. } => UsageRecord {
                refund_of: Some(*charge),
                refunded: it.amount,
                ..none(it.account, it.payer.balance)
            },
            _ => return None,
        })
    }
}

impl History {
    /// The position of the first group that is not earlier than `instant`; one behind the tail, if all are
    /// earlier. [`HistoryError::Removed`] where there may have been others.
    pub fn first_since(&self, instant: Timestamp) -> Result<u64, HistoryError> {
        let reader = self.reader();
        let begin = match reader.anchor() {
            None => 1,
            Some(anchor) if anchor.time < instant => anchor.tail.position + 1,
            Some(anchor) => return Err(HistoryError::Removed { until: anchor.time }),
        };
        let (mut low, mut high) = (begin, reader.tail().position + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if reader.group(middle)?.header().time < instant {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
