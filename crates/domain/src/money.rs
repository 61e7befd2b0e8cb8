//! Amounts: an exact count of 10⁻⁹ units.
//!
//! | text | read as | why |
//! |---|---|---|
//! | `1000.0000` | 1000 | trailing zeros carry nothing |
//! | `4e-3` | 0.004 | JSON allows exponents; we never print one |
//! | `0.0000000001` | refused | more than nine decimals would have to be rounded |
//! | `-0` | 0 | there is one zero |

use std::fmt;
use std::iter::Sum;

/// A signed count of 10⁻⁹ of a currency's major unit.
///
/// The currency travels beside it: a balance, a command and an event each name theirs once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(i128);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a decimal number.
    Malformed,
    /// A non-zero digit beyond the ninth decimal.
    TooPrecise,
    /// Larger than any amount the server keeps (2⁶³ units).
    OutOfRange,
    /// Units and nanos of a split amount disagree in sign.
    SignMismatch,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a decimal number",
            Self::TooPrecise => "more than nine decimals",
            Self::OutOfRange => "out of range",
            Self::SignMismatch => "units and nanos differ in sign",
        })
    }
}

impl std::error::Error for MoneyError {}

/// How an exact value becomes one with fewer digits. The ledger never does; prices and settlement do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    HalfEven,
    /// Away from zero on a tie, as people expect on an invoice.
    HalfUp,
    Truncate,
}

const NANOS_PER_UNIT: i128 = 1_000_000_000;
const DECIMALS: usize = 9;
/// A number's text may not be longer than this, nor its exponent larger: both bound the work of reading it.
const TOKEN_BYTES_MAX: usize = 64;
const EXPONENT_MAX: i32 = 64;

impl Nanos {
    pub const ZERO: Self = Self(0);
    /// The largest amount any API can carry: 2⁶³ − 1 units and 999,999,999 nanos.
    pub const MAX: Self = Self(i64::MAX as i128 * NANOS_PER_UNIT + (NANOS_PER_UNIT - 1));
    pub const MIN: Self = Self(i64::MIN as i128 * NANOS_PER_UNIT - (NANOS_PER_UNIT - 1));

    pub const fn new(nanos: i128) -> Self {
        Self(nanos)
    }

    pub const fn from_units(units: i64) -> Self {
        Self(units as i128 * NANOS_PER_UNIT)
    }

    pub const fn get(self) -> i128 {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether it can be carried by every API; commands outside of it are refused.
    pub const fn in_range(self) -> bool {
        self.0 >= Self::MIN.0 && self.0 <= Self::MAX.0
    }

    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    pub const fn checked_neg(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(negated) => Some(Self(negated)),
            None => None,
        }
    }

    #[must_use]
    pub fn or_zero(self) -> Self {
        self.max(Self::ZERO)
    }

    /// `self × quantity`, both with nine decimals, rounded once to nanos.
    pub fn checked_mul(self, quantity: Self, rounding: Rounding) -> Result<Self, MoneyError> {
        let product = self.0.checked_mul(quantity.0).ok_or(MoneyError::OutOfRange)?;
        Ok(Self(divide(product, NANOS_PER_UNIT, rounding)))
    }

    /// Rounds to `digits` decimals.
    #[must_use]
    pub fn rounded(self, digits: u8, rounding: Rounding) -> Self {
        let step = step_of(digits);
        Self(divide(self.0, step, rounding) * step)
    }

    /// Units and nanos as in `google.type.Money`: both signs agree.
    pub fn split(self) -> Result<(i64, i32), MoneyError> {
        let units = i64::try_from(self.0 / NANOS_PER_UNIT).map_err(|_| MoneyError::OutOfRange)?;
        let nanos = i32::try_from(self.0 % NANOS_PER_UNIT).expect("a remainder below 10⁹ fits");
        Ok((units, nanos))
    }

    pub fn join(units: i64, nanos: i32) -> Result<Self, MoneyError> {
        if !(-999_999_999..=999_999_999).contains(&nanos) {
            return Err(MoneyError::OutOfRange);
        }
        if (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
            return Err(MoneyError::SignMismatch);
        }
        Ok(Self(i128::from(units) * NANOS_PER_UNIT + i128::from(nanos)))
    }

