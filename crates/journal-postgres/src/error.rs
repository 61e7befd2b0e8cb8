//! Failures of the database, in words for an operator and without secrets.

use std::time::Duration;

use tokio_postgres::error::SqlState;

/// One statement that did not do what it should.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("the database says {code}: {message}")]
    Server { code: String, message: String },
    #[error("the connection was lost: {0}")]
    Lost(String),
    #[error("the database did not answer within {0:?}")]
    Silent(Duration),
    /// A cancelled wait for a standby is answered as done, with nothing but a warning.
    #[error("the database warned while it committed: {0}")]
    Warned(String),
    #[error("no host of the database can be written ({0})")]
    NoHost(String),
    /// None has refused; they may only be slow.
    #[error("no host of the database answers ({0})")]
    AllSilent(String),
    #[error(
        "the database is another copy of the journal than before (incarnation {found} instead of \
         {expected}): point to the right one, or take this one with `bursar adopt`"
    )]
    OtherIncarnation { found: String, expected: String },
}

/// What a failed append means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The key is taken: by somebody else, or by an earlier attempt of ours.
    Taken,
    /// Certainly not done; the same statement may be repeated.
    Aborted,
    /// Done or not.
    Unknown,
    Full,
    Fault,
}

impl DatabaseError {
    pub(crate) fn meaning(&self) -> Meaning {
        let code = match self {
            Self::Server { code, .. } => code.as_str(),
            Self::OtherIncarnation { .. } => return Meaning::Fault,
            Self::Lost(_) | Self::Silent(_) | Self::Warned(_) | Self::NoHost(_) | Self::AllSilent(_) => {
                return Meaning::Unknown;
            }
        };
        match code {
            "23505" => Meaning::Taken,
            // Serialization, deadlock, lock timeout; a cancel that came before the commit.
            "40001" | "40P01" | "55P03" | "57014" => Meaning::Aborted,
            "40003" | "57P01" | "57P02" | "57P03" => Meaning::Unknown,
            // A host that became a standby: another one has to be found, and may have what this one had.
            "25006" => Meaning::Unknown,
            "53100" => Meaning::Full,
            _ if code.starts_with("08") => Meaning::Unknown,
            _ => Meaning::Fault,
        }
    }

    /// Whether the session it happened on is of no use any more.
    pub(crate) fn ends_session(&self) -> bool {
        match self {
            Self::Server { .. } => self.meaning() == Meaning::Unknown,
            _ => true,
        }
    }

    pub(crate) fn has_code(&self, wanted: &SqlState) -> bool {
        matches!(self, Self::Server { code, .. } if code == wanted.code())
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(error) = error.as_db_error() {
            return Self::Server {
                code: error.code().code().to_owned(),
                message: error.message().to_owned(),
            };
        }
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !reason.contains(&cause_text) {
                reason.push_str(": ");
                reason.push_str(&cause_text);
            }
            source = cause.source();
        }
        Self::Lost(reason)
    }
}

impl From<DatabaseError> for std::io::Error {
    fn from(error: DatabaseError) -> Self {
        Self::other(error)
    }
}

/// Why a journal does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the TLS settings of the journal cannot be used")]
    Tls(#[from] crate::TlsError),
    #[error("connections of the journal cannot be made")]
    Runtime(#[source] std::io::Error),
    #[error("the database holds no journal")]
    NotInitialised,
    #[error("the database holds a journal already")]
    AlreadyInitialised,
    #[error("book {book} does not begin behind table {era} yet")]
    StillNeeded { book: u32, era: u32 },
    #[error("the journal has no book {0}")]
    NoSuchBook(u32),
    #[error(
        "the tables of the journal are at step {found} of {known}: run `bursar migrate`, or start with --migrate"
    )]
    OlderSchema { found: u32, known: u32 },
    #[error("the tables of the journal were made by a newer release (step {found}, this one knows {known})")]
    NewerSchema { found: u32, known: u32 },
    #[error("the journal is damaged ({place}): {reason}")]
    Damaged { place: String, reason: String },
}
