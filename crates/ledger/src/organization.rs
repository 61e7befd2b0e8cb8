//! The seller: its currencies, its calendar, its running totals.

use std::sync::Arc;

use domain::{Currency, Timestamp, iso_exponent};

use crate::{EventRef, House};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub name: Arc<str>,
    pub time_zone: Arc<str>,
    pub currency: Currency,
    pub calendar: Calendar,
    /// Currencies of its own making, with their exponents.
    pub declared: Vec<(Currency, u8)>,
    /// One per currency, in the order of first use.
    pub houses: Vec<House>,
    pub created_at: Timestamp,
    /// How many names it has, its families' among them.
    pub names: u32,
    pub last: EventRef,
}

/// Names of one organization, and those that one family may bring up: enough to tell its users apart, and
/// too few to use up its seller's.
pub const NAMES_MAX: u32 = 1_000_000;
pub const FAMILY_NAMES_MAX: u32 = 100_000;

impl Organization {
    pub fn exponent(&self, currency: Currency) -> Option<u8> {
        let declared = self.declared.iter().find(|(code, _)| *code == currency);
        declared.map(|(_, exponent)| *exponent).or_else(|| iso_exponent(currency))
    }

    pub fn house(&self, currency: Currency) -> Option<&House> {
        self.houses.iter().find(|house| house.currency == currency)
    }
}

/// The instants at which periods end, recorded as data: no rule reads time-zone rules.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Calendar {
    /// The number of the period that ends at the first boundary.
    pub first: u32,
    pub boundaries: Vec<Timestamp>,
}

impl Calendar {
    /// The period that holds `now`, and the instant it ends. None when no boundary later than `now` is known.
    pub fn period_at(&self, now: Timestamp) -> Option<(u32, Timestamp)> {
        let passed = self.boundaries.partition_point(|boundary| *boundary <= now);
        let end = self.boundaries.get(passed)?;
        Some((self.first + passed as u32, *end))
    }
}
