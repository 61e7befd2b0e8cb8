//! History, read backwards for one page of it.

use domain::Timestamp;
use engine::{AuditEntry, Entry, HistoryError};

use crate::values::Time;

/// What is read: its number among those of its balance or log, and when it was.
pub(crate) trait Numbered {
    fn number(&self) -> u64;
    fn time(&self) -> Timestamp;
}

/// Where a walk ends.
pub(crate) struct Bounds {
    /// Not before this instant.
    pub(crate) from: Timestamp,
    pub(crate) found_max: usize,
    pub(crate) looked_at_max: usize,
}

pub(crate) struct Walked<T> {
    pub(crate) found: Vec<T>,
    pub(crate) looked_at: usize,
    pub(crate) end: End,
}

impl<T> Walked<T> {
    pub(crate) fn nothing() -> Self {
        Self { found: Vec::new(), looked_at: 0, end: End::All }
    }
}

/// What follows.
#[derive(Clone, Copy)]
pub(crate) enum End {
    All,
    /// Entries below this number.
    More {
        below: u64,
    },
    /// What nobody can read any more.
    Removed {
        until: Timestamp,
    },
}

impl End {
    pub(crate) fn below(self) -> Option<u64> {
        match self {
            Self::More { below } => Some(below),
            Self::All | Self::Removed { .. } => None,
        }
    }

    pub(crate) fn removed_until(self) -> Option<Time> {
        match self {
            Self::Removed { until } => Some(until.into()),
            Self::All | Self::More { .. } => None,
        }
    }
}

/// Reads the journal: never on a thread that serves requests.
pub(crate) fn walk<T: Numbered>(
    entries: impl Iterator<Item = Result<T, HistoryError>>,
    bounds: &Bounds,
    wants: impl Fn(&T) -> bool,
) -> Result<Walked<T>, HistoryError> {
    let mut walked = Walked::nothing();
    let mut last = None;
    for entry in entries {
        let entry = match entry {
            Err(HistoryError::Removed { until }) if bounds.from <= until => {
                walked.end = End::Removed { until };
                break;
            }
            // Whatever was removed is older than what is asked for.
            Err(HistoryError::Removed { .. }) => break,
            entry => entry?,
        };
        if entry.time() < bounds.from {
            break;
        }
        if walked.found.len() == bounds.found_max || walked.looked_at == bounds.looked_at_max {
            walked.end = End::More { below: last.unwrap_or(entry.number() + 1) };
            break;
        }
        last = Some(entry.number());
        walked.looked_at += 1;
        if wants(&entry) {
            walked.found.push(entry);
        }
    }
    Ok(walked)
}

impl Numbered for Entry {
    fn number(&self) -> u64 {
        Self::number(self)
    }

    fn time(&self) -> Timestamp {
        Self::time(self)
    }
}

impl Numbered for AuditEntry {
    fn number(&self) -> u64 {
        self.number
    }

    fn time(&self) -> Timestamp {
        self.time
    }
}
