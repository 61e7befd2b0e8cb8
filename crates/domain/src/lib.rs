//! Values that cannot hold a wrong state: money, currencies, instants.
//!
//! Everything above this crate speaks in these types, so a number that is not money, or money that
//! was rounded on its way in, does not compile or does not parse.
//!
//! Invariants: no float anywhere; arithmetic that can overflow says so; parsing never rounds.
//! Left out: printing of instants and calendars (one time library, at the edge), and anything that
//! knows of JSON: a dialect hands over the text of a number and gets text back.
#![deny(clippy::float_arithmetic)]

mod currency;
mod money;
mod time;

pub use currency::{Currency, CurrencyError, iso_exponent};
pub use money::{MoneyError, Nanos, Rounding};
pub use time::Timestamp;