    /// Reads the text of a JSON number, exactly.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let bytes = text.as_bytes();
        if bytes.len() > TOKEN_BYTES_MAX {
            return Err(MoneyError::Malformed);
        }
        let (negative, rest) = match bytes.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, bytes),
        };
        let (whole, rest) = digits(rest);
        if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
            return Err(MoneyError::Malformed);
        }
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => {
                let (fraction, rest) = digits(rest);
                if fraction.is_empty() {
                    return Err(MoneyError::Malformed);
                }
                (fraction, rest)
            }
            _ => (&[][..], rest),
        };
        let magnitude = scaled(whole, fraction, exponent(rest)?)?;
        let value = Self(if negative { -magnitude } else { magnitude });
        if value.in_range() { Ok(value) } else { Err(MoneyError::OutOfRange) }
    }

    /// As few digits as the value needs: `93.26`, `2005`, `-0.000000001`.
    pub fn shortest(self) -> impl fmt::Display {
        Shortest { nanos: self.0, fraction_min: 0 }
    }

    /// At least `fraction_min` decimals, more where the value has them; never rounded.
    pub fn at_least(self, fraction_min: usize) -> impl fmt::Display {
        Shortest { nanos: self.0, fraction_min }
    }
}

/// The leading digits of `bytes`, and what follows them.
fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at(end)
}

fn exponent(rest: &[u8]) -> Result<i32, MoneyError> {
    let Some((b'e' | b'E', rest)) = rest.split_first() else {
        return if rest.is_empty() { Ok(0) } else { Err(MoneyError::Malformed) };
    };
    let (sign, rest) = match rest.split_first() {
        Some((b'-', rest)) => (-1, rest),
        Some((b'+', rest)) => (1, rest),
        _ => (1, rest),
    };
    let (value, end) = digits(rest);
    if value.is_empty() || !end.is_empty() {
        return Err(MoneyError::Malformed);
    }
    let value = value.iter().try_fold(0_i32, |value, &digit| {
        let value = value * 10 + i32::from(digit - b'0');
        if value > EXPONENT_MAX { Err(MoneyError::OutOfRange) } else { Ok(value) }
    })?;
    Ok(sign * value)
}

/// The digits of `whole.fraction × 10^exponent`, as nanos.
fn scaled(whole: &[u8], fraction: &[u8], exponent: i32) -> Result<i128, MoneyError> {
    // Digits before this index of the concatenation are kept: all of the whole part, nine decimals, the exponent.
    let keep = whole.len() as i32 + DECIMALS as i32 + exponent;
    let mut value: i128 = 0;
    for (index, digit) in whole.iter().chain(fraction).enumerate() {
        let digit = i128::from(digit - b'0');
        if (index as i32) < keep {
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(digit))
                .ok_or(MoneyError::OutOfRange)?;
        } else if digit != 0 {
            return Err(MoneyError::TooPrecise);
        }
    }
    if value == 0 {
        return Ok(0);
    }
    let missing = keep - (whole.len() + fraction.len()) as i32;
    for _ in 0..missing {
        value = value.checked_mul(10).ok_or(MoneyError::OutOfRange)?;
    }
    Ok(value)
}

fn step_of(digits: u8) -> i128 {
    10_i128.pow(DECIMALS as u32 - u32::from(digits).min(DECIMALS as u32))
}

fn divide(value: i128, divisor: i128, rounding: Rounding) -> i128 {
    let (quotient, remainder) = (value / divisor, value % divisor);
    let twice = (remainder.unsigned_abs()) * 2;
    let away = match rounding {
        Rounding::Truncate => false,
        Rounding::HalfUp => twice >= divisor.unsigned_abs(),
        Rounding::HalfEven => {
            twice > divisor.unsigned_abs() || (twice == divisor.unsigned_abs() && quotient % 2 != 0)
        }
    };
    if away { quotient + value.signum() } else { quotient }
}

struct Shortest {
    nanos: i128,
    fraction_min: usize,
}

impl fmt::Display for Shortest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.nanos.unsigned_abs();
        let mut fraction = (magnitude % NANOS_PER_UNIT as u128) as u32;
        let mut digits = [b'0'; DECIMALS];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        let significant = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
        let shown = significant.max(self.fraction_min.min(DECIMALS));
        if self.nanos < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", magnitude / NANOS_PER_UNIT as u128)?;
        if shown > 0 {
            f.write_str(".")?;
            f.write_str(std::str::from_utf8(&digits[..shown]).expect("digits are ASCII"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.shortest(), f)
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.shortest(), f)
    }
}

/// For totals of amounts that are each in range: 2⁶³ of them fit, so a sum that overflows is a bug.
impl Sum for Nanos {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |total, amount| {
            total.checked_add(amount).expect("the sum of amounts in range fits in 128 bits")
        })
    }
}

#[cfg(test)]
mod tests;
