//! Why a command did not do what it was asked, and the exit code that says so.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use journal::with_causes;

#[derive(Debug)]
pub(crate) enum Failure {
    /// The world failed: what was being done, and why it could not be.
    Fault { doing: String, source: Box<dyn Error + Send + Sync> },
    /// What was asked cannot be understood.
    Usage(String),
    /// A rule says no.
    Refused(String),
}

impl Failure {
    /// For `map_err`.
    pub(crate) fn fault<E: Into<Box<dyn Error + Send + Sync>>>(
        doing: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |source| Self::Fault { doing, source: source.into() }
    }

    /// For `map_err`.
    pub(crate) fn usage<E: Error>(error: E) -> Self {
        Self::Usage(with_causes(&error))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Fault { .. } => 1,
            Self::Usage(_) => 2,
            Self::Refused(_) => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault { doing, source } => write!(f, "{doing}: {}", with_causes(source.as_ref())),
            Self::Usage(reason) | Self::Refused(reason) => f.write_str(reason),
        }
    }
}
