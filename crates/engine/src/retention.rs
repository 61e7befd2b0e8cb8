//! Removing the oldest part of a journal, so that what is left still proves itself.
//!
//! | step | what is there when the power fails right after it |
//! |---|---|
//! | derive the state at the cut, checking all of it | everything |
//! | write it as an anchor, sync, read back | everything, and a file that counts for nothing |
//! | append a group with [`Mark::Anchored`] | everything; the journal says what is about to be cut |
//! | name the anchor | the journal begins there; what it covers is removed by whoever opens it next |
//! | remove what it covers | the journal begins there |
//!
//! A cut is never later than what a start or a repeated request may need: the two snapshots that are kept, and
//! the window of idempotency keys.

use std::sync::Arc;

use domain::Timestamp;
use journal::{
    Anchor, AppendError, Archive, Group, Journal, ReadError, Reader, Retention, SnapshotError, Vault,
};

use crate::record::Mark;
use crate::snapshot;
use crate::verify::{Derived, Progress, VerifyError, derive};

/// What may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// None when nothing is old enough.
    pub cut: Option<Cut>,
    /// Why something that is old enough stays.
    pub kept: Option<Kept>,
}

/// A stretch from where the journal begins to the end of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub archives: usize,
    /// Number of the last one.
    pub archive: u64,
    pub position: u64,
    pub first_time: Timestamp,
    pub last_time: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Idempotency keys are remembered for so long.
    ForKeys { until: Timestamp },
    /// A start from the older of the snapshots begins there.
    ForSnapshot,
}

/// What was removed, and what it was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    pub anchor: Anchor,
    pub groups: u64,
    pub events: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Derive(#[from] VerifyError),
    #[error("the anchor cannot be kept")]
    Anchor(#[from] SnapshotError),
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Finds the last archive of which the newest group is older than `before`, and which nothing needs.
pub fn plan(journal: &dyn Journal, before: Timestamp, window_secs: i64) -> Result<Plan, PruneError> {
    plan_of(journal, journal.reader().archives(), before, window_secs)
}

/// The same for a journal whose archives are something else: tables that were left.
pub fn plan_of(
    journal: &dyn Journal,
    mut archives: Vec<Archive>,
    before: Timestamp,
    window_secs: i64,
) -> Result<Plan, PruneError> {
    let reader = journal.reader();
    let tail = journal.tail().position;
    archives.retain(|archive| archive.last_time < before);
    let old_enough = archives.len();
    if old_enough == 0 {
        return Ok(Plan { cut: None, kept: None });
    }
    let window = reader.group(tail)?.header().time.plus_secs(-window_secs);
    archives.retain(|archive| archive.last_time < window);
    let mut kept = (archives.len() < old_enough).then_some(Kept::ForKeys { until: window });
    let snapshots = journal.snapshots().list()?;
    if let Some(oldest) = snapshots.iter().map(|id| id.begun.position).min() {
        let in_window = archives.len();
        archives.retain(|archive| archive.last < oldest);
        kept = if archives.len() < in_window { Some(Kept::ForSnapshot) } else { kept };
    }
    Ok(Plan { cut: cut(&archives), kept })
}

fn cut(archives: &[Archive]) -> Option<Cut> {
    let (first, last) = (archives.first()?, archives.last()?);
    Some(Cut {
        archives: archives.len(),
        archive: last.number,
        position: last.last,
        first_time: first.first_time,
        last_time: last.last_time,
    })
}

/// Removes everything up to the cut. Cut short anywhere, it may be run again.
pub fn prune(
    journal: &mut dyn Retention,
    vault: &Arc<dyn Vault>,
    cut: &Cut,
    progress: impl FnMut(Progress),
) -> Result<Pruned, PruneError> {
    let pruned = write_anchor(journal, vault, cut, progress)?;
    name_anchor(journal, &pruned.anchor)?;
    journal.cut()?;
    Ok(pruned)
}

/// Derives the state at the cut, checking all of it, and writes it down. It counts for nothing yet.
pub fn write_anchor(
    journal: &mut dyn Retention,
    vault: &Arc<dyn Vault>,
    cut: &Cut,
    progress: impl FnMut(Progress),
) -> Result<Pruned, PruneError> {
    let reader = journal.reader();
    let Derived { ledger, groups, events, .. } = derive(&*reader, vault, cut.position, progress)?;
    let last = reader.group(cut.position)?;
    let anchor = Anchor {
        tail: last.tail(),
        archive: cut.archive,
        time: last.header().time,
        digest: snapshot::digest(&ledger),
    };
    journal.write_anchor(&anchor, &mut snapshot::chunks(&ledger, anchor.time, vault))?;
    Ok(Pruned { anchor, groups, events })
}

/// Has a journal that nobody leads say what is about to be cut.
pub fn name_anchor(journal: &mut dyn Retention, anchor: &Anchor) -> Result<(), PruneError> {
    let mark = mark(&*journal.reader(), anchor)?;
    Ok(journal.append(&mark)?)
}

/// Whether the journal says so, behind a position.
pub fn names_anchor(reader: &dyn Reader, anchor: &Anchor, behind: u64) -> Result<bool, PruneError> {
    let mut mark = Vec::new();
    anchored(anchor).write(&mut mark);
    for group in reader.scan(behind + 1)? {
        if group?.body().windows(mark.len()).any(|bytes| bytes == mark) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the journal says of an anchor.
pub(crate) fn anchored(anchor: &Anchor) -> Mark {
    Mark::Anchored { position: anchor.tail.position, chain: anchor.tail.chain.0, digest: anchor.digest }
}

/// Book time stands still: nothing happened but this.
fn mark(reader: &dyn Reader, anchor: &Anchor) -> Result<Group, ReadError> {
    let newest = reader.group(reader.tail().position)?;
    let mut buffer = Group::buffer();
    anchored(anchor).write(&mut buffer);
    Ok(Group::seal(buffer, &newest.tail(), newest.header().time, 0))
}
