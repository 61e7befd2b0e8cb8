//! What a book is asked, and what becomes of it.

use domain::Timestamp;
use ledger::{Command, Event, EventRef, Rejection};

use crate::clock::ClockFault;
use crate::record::{Content, Key};

/// One command, with the caller's name for it if it has one.
#[derive(Clone, Debug)]
pub struct Request {
    pub command: Command,
    pub key: Option<(Key, Content)>,
}

/// What became of a request. It leaves once the group it was decided in is durable.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every outcome is the large one, and none is boxed on the way of a charge"
)]
pub enum Outcome {
    Done(Receipt),
    /// The key is known: the answer is in the event that stands there.
    Repeated(EventRef),
    Rejected(Rejection),
    Refused(Refusal),
}

/// A command was done: where its event stands in the journal, and which of the events it is.
#[derive(Clone, Copy)]
pub(crate) struct Done {
    pub(crate) at: EventRef,
    pub(super) main: usize,
}

/// The outcomes without an event.
pub(crate) enum NotDone {
    Repeated(EventRef),
    Rejected(Rejection),
    Refused(Refusal),
}

impl From<NotDone> for Outcome {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Repeated(at) => Self::Repeated(at),
            NotDone::Rejected(rejection) => Self::Rejected(rejection),
            NotDone::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

/// The fact that answers a command.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub at: EventRef,
    pub time: Timestamp,
    pub event: Event,
    /// It was done before, under the same key.
    pub repeated: bool,
}

/// Why a request was not even judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Only what ends something begun is taken until there is room again.
    NoRoom,
    Clock(ClockFault),
    /// The same key was used for something else.
    KeyConflict,
    /// The key says when it was made, and that is longer ago than keys are remembered.
    KeyTooOld,
    /// The key was made later than it is: the client's clock is ahead.
    KeyFromFuture,
    /// The answer to a known key cannot be read right now.
    Unreadable,
}
