//! Re-derives everything from the first event, or from the anchor, and holds it against what was stored.

use std::sync::Arc;

use journal::{Anchor, Chain, Journal, Reader, SnapshotError, Vault};
use ledger::Ledger;
use ledger::invariant::{self, Broken};

use crate::record::{Item, Mark, links};
use crate::recovery::{OpenError, fold, fold_to, load_anchor, warm};
use crate::snapshot::{self, Background};

/// How far a verification is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    pub position: u64,
    pub positions: u64,
    pub events: u64,
}

/// What was found to hold.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Where it began, if not at the first event.
    pub anchor: Option<Anchor>,
    pub groups: u64,
    pub events: u64,
    pub accounts: u64,
    pub snapshots: usize,
    pub digest: [u8; 32],
    pub ledger: Ledger,
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("position {position}: {broken}")]
    Broken { position: u64, broken: Broken },
    #[error("position {position}: an event's links do not lead to the entries before it")]
    Links { position: u64 },
    #[error("in the anchor: {0}")]
    Anchor(Broken),
    #[error("the journal does not say that it was cut behind position {position}, where its anchor stands")]
    AnchorUnmarked { position: u64 },
    #[error("the journal says otherwise of the anchor at position {position}")]
    AnchorMark { position: u64 },
    #[error("after the last event: {0}")]
    State(Broken),
    #[error("snapshots cannot be listed")]
    Snapshots(#[from] SnapshotError),
    #[error("the snapshot begun behind position {begun} leads to another state than the journal")]
    SnapshotDiffers { begun: u64 },
}

/// Folds the whole journal, checking every group's hash, every event's invariants and links, the final
/// state, and that each snapshot leads to the same state. Where the oldest groups were removed, it begins at
/// the anchor, which must be the one that the journal says it was.
pub fn verify(
    journal: &dyn Journal,
    vault: &Arc<dyn Vault>,
    progress: impl FnMut(Progress),
) -> Result<Verified, VerifyError> {
    let reader = journal.reader();
    let anchor = reader.anchor();
    let Derived { ledger, groups, events, marks } =
        derive(&*reader, vault, reader.tail().position, progress)?;
    check_marks(&*reader, anchor.as_ref(), &marks)?;
    let digest = snapshot::digest(&ledger);
    let snapshots = check_snapshots(journal, &*reader, vault, &digest)?;
    let accounts = ledger.accounts_len() as u64;
    Ok(Verified { anchor, groups, events, accounts, snapshots, digest, ledger })
}

/// A state, and what it was derived from.
pub(crate) struct Derived {
    pub(crate) ledger: Ledger,
    pub(crate) groups: u64,
    pub(crate) events: u64,
    /// What the journal says of anchors.
    marks: Vec<Mark>,
}

/// The state at a position, from the first event or the anchor on, with every invariant checked.
pub(crate) fn derive(
    reader: &dyn Reader,
    vault: &Arc<dyn Vault>,
    to: u64,
    mut progress: impl FnMut(Progress),
) -> Result<Derived, VerifyError> {
    let (mut ledger, from) = match reader.anchor() {
        None => (Ledger::default(), 1),
        Some(anchor) => (load_anchor(reader, &anchor, vault)?.ledger, anchor.tail.position + 1),
    };
    invariant::check(&ledger).map_err(VerifyError::Anchor)?;
    let mut marks = Vec::new();
    let mut events = 0;
    let mut broken = None;
    let read = fold_to(reader, from..=to, vault, Background::Threads, |items| {
        if broken.is_some() {
            return Ok(());
        }
        warm(&ledger, items);
        for (item, at) in items {
            let position = at.position();
            let record = match item {
                Item::Record(record) => record,
                Item::Mark(mark) if !mark.agrees(&ledger) => return Err(OpenError::Diverged { position }),
                Item::Mark(mark) => {
                    if let Mark::Anchored { .. } = mark {
                        marks.push(*mark);
                    }
                    continue;
                }
            };
            if record.links != links(&ledger, &record.event) {
                broken = Some(VerifyError::Links { position });
                return Ok(());
            }
            if let Err(found) = invariant::apply_checked(&mut ledger, &record.event, *at) {
                broken = Some(VerifyError::Broken { position, broken: found });
                return Ok(());
            }
            events += 1;
            if events % 65_536 == 0 {
                progress(Progress { position, positions: to, events });
            }
        }
        Ok(())
    })?;
    if let Some(broken) = broken {
        return Err(broken);
    }
    invariant::check(&ledger).map_err(VerifyError::State)?;
    progress(Progress { position: to, positions: to, events });
    Ok(Derived { ledger, groups: read.groups, events, marks })
}

/// The anchor is one that the journal speaks of, and what else it says of anchors is true as far as it can
/// still be seen.
fn check_marks(reader: &dyn Reader, anchor: Option<&Anchor>, marks: &[Mark]) -> Result<(), VerifyError> {
    let begin = anchor.map_or(0, |anchor| anchor.tail.position);
    let mut is_marked = anchor.is_none();
    for mark in marks {
        let Mark::Anchored { position, chain, digest } = *mark else { continue };
        match anchor {
            Some(anchor) if position == begin => {
                if anchor.tail.chain != Chain(chain) || anchor.digest != digest {
                    return Err(VerifyError::AnchorMark { position });
                }
                is_marked = true;
            }
            _ if position <= begin => {}
            _ => {
                let group = reader.group(position).map_err(OpenError::from)?;
                if group.header().chain != Chain(chain) {
                    return Err(VerifyError::AnchorMark { position });
                }
            }
        }
    }
    if is_marked { Ok(()) } else { Err(VerifyError::AnchorUnmarked { position: begin }) }
}

fn check_snapshots(
    journal: &dyn Journal,
    reader: &dyn Reader,
    vault: &Arc<dyn Vault>,
    digest: &[u8; 32],
) -> Result<usize, VerifyError> {
    let snapshots = journal.snapshots();
    let mut checked = 0;
    for id in snapshots.list()? {
        let begun = id.begun.position;
        let differs = VerifyError::SnapshotDiffers { begun };
        let Ok(mut loaded) = snapshot::load(&*snapshots, &id, vault) else { return Err(differs) };
        fold(reader, begun + 1, vault, Background::Threads, |items| {
            warm(&loaded.ledger, items);
            for (item, at) in items {
                if let Item::Record(record) = item {
                    loaded.ledger.apply(&record.event, *at);
                }
            }
            Ok(())
        })?;
        if snapshot::digest(&loaded.ledger) != *digest {
            return Err(differs);
        }
        checked += 1;
    }
    Ok(checked)
}
