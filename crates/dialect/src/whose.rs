//! Whose a request is, as far as it says so itself: by that the book is found that knows more.

use access::Placement;
use axum::http::HeaderMap;
use engine::BookNumber;

use crate::credentials::{Credentials, authorization};

/// What a request names. Nothing of it is proven.
#[derive(Clone, PartialEq, Eq)]
pub enum Whose {
    Token(String),
    /// A key or an id.
    Account(String),
    Organization(String),
    Link(String),
    Nobodys,
}

impl Whose {
    /// None without an `Authorization` header. One that cannot be read is nobody's.
    pub fn of_credentials(headers: &HeaderMap) -> Option<Self> {
        Some(match authorization(headers) {
            Ok(None) => return None,
            Ok(Some(Credentials::Bearer(token))) => Self::Token(token.to_owned()),
            Ok(Some(Credentials::Basic(basic))) => Self::Account(basic.user().to_owned()),
            Err(_) => Self::Nobodys,
        })
    }

    pub fn book(&self, placement: &Placement) -> BookNumber {
        match self {
            Self::Token(token) => placement.of_token(token),
            Self::Account(text) => placement.of_account(text),
            Self::Organization(name) => placement.of_organization(name),
            Self::Link(link) => placement.of_link(link),
            Self::Nobodys => BookNumber::FIRST,
        }
    }
}

/// In the extensions of a request of the operator's, whom the first book has recognized.
#[derive(Clone, Copy, Debug)]
pub struct Operator;
