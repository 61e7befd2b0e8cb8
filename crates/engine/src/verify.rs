//! Re-derives everything from the first event and holds it against what was stored.

use std::sync::Arc;

use journal::{Journal, Reader, SnapshotError, Vault};
use ledger::Ledger;
use ledger::invariant::{self, Broken};

use crate::record::{Item, links};
use crate::recovery::{OpenError, fold, warm};
use crate::snapshot;

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
    #[error("after the last event: {0}")]
    State(Broken),
    #[error("snapshots cannot be listed")]
    Snapshots(#[from] SnapshotError),
    #[error("the snapshot begun behind position {begun} leads to another state than the journal")]
    SnapshotDiffers { begun: u64 },
}

/// Folds the whole journal, checking every group's hash, every event's invariants and links, the final
/// state, and that each snapshot leads to the same state.
pub fn verify(
    journal: &dyn Journal,
    vault: &Arc<dyn Vault>,
    mut progress: impl FnMut(Progress),
) -> Result<Verified, VerifyError> {
    let reader = journal.reader();
    let positions = reader.tail().position;
    let mut ledger = Ledger::default();
    let mut events = 0;
    let mut broken = None;
    let groups = fold(&*reader, 1, vault, |items| {
        if broken.is_some() {
            return Ok(());
        }
        warm(&ledger, items);
        for (item, at) in items {
            let position = at.position();
            let record = match item {
                Item::Record(record) => record,
                Item::Mark(mark) if mark.agrees(&ledger) => continue,
                Item::Mark(_) => return Err(OpenError::Diverged { position }),
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
                progress(Progress { position, positions, events });
            }
        }
        Ok(())
    })?;
    if let Some(broken) = broken {
        return Err(broken);
    }
    invariant::check(&ledger).map_err(VerifyError::State)?;
    progress(Progress { position: positions, positions, events });
    let digest = snapshot::digest(&ledger);
    let snapshots = check_snapshots(journal, &*reader, vault, &digest)?;
    let accounts = ledger.accounts_len() as u64;
    Ok(Verified { groups, events, accounts, snapshots, digest, ledger })
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
        fold(reader, begun + 1, vault, |items| {
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
