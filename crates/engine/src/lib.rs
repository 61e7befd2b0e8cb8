//! Books that are fast, durable and never wrong: collect a group, decide and apply in order, append
//! once, then answer.
//!
//! The one idea: every answer leaves with the state it was computed on, and that state is durable by
//! then. A charge costs one pass through this pipeline:
//!
//! ```text
//! caller ─ Request ─▶ queue ─▶ begin ─▶ decide ─▶ record + apply ─▶ commit ─▶ Outcome ─▶ caller
//!                              clock,   ledger    bytes, links      ONE
//!                              due      (pure)                      append
//! ```
//!
//! | | round trips | durable writes |
//! |---|---|---|
//! | a charge alone | 1 | 1 |
//! | n charges that queued while the last group was written | 1 each | 1 together |
//! | a read, a refusal | 1 | 0 |
//!
//! Invariants: one writer per book and one append in flight; book time never goes back; nothing is
//! told before it is durable; a failed append ends the book until it is opened again.
//!
//! Left out: who may do what (`access`), wire forms (dialects), how a journal keeps its groups.

mod audit;
mod book;
mod book_number;
mod calendar;
mod clock;
mod directory;
mod engine;
mod erasure;
mod follower;
mod following;
mod history;
mod origin;
mod passage;
mod record;
mod recovery;
mod refusals;
mod repeats;
mod retention;
mod rounds;
mod seal;
mod snapshot;
mod usage;
mod verify;
mod window;

pub use audit::{AuditEntry, AuditWalk, Was};
pub use book::{Book, BookFault, Options, Outcome, Parts, Receipt, Refusal, Request};
pub use book_number::{BOOKS_MAX, BookNumber};
pub use calendar::{UnknownTimeZone, Zone};
pub use clock::{
    Clock, ClockFault, Entropy, ManualClock, SandboxClock, SeededEntropy, SystemClock, SystemEntropy,
};
pub use directory::{Directory, Known, KnownMember, KnownScope, Slow, session_digest};
pub use engine::{Counters, Distil, Engine, QUEUE_MAX, Running, Unavailable};
pub use erasure::erased_with;
pub use follower::Follower;
pub use following::Following;
pub use history::{Entry, Head, History, HistoryError, Walk};
pub use origin::Origin;
pub use passage::{Passage, Passages};
pub use record::{Content, Envelope, Item, Key, Mark, Record};
pub use recovery::{OpenError, Recovered};
pub use refusals::{Counted, RefusalKey, Refusals};
pub use retention::{
    Cut, Kept, Plan, PruneError, Pruned, name_anchor, names_anchor, plan, plan_of, prune, write_anchor,
};
pub use rounds::Rounds;
pub use seal::{Id, MasterKey, Owner, Seals, TextKeys};
pub use snapshot::{Background, digest};
pub use usage::UsageRecord;
pub use verify::{Progress, Verified, VerifyError, verify};
pub use window::{Asked, KeyFileError, KeySidecar, Remembered, WINDOW_DEFAULT_SECS};

use domain::Timestamp;
use ledger::Act;

/// The act that founds an organization, its calendar beginning with the month of `now`.
pub fn found(
    name: &str,
    time_zone: &str,
    currency: domain::Currency,
    now: Timestamp,
) -> Result<Act, UnknownTimeZone> {
    let first_period = calendar::period_number(time_zone, now)?;
    let boundaries = calendar::period_ends(time_zone, first_period, calendar::MONTHS_AHEAD)?;
    Ok(Act::CreateOrganization {
        name: name.into(),
        time_zone: time_zone.into(),
        currency,
        first_period,
        boundaries: boundaries.into(),
    })
}
