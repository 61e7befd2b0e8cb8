//! Pages of long lists: how many, and from where.
//!
//! A cursor is opaque to clients and holds what its list needs to go on (positions, never rights):
//! whoever presents one is still asked who they are.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many items of a list are given at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageBounds {
    pub default: usize,
    pub max: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub limit: usize,
    /// Where to go on; the beginning of the list when absent.
    pub after: Option<Cursor>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PagingError {
    #[error("limit is not a whole number from 1 to {max}")]
    Limit { max: usize },
    #[error("cursor is not one that this list gave")]
    Cursor,
}

impl Page {
    /// Reads the query's values; one beyond its bounds is refused, not cut.
    pub fn read(limit: Option<&str>, cursor: Option<&str>, bounds: PageBounds) -> Result<Self, PagingError> {
        let limit = match limit {
            None => bounds.default,
            Some(text) => whole(text, bounds.max).ok_or(PagingError::Limit { max: bounds.max })?,
        };
        Ok(Self { limit, after: cursor.map(Cursor::read).transpose()? })
    }
}

fn whole(text: &str, max: usize) -> Option<usize> {
    // `parse` alone would take a leading plus sign, which a query turns into a space for some clients.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let value = text.parse().ok().filter(|_| digits)?;
    (1..=max).contains(&value).then_some(value)
}

impl Cursor {
    const BYTES_MAX: usize = 128;

    pub fn new(bytes: &[u8]) -> Self {
        assert!(bytes.len() <= Self::BYTES_MAX, "a cursor is a few positions");
        Self(bytes.to_vec())
    }

    fn read(text: &str) -> Result<Self, PagingError> {
        if text.is_empty() || text.len() > Self::BYTES_MAX * 4 / 3 + 1 {
            return Err(PagingError::Cursor);
        }
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(|_| PagingError::Cursor)
    }

    /// What the list put in; it still has to be checked, since anyone can write a cursor.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
