//! Which book to ask.
//!
//! The one idea: **every name says its book**, so that whoever has the journal's key finds the book of a
//! request without looking anything up, and without a book that has to be asked first.
//!
//! | name | says its book |
//! |---|---|
//! | token, session | in the clear: `bst3_…` |
//! | account key, id, link | sealed, like all else in it |
//! | organization | by a keyed hash of its name; the first one is in the first book |
//!
//! What a name says proves nothing: the book decides whether there is such a thing. A name that says nothing
//! is the first book's, which knows it or does not.

use engine::{BookNumber, MasterKey, Seals};
use uuid::Uuid;

use crate::DEFAULT_ORGANIZATION;
use crate::handle::parse_key;
use crate::link::id_of_link;
use crate::secret::book_of_token;

/// Where things are that have a name.
pub struct Placement {
    seals: Seals,
    books: u8,
}

impl Placement {
    /// `books` is how many the journal has.
    pub fn new(master: &MasterKey, books: u8) -> Self {
        Self { seals: Seals::new(master, BookNumber::FIRST), books }
    }

    pub fn books(&self) -> impl Iterator<Item = BookNumber> + Clone {
        BookNumber::all(self.books)
    }

    pub fn of_token(&self, token: &str) -> BookNumber {
        self.there(book_of_token(token))
    }

    /// An account key or an id.
    pub fn of_account(&self, text: &str) -> BookNumber {
        let by_key = parse_key(text).map(|key| self.seals.book_of_key(key));
        self.there(by_key.or_else(|| self.seals.book_of_id(*Uuid::try_parse(text).ok()?.as_bytes())))
    }

    pub fn of_link(&self, link: &str) -> BookNumber {
        self.there(id_of_link(link).and_then(|id| self.seals.book_of_id(id)))
    }

    pub fn of_organization(&self, name: &str) -> BookNumber {
        if name == DEFAULT_ORGANIZATION {
            return BookNumber::FIRST;
        }
        let hash = self.seals.short_digest("place of organization", &[name.as_bytes()]);
        let place = u8::try_from(hash % u128::from(self.books.max(1))).ok();
        self.there(place.and_then(BookNumber::new))
    }

    fn there(&self, said: Option<BookNumber>) -> BookNumber {
        said.filter(|book| book.get() < self.books).unwrap_or(BookNumber::FIRST)
    }
}

#[cfg(test)]
mod tests;
