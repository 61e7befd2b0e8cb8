//! Money as it stands in JSON: the text of a number, never a float.
//!
//! | type | reads | writes |
//! |---|---|---|
//! | [`NumberAmount`] | a number | a number: `93.26` |
//! | `NumberAmount<4>` | a number | a number with at least four decimals: `93.2600` |
//! | [`TextAmount`] | a string or a number | a string: `"93.26"` |
//!
//! A raw token does not pass through `#[serde(flatten)]` or `serde_json::Value`: read wire types
//! straight from the text of the body, as [`crate::read_json`] does.

use std::fmt;
use std::str;

use domain::{MoneyError, Nanos};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

/// An amount that is a JSON number on the wire, written with at least `DECIMALS_MIN` decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NumberAmount<const DECIMALS_MIN: usize = 0>(pub Nanos);

/// An amount that is written as a string and read from a string or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TextAmount(pub Nanos);

/// A printed amount, kept on the stack.
#[derive(Clone, Copy)]
pub struct AmountText {
    bytes: [u8; TEXT_BYTES_MAX],
    length: usize,
}

/// A sign, the 30 whole digits of the largest value of 128 bits, a point and nine decimals.
const TEXT_BYTES_MAX: usize = 41;
const DECIMALS: usize = 9;
const NANOS_PER_UNIT: u64 = 1_000_000_000;

/// Reads the text of a JSON number exactly, as [`Nanos::parse`] does, and most of them in 64 bits.
pub fn read_amount(text: &str) -> Result<Nanos, MoneyError> {
    match plain(text.as_bytes()) {
        Some(nanos) => Ok(nanos),
        None => Nanos::parse(text),
    }
}

/// What nearly every charge carries: no sign, no exponent, at most nine decimals, few digits.
fn plain(text: &[u8]) -> Option<Nanos> {
    const DIGITS_MAX: usize = 18;
    if text.len() > DIGITS_MAX || (text.len() > 1 && text[0] == b'0' && text[1] != b'.') {
        return None;
    }
    let (whole, rest) = digits(0, text);
    if rest.len() == text.len() {
        return None;
    }
    let Some((b'.', rest)) = rest.split_first() else {
        let nanos = i128::from(whole) * i128::from(NANOS_PER_UNIT);
        return rest.is_empty().then_some(Nanos::new(nanos));
    };
    let (value, end) = digits(whole, rest);
    let step = STEPS.get(rest.len())?;
    (end.is_empty() && !rest.is_empty()).then(|| Nanos::new(i128::from(value) * i128::from(*step)))
}

/// What one unit in the last of so many decimals is worth in nanos.
const STEPS: [u64; DECIMALS + 1] =
    [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// The leading digits behind `value`, and what follows them.
fn digits(mut value: u64, mut text: &[u8]) -> (u64, &[u8]) {
    while let Some((&byte, rest)) = text.split_first() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value * 10 + u64::from(digit);
        text = rest;
    }
    (value, text)
}

impl AmountText {
    /// As few digits as the value needs, but at least `decimals_min` behind the point; never rounded.
    pub fn new(amount: Nanos, decimals_min: usize) -> Self {
        let magnitude = amount.get().unsigned_abs();
        let (whole, fraction) = match u64::try_from(magnitude) {
            Ok(magnitude) => (u128::from(magnitude / NANOS_PER_UNIT), magnitude % NANOS_PER_UNIT),
            Err(_) => {
                (magnitude / u128::from(NANOS_PER_UNIT), (magnitude % u128::from(NANOS_PER_UNIT)) as u64)
            }
        };
        let mut text = Self { bytes: [0; TEXT_BYTES_MAX], length: 0 };
        if amount.is_negative() {
            text.push(b"-");
        }
        match u64::try_from(whole) {
            Ok(whole) => text.push(itoa::Buffer::new().format(whole).as_bytes()),
            Err(_) => text.push(itoa::Buffer::new().format(whole).as_bytes()),
        }
        text.push_fraction(fraction, decimals_min.min(DECIMALS));
        text
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).expect("digits, a sign and a point are ASCII")
    }

    fn push(&mut self, part: &[u8]) {
        self.bytes[self.length..self.length + part.len()].copy_from_slice(part);
        self.length += part.len();
    }

    fn push_fraction(&mut self, mut fraction: u64, decimals_min: usize) {
        let mut shown = DECIMALS;
        while shown > decimals_min && fraction.is_multiple_of(10) {
            fraction /= 10;
            shown -= 1;
        }
        if shown == 0 {
            return;
        }
        let end = self.length + 1 + shown;
        self.bytes[self.length] = b'.';
        for digit in self.bytes[self.length + 1..end].iter_mut().rev() {
            *digit = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        self.length = end;
    }
}

impl fmt::Display for AmountText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de, const DECIMALS_MIN: usize> Deserialize<'de> for NumberAmount<DECIMALS_MIN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = <&RawValue>::deserialize(deserializer)?.get();
        if !token.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
            return Err(de::Error::custom("expected a number"));
        }
        read_amount(token).map(Self).map_err(de::Error::custom)
    }
}

impl<const DECIMALS_MIN: usize> Serialize for NumberAmount<DECIMALS_MIN> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = AmountText::new(self.0, DECIMALS_MIN);
        let token: &RawValue = serde_json::from_str(text.as_str()).map_err(ser::Error::custom)?;
        token.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TextAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = <&RawValue>::deserialize(deserializer)?.get();
        let text = match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(text) => text,
            None if token.starts_with(['n', 't', 'f', '[', '{']) => {
                return Err(de::Error::custom("expected a decimal in a string, or a number"));
            }
            None => token,
        };
        // A string may spell its digits as escapes; no client does, so that is the slow way.
        if text.contains('\\') {
            let text: String = serde_json::from_str(token).map_err(de::Error::custom)?;
            return read_amount(&text).map(Self).map_err(de::Error::custom);
        }
        read_amount(text).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for TextAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(AmountText::new(self.0, 0).as_str())
    }
}

impl<const DECIMALS_MIN: usize> From<Nanos> for NumberAmount<DECIMALS_MIN> {
    fn from(amount: Nanos) -> Self {
        Self(amount)
    }
}

impl From<Nanos> for TextAmount {
    fn from(amount: Nanos) -> Self {
        Self(amount)
    }
}

#[cfg(test)]
mod tests;
