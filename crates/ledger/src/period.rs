//! Periods are counters that roll when their balance is next touched: one event, however many
//! boundaries have passed. The roll itself is [`crate::Amounts::rolled`]; here is what a reader sees of
//! a balance that nothing has touched since its period ended.

use domain::Timestamp;

use crate::{Amounts, Balance};

impl Balance {
    /// The amounts as of `now`: those of the open period, which may not have begun on record.
    pub fn amounts_at(&self, now: Timestamp) -> Amounts {
        if now >= self.period_end { self.amounts.rolled() } else { self.amounts }
    }
}
