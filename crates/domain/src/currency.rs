//! Currencies: ISO 4217, or declared by an organization with its own exponent ("POINTS").

use std::fmt;
use std::str::FromStr;

/// An upper-case code of three to eight letters or digits, beginning with a letter.
///
/// The code alone says nothing about whether an organization may use it: ISO codes are open to all
/// ([`iso_exponent`]), any other has to be declared first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 8]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurrencyError {
    /// Not three to eight ASCII letters or digits, beginning with a letter.
    Malformed,
}

impl fmt::Display for CurrencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a currency code is three to eight letters or digits and begins with a letter")
    }
}

impl std::error::Error for CurrencyError {}

impl Currency {
    pub const EUR: Self = Self(*b"EUR\0\0\0\0\0");
    pub const USD: Self = Self(*b"USD\0\0\0\0\0");

    /// Case-insensitive; `Display` prints upper case.
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        let bytes = text.as_bytes();
        let well_formed = (3..=8).contains(&bytes.len())
            && bytes[0].is_ascii_alphabetic()
            && bytes.iter().all(u8::is_ascii_alphanumeric);
        if !well_formed {
            return Err(CurrencyError::Malformed);
        }
        let mut code = [0; 8];
        for (slot, byte) in code.iter_mut().zip(bytes) {
            *slot = byte.to_ascii_uppercase();
        }
        Ok(Self(code))
    }

    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..length]).expect("only ASCII is ever stored")
    }

    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }

    /// The inverse of [`Currency::to_bytes`], for stored records.
    pub fn from_bytes(bytes: [u8; 8]) -> Result<Self, CurrencyError> {
        let length = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        let text = std::str::from_utf8(&bytes[..length]).map_err(|_| CurrencyError::Malformed)?;
        let parsed = Self::parse(text)?;
        if parsed.0 == bytes { Ok(parsed) } else { Err(CurrencyError::Malformed) }
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;
    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        Self::parse(text)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Digits after the point of the minor unit, for the codes of ISO 4217 in which an account may be kept.
///
/// `None` for unknown and retired codes and for those without a minor unit (gold, the test code).
pub fn iso_exponent(currency: Currency) -> Option<u8> {
    let code = currency.as_str();
    if ZERO.contains(&code) {
        Some(0)
    } else if TWO.contains(&code) {
        Some(2)
    } else if THREE.contains(&code) {
        Some(3)
    } else if FOUR.contains(&code) {
        Some(4)
    } else {
        None
    }
}

const ZERO: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
    "XOF", "XPF",
];

const THREE: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

const FOUR: &[&str] = &["CLF", "UYW"];

const TWO: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD", "BND", "BOB",
    "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF", "CHW", "CNY", "COP", "COU",
    "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL",
    "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES",
    "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK",
    "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR",
    "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG",
    "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP",
    "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "USN", "UYU", "UZS", "VED", "VES", "WST", "XCD", "YER", "ZAR",
    "ZMW", "ZWG",
];

#[cfg(test)]
mod tests;
