use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use journal_file::{Background, Damage, FileJournal, OpenError, Options, OsDisk};
use serde::Serialize;

use crate::failure::Failure;
use crate::table::{Format, Record};

/// Re-derive every balance of a stopped data directory, and check everything it holds.
///
/// First the files: every group, archive, snapshot and key, each damage named with its place. Then the
/// books: every event folded from the first one on, every invariant, every link of the history, and that
/// each snapshot leads to the same state. Exits with 0 only if all of it holds, with 1 otherwise.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The data directory. Its server must be stopped.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Verify {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let verified = match verify(&self.data) {
            Ok(verified) => verified,
            Err(NotVerified::Damaged(damage)) => return Err(self.damaged(&damage)?),
            Err(NotVerified::Failure(failure)) => return Err(failure),
        };
        let books = &verified.books;
        if self.format.is_json() {
            let held = Held {
                holds: true,
                groups: books.groups,
                events: books.events,
                accounts: books.accounts,
                snapshots: books.snapshots,
                segments: verified.files.segments,
                archives: verified.files.archives,
                digest: verified.digest(),
            };
            return self.format.print_one(&Record::of(&held)?);
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{} holds\n{}", self.data.display(), verified.text())
            .map_err(Failure::fault("cannot print"))
    }

    /// Says every damage; what comes back says what all of it means.
    fn damaged(&self, damage: &[Damage]) -> Result<Failure, Failure> {
        if self.format.is_json() {
            let of = |damage: &Damage| Place { place: damage.place.clone(), reason: damage.reason.clone() };
            let broken = Broken { holds: false, damage: damage.iter().map(of).collect() };
            self.format.print_one(&Record::of(&broken)?)?;
        } else {
            damage.iter().for_each(|Damage { place, reason }| eprintln!("damaged: {place}: {reason}"));
        }
        let places = if damage.len() == 1 { "place" } else { "places" };
        Ok(Failure::Fault {
            doing: format!("{} does not hold", self.data.display()),
            source: format!("damaged in {} {places}; restore it from a backup", damage.len()).into(),
        })
    }
}

#[derive(Serialize)]
struct Broken {
    holds: bool,
    damage: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    place: String,
    reason: String,
}

#[derive(Serialize)]
struct Held {
    holds: bool,
    groups: u64,
    events: u64,
    accounts: u64,
    snapshots: usize,
    segments: usize,
    archives: usize,
    digest: String,
}

/// What was found to hold.
pub(super) struct Verified {
    files: journal_file::Verified,
    pub(super) books: engine::Verified,
}

pub(super) enum NotVerified {
    Damaged(Vec<Damage>),
    Failure(Failure),
}

impl Verified {
    /// The state as one number: the same after the same events.
    pub(super) fn digest(&self) -> String {
        self.books.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn text(&self) -> String {
        let books = &self.books;
        let rows = [
            ("files", format!("{} segments, {} archives", self.files.segments, self.files.archives)),
            ("groups", format!("{}, each hash and chain", books.groups)),
            ("events", format!("{}, each invariant and link", books.events)),
            ("accounts", format!("{}, each balance re-derived", books.accounts)),
            ("snapshots", format!("{}, each leads to the same state", books.snapshots)),
            ("state", self.digest()),
        ];
        rows.iter().map(|(name, value)| format!("  {name:<10} {value}")).collect::<Vec<_>>().join("\n")
    }
}

/// Checks a directory that no server runs on.
pub(super) fn verify(data: &Path) -> Result<Verified, NotVerified> {
    let cannot = || format!("cannot verify {}", data.display());
    let opening = |error| NotVerified::Failure(explained(data, error));
    let files = journal_file::verify(&OsDisk::new(data)).map_err(opening)?;
    if !files.damage.is_empty() {
        return Err(NotVerified::Damaged(files.damage));
    }
    let (journal, _) =
        FileJournal::open(OsDisk::new(data), Options::default(), Background::Manual).map_err(opening)?;
    let bar = bar();
    let begun = Instant::now();
    let books = engine::verify(&journal, &journal.vault(), |progress| {
        bar.set_length(progress.positions);
        bar.set_position(progress.position);
        bar.set_message(rate(progress.events, begun));
    });
    bar.finish_and_clear();
    let books = books.map_err(|error| NotVerified::Failure(Failure::fault(cannot())(error)))?;
    Ok(Verified { files, books })
}

/// In words for whoever typed the command.
fn explained(data: &Path, error: OpenError) -> Failure {
    let doing = format!("cannot verify {}", data.display());
    let why = match error {
        OpenError::Locked => "a server is running on it; stop that server first",
        OpenError::NotInitialised => "this is no data directory",
        error => return Failure::fault(doing)(error),
    };
    Failure::Fault { doing, source: why.into() }
}

/// On a terminal; elsewhere it stays quiet.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}  {eta} left");
    let bar = ProgressBar::new(0);
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

fn rate(events: u64, begun: Instant) -> String {
    let micros = begun.elapsed().as_micros().max(1);
    format!("{events} events, {} per second", u128::from(events) * 1_000_000 / micros)
}
