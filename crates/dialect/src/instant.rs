//! Instants as text: RFC 3339, read with `Z` or an offset, printed in UTC.

use std::fmt;

use domain::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// How many digits behind the second are printed; what is finer is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fraction {
    None = 0,
    Millis = 3,
    Micros = 6,
}

/// An instant on the wire, printed with `DIGITS` (0, 3 or 6) digits behind the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant<const DIGITS: u8>(pub Timestamp);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    #[error("not an RFC 3339 date and time")]
    Malformed,
    /// No such day or time, or outside the years 0000 to 9999.
    #[error("no such date or time")]
    OutOfRange,
}

/// The microseconds of the years 0000 to 9999.
const PRINTABLE: std::ops::Range<i64> = -62_167_219_200_000_000..253_402_300_800_000_000;

/// Reads `2024-08-28T14:11:32.239Z` or `…+02:00`. Digits finer than a microsecond are cut off.
pub fn read_instant(text: &str) -> Result<Timestamp, InstantError> {
    // The library reads more (spaces, week dates, zone names) than a wire format should accept.
    if !is_rfc_3339(text.as_bytes()) {
        return Err(InstantError::Malformed);
    }
    let instant: jiff::Timestamp = text.parse().map_err(|_| InstantError::OutOfRange)?;
    let micros = instant.as_nanosecond().div_euclid(1000);
    i64::try_from(micros).map(Timestamp::from_micros).map_err(|_| InstantError::OutOfRange)
}

/// `2024-08-28T14:11:32.239Z`; fails for what no calendar of four-digit years holds, such as "never".
pub fn print_instant(instant: Timestamp, fraction: Fraction) -> Result<String, InstantError> {
    const PRINTERS: [DateTimePrinter; 3] = [
        DateTimePrinter::new().precision(Some(0)),
        DateTimePrinter::new().precision(Some(3)),
        DateTimePrinter::new().precision(Some(6)),
    ];
    let printer = match fraction {
        Fraction::None => &PRINTERS[0],
        Fraction::Millis => &PRINTERS[1],
        Fraction::Micros => &PRINTERS[2],
    };
    if !PRINTABLE.contains(&instant.as_micros()) {
        return Err(InstantError::OutOfRange);
    }
    let finer = instant.as_micros().rem_euclid(10_i64.pow(6 - fraction as u32));
    let instant = jiff::Timestamp::from_microsecond(instant.as_micros() - finer)
        .map_err(|_| InstantError::OutOfRange)?;
    Ok(printer.timestamp_to_string(&instant))
}

/// `dddd-dd-ddTdd:dd:dd[.d…](Z|±dd:dd)`
fn is_rfc_3339(text: &[u8]) -> bool {
    const FRACTION_DIGITS_MAX: usize = 9;
    let Some((head, rest)) = text.split_at_checked(b"dddd-dd-ddTdd:dd:dd".len()) else { return false };
    if !matches(head, b"dddd-dd-ddTdd:dd:dd") {
        return false;
    }
    let offset = match rest.split_first() {
        Some((b'.', rest)) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=FRACTION_DIGITS_MAX).contains(&digits) {
                return false;
            }
            &rest[digits..]
        }
        _ => rest,
    };
    matches(offset, b"Z") || matches(offset, b"+dd:dd") || matches(offset, b"-dd:dd")
}

fn matches(text: &[u8], pattern: &[u8]) -> bool {
    let fits = |(&byte, &expected): (&u8, &u8)| match expected {
        b'd' => byte.is_ascii_digit(),
        _ => byte.to_ascii_uppercase() == expected,
    };
    text.len() == pattern.len() && text.iter().zip(pattern).all(fits)
}

impl<'de, const DIGITS: u8> Deserialize<'de> for Instant<DIGITS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 date and time")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                read_instant(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text).map(Self)
    }
}

impl<const DIGITS: u8> Serialize for Instant<DIGITS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fraction = const {
            match DIGITS {
                0 => Fraction::None,
                3 => Fraction::Millis,
                6 => Fraction::Micros,
                _ => panic!("an instant is printed with 0, 3 or 6 digits"),
            }
        };
        let text = print_instant(self.0, fraction).map_err(ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

#[cfg(test)]
mod tests;
