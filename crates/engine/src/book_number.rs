//! Which of the books of one journal.

use std::fmt;

/// A book is a shard: many organizations live in one, and everything of an organization is in its book.
/// How many there are is fixed when the journal is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BookNumber(u8);

/// Four bits of every id and account key say the book.
pub const BOOKS_MAX: u8 = 16;

impl BookNumber {
    /// The only one there is in files, and the one that has the first organization.
    pub const FIRST: Self = Self(0);

    /// None beyond [`BOOKS_MAX`].
    pub fn new(number: u8) -> Option<Self> {
        (number < BOOKS_MAX).then_some(Self(number))
    }

    pub fn get(self) -> u8 {
        self.0
    }

    /// The first `count` of them.
    pub fn all(count: u8) -> impl Iterator<Item = Self> + Clone {
        (0..count.min(BOOKS_MAX)).map(Self)
    }
}

impl fmt::Display for BookNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
