//! What is printed as JSON.

use serde::Serialize;

use super::{Stored, Verified};

#[derive(Serialize)]
pub(super) struct Broken {
    pub(super) holds: bool,
    pub(super) damage: Vec<Damage>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Damage {
    pub(crate) place: String,
    pub(crate) reason: String,
}

#[derive(Serialize)]
pub(super) struct Held {
    holds: bool,
    /// What happened up to then was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_until: Option<String>,
    /// In which anything ever happened.
    books: usize,
    groups: u64,
    events: u64,
    accounts: u64,
    snapshots: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archives: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eras: Option<usize>,
    digest: String,
}

impl Held {
    pub(super) fn of(verified: &Verified) -> Self {
        let (segments, archives, eras) = match verified.stored {
            Stored::Files { segments, archives } => (Some(segments), Some(archives), None),
            Stored::Tables { eras } => (None, None, Some(eras)),
        };
        Self {
            holds: true,
            removed_until: verified.removed_until(),
            books: verified.books.len(),
            groups: verified.sum(|book| book.groups),
            events: verified.sum(|book| book.events),
            accounts: verified.sum(|book| book.accounts),
            snapshots: verified.sum(|book| book.snapshots),
            segments,
            archives,
            eras,
            digest: verified.digest(),
        }
    }
}
