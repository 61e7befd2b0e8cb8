//! Zone rules live here; the ledger gets instants.

use domain::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::{Ledger, OrganizationIndex};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0}")]
pub struct UnknownTimeZone(pub String);

/// How far ahead boundaries are recorded, and how little may be left before more are.
pub(crate) const MONTHS_AHEAD: u32 = 36;
const LEFT_MIN_SECS: i64 = 400 * 24 * 3600;

/// Monthly periods are numbered by calendar: year × 12 + month − 1.
pub(crate) fn period_number(time_zone: &str, instant: Timestamp) -> Result<u32, UnknownTimeZone> {
    let zone = zone(time_zone)?;
    let at = jiff::Timestamp::from_microsecond(instant.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = at.to_zoned(zone).date();
    Ok(date.year().unsigned_abs() as u32 * 12 + date.month().unsigned_abs() as u32 - 1)
}

/// The instants at which the periods `first`, `first + 1`, … end.
pub(crate) fn period_ends(
    time_zone: &str,
    first: u32,
    count: u32,
) -> Result<Vec<Timestamp>, UnknownTimeZone> {
    let zone = zone(time_zone)?;
    let end = |period: u32| {
        let next = period + 1;
        let (year, month) = (i16::try_from(next / 12).ok()?, i8::try_from(next % 12 + 1).ok()?);
        let midnight = Date::new(year, month, 1).ok()?.to_zoned(zone.clone()).ok()?;
        Some(Timestamp::from_micros(midnight.timestamp().as_microsecond()))
    };
    Ok((first..first + count).map_while(end).collect())
}

/// Whose recorded boundaries come to an end, and how they go on.
pub(crate) fn continued(ledger: &Ledger, now: Timestamp) -> Vec<(OrganizationIndex, Vec<Timestamp>)> {
    let until = now.plus_secs(LEFT_MIN_SECS);
    let short = ledger
        .organizations()
        .filter(|(_, it)| it.calendar.boundaries.last().is_none_or(|last| *last < until));
    let continued = short.filter_map(|(index, it)| {
        let first = it.calendar.first + it.calendar.boundaries.len() as u32;
        let reached = period_number(&it.time_zone, now).unwrap_or(first);
        let count = MONTHS_AHEAD + reached.saturating_sub(first);
        Some((index, period_ends(&it.time_zone, first, count).ok()?))
    });
    continued.collect()
}

fn zone(name: &str) -> Result<TimeZone, UnknownTimeZone> {
    TimeZone::get(name).map_err(|_| UnknownTimeZone(name.to_owned()))
}

/// The days of an organization, for reports.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    pub fn named(name: &str) -> Result<Self, UnknownTimeZone> {
        zone(name).map(Self)
    }

    /// The day that an instant is in.
    pub fn day(&self, at: Timestamp) -> Date {
        let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        at.to_zoned(self.0.clone()).date()
    }

    /// When a day begins: not everywhere and always at midnight.
    pub fn begin(&self, day: Date) -> Timestamp {
        let begin = day.to_zoned(self.0.clone()).map(|begin| begin.timestamp().as_microsecond());
        // A day beyond what the calendar holds.
        Timestamp::from_micros(begin.unwrap_or(i64::MAX))
    }
}
