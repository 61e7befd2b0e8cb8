use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use dialect::{Fraction, print_instant, read_instant};
use domain::Timestamp;
use engine::{Cut, Kept, Plan, Progress};
use journal::Vault;
use journal_file::{FileJournal, OsDisk};
use serde::Serialize;
use server::KEY_HOURS_MAX;

use super::place::{Opened, Place};
use crate::commands::verify::bar;
use crate::failure::Failure;
use crate::table::{Format, Record};

/// Remove the oldest archives of a data directory.
///
/// The state where they end is derived from the first event, checked like `bursar verify` does, and kept as
/// an anchor, which the journal names; only then do the archives go. Balances stay exact and verifiable;
/// what happened before can no longer be looked up. Cut short, it may be run again.
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// The data directory. Its server must be stopped.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Remove archives that are older as a whole: 2025-03-01, the beginning of that day in UTC, or an
    /// RFC 3339 instant.
    #[arg(long, value_name = "DATE", value_parser = date)]
    before: Timestamp,
    /// For how long the server remembers idempotency keys (its `key_hours`): archives that hold such stay.
    #[arg(long, value_name = "HOURS", default_value_t = KEY_HOURS_MAX, value_parser = clap::value_parser!(u32).range(1..=i64::from(KEY_HOURS_MAX)))]
    key_hours: u32,
    /// Only say what would go.
    #[arg(long)]
    dry_run: bool,
    /// Remove it without being asked.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    format: Format,
}

/// What goes, or would.
#[derive(Serialize)]
struct Removed {
    removed: bool,
    archives: usize,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Why something that is old enough stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
}

impl Prune {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut journal = self.open()?;
        let cannot = || format!("cannot prune {}", self.data.display());
        let plan = engine::plan(&*journal, self.before, i64::from(self.key_hours) * 3600);
        let plan = plan.map_err(Failure::fault(cannot()))?;
        let bytes = plan.cut.map_or(Ok(0), |cut| journal.archived_bytes(cut.archive));
        let mut removed = Removed::of(&plan, bytes.map_err(Failure::fault(cannot()))?);
        if let Some(cut) = plan.cut.filter(|_| !self.dry_run) {
            if !self.yes {
                self.print(&removed)?;
                let reason = "nothing was removed: repeat with --yes, or with --dry-run to look only";
                return Err(Failure::Usage(reason.to_owned()));
            }
            prune(&mut journal, &cut).map_err(Failure::fault(cannot()))?;
            removed.removed = true;
        }
        self.print(&removed)
    }

    fn open(&self) -> Result<Box<FileJournal<OsDisk>>, Failure> {
        match Place::Directory(self.data.clone()).open(0)? {
            Opened::Files(journal) => Ok(journal),
            Opened::Tables(_) => Err(Failure::Usage("expected a directory".to_owned())),
        }
    }

    fn print(&self, removed: &Removed) -> Result<(), Failure> {
        if self.format.is_json() {
            return self.format.print_one(&Record::of(removed)?);
        }
        println!("{}", removed.text());
        Ok(())
    }
}

fn prune(journal: &mut FileJournal<OsDisk>, cut: &Cut) -> Result<(), engine::PruneError> {
    let vault: Arc<dyn Vault> = journal.vault();
    let bar = bar();
    let progress = |progress: Progress| {
        bar.set_length(progress.positions);
        bar.set_position(progress.position);
    };
    let pruned = engine::prune(journal, &vault, cut, progress);
    bar.finish_and_clear();
    pruned.map(drop)
}

impl Removed {
    fn of(plan: &Plan, bytes: u64) -> Self {
        Self {
            removed: false,
            archives: plan.cut.map_or(0, |cut| cut.archives),
            bytes,
            from: plan.cut.map(|cut| instant(cut.first_time)),
            until: plan.cut.map(|cut| instant(cut.last_time)),
            kept: plan.kept.map(kept),
        }
    }

    fn text(&self) -> String {
        let mut text = match (&self.from, &self.until) {
            (Some(from), Some(until)) => {
                let verb = if self.removed { "removed" } else { "would remove" };
                let Self { archives, bytes, .. } = self;
                format!("{verb} {archives} archives of {bytes} bytes, from {from} to {until}")
            }
            _ => "nothing to remove".to_owned(),
        };
        if let Some(kept) = &self.kept {
            text.push_str("\nkept what is ");
            text.push_str(kept);
        }
        text
    }
}

/// Why something that is old enough stays.
pub(super) fn kept(kept: Kept) -> String {
    match kept {
        Kept::ForKeys { until } => {
            format!("later than {}: idempotency keys are remembered for so long", instant(until))
        }
        Kept::ForSnapshot => "later than the older of the two snapshots: a start may need it".to_owned(),
    }
}

pub(super) fn instant(instant: Timestamp) -> String {
    print_instant(instant, Fraction::Micros).unwrap_or_else(|_| format!("{instant:?}"))
}

pub(super) fn date(text: &str) -> Result<Timestamp, String> {
    let midnight = || read_instant(&format!("{text}T00:00:00Z"));
    read_instant(text).or_else(|_| midnight()).map_err(|_| "expected a date, such as 2025-03-01".to_owned())
}
