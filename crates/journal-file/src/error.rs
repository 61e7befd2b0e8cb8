//! Why a journal does not open.

use std::io;

const RESTORE: &str = "nothing was changed; keep a copy of the directory, put this file back from a backup \
                       or from a copy of the journal, and verify before starting";

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no journal here")]
    NotInitialised,
    #[error("there is a journal here already")]
    AlreadyInitialised,
    #[error("the journal is in use by another process")]
    Locked,
    #[error("{0}")]
    Options(&'static str),
    /// Something that was durable is not as it was written.
    ///
    #[error("{file} is damaged at byte {offset}: {reason}; this concerns {} ({RESTORE})", stretch(from, to))]
    /// `to` is the highest number where the end is not known.
    Damaged { file: String, offset: u64, from: u64, to: u64, reason: String },
    #[error("{file} is missing: it holds the groups behind position {behind} ({RESTORE})")]
    Missing { file: String, behind: u64 },
    #[error("{file} cannot be read: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{file}: the disk failed")]
    Fault { file: String, source: io::Error },
}

impl OpenError {
    pub(crate) fn fault(file: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let file = file.into();
        move |source| Self::Fault { file, source }
    }
}

fn stretch(from: &u64, to: &u64) -> String {
    match to {
        to if to == from => format!("position {from}"),
        &u64::MAX => format!("all positions from {from} on"),
        to => format!("positions {from} to {to}"),
    }
}
