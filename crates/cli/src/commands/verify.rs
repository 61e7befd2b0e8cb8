mod database;
mod files;
mod report;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use journal::{Journal, Vault};

use crate::failure::Failure;
use crate::table::{Format, Record};
use report::{Broken, Damage, Held};

/// Re-derive every balance of a journal, and check everything that is kept with it.
///
/// First what is stored: every group, archive, snapshot and key, each damage named with its place. Then
/// the books: every event folded from the first one on, every invariant, every link of the history, and
/// that each snapshot leads to the same state. Where old archives were removed it begins at the anchor, which
/// must be the one that the journal names. Exits with 0 only if all of it holds, with 1 otherwise.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// The data directory. Its server must be stopped.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The URL of a journal in a database. Its server may run.
    #[arg(long, value_name = "URL")]
    journal: Option<String>,
}

impl Verify {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let (name, verified) = match (&self.place.data, &self.place.journal) {
            (_, Some(url)) => {
                let url = super::database::parse(url)?;
                (url.to_string(), database::verify(&url))
            }
            (Some(data), None) => (data.display().to_string(), files::verify(data)),
            (None, None) => return Err(Failure::Usage("expected --data or --journal".to_owned())),
        };
        let verified = match verified {
            Ok(verified) => verified,
            Err(NotVerified::Damaged(damage)) => return Err(self.damaged(&name, damage)?),
            Err(NotVerified::Failure(failure)) => return Err(failure),
        };
        if self.format.is_json() {
            return self.format.print_one(&Record::of(&Held::of(&verified))?);
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{name} holds\n{}", verified.text()).map_err(Failure::fault("cannot print"))
    }

    /// Says every damage; what comes back says what all of it means.
    fn damaged(&self, name: &str, damage: Vec<Damage>) -> Result<Failure, Failure> {
        let places =
            if damage.len() == 1 { "1 place".to_owned() } else { format!("{} places", damage.len()) };
        if self.format.is_json() {
            self.format.print_one(&Record::of(&Broken { holds: false, damage })?)?;
        } else {
            damage.iter().for_each(|Damage { place, reason }| eprintln!("damaged: {place}: {reason}"));
        }
        Ok(Failure::Fault {
            doing: format!("{name} does not hold"),
            source: format!("damaged in {places}; restore it from a backup").into(),
        })
    }
}

/// What was found to hold.
pub(super) struct Verified {
    stored: Stored,
    /// The first book, and those behind it in which anything ever happened.
    books: Vec<engine::Verified>,
}

/// What is kept, besides groups: counts by name.
enum Stored {
    Files { segments: usize, archives: usize },
    Tables { eras: usize },
}

pub(super) enum NotVerified {
    Damaged(Vec<Damage>),
    Failure(Failure),
}

impl Verified {
    /// The only book of a journal in files.
    pub(super) fn first(&self) -> &engine::Verified {
        self.books.first().expect("the first book is always among them")
    }

    /// The state as one number: the same after the same events. Of several books, the hash of theirs.
    pub(super) fn digest(&self) -> String {
        let digest = match self.books.as_slice() {
            [only] => only.digest,
            books => {
                let mut hasher = blake3::Hasher::new();
                for book in books {
                    hasher.update(&book.digest);
                }
                *hasher.finalize().as_bytes()
            }
        };
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn sum<T: std::iter::Sum>(&self, of: fn(&engine::Verified) -> T) -> T {
        self.books.iter().map(of).sum()
    }

    fn removed_until(&self) -> Option<String> {
        let anchors = self.books.iter().filter_map(|book| book.anchor.as_ref());
        anchors.map(|anchor| anchor.time).max().map(instant)
    }

    fn text(&self) -> String {
        let stored = match self.stored {
            Stored::Files { segments, archives } => {
                ("files", format!("{segments} segments, {archives} archives"))
            }
            Stored::Tables { eras } => ("tables", format!("{eras}, each followed to the next")),
        };
        let begins = self.removed_until().map_or_else(
            || "with the first event".to_owned(),
            |until| format!("behind the anchor the journal names; what happened up to {until} was removed"),
        );
        let rows = [
            stored,
            ("begins", begins),
            ("books", format!("{} in use", self.books.len())),
            ("groups", format!("{}, each hash and chain", self.sum(|book| book.groups))),
            ("events", format!("{}, each invariant and link", self.sum(|book| book.events))),
            ("accounts", format!("{}, each balance re-derived", self.sum(|book| book.accounts))),
            ("snapshots", format!("{}, each leads to the same state", self.sum(|book| book.snapshots))),
            ("state", self.digest()),
        ];
        rows.iter().map(|(name, value)| format!("  {name:<10} {value}")).collect::<Vec<_>>().join("\n")
    }
}

fn instant(instant: domain::Timestamp) -> String {
    dialect::print_instant(instant, dialect::Fraction::Micros).unwrap_or_else(|_| format!("{instant:?}"))
}

/// Checks a directory that no server runs on.
pub(super) fn verify(data: &Path) -> Result<Verified, NotVerified> {
    files::verify(data)
}

/// Folds everything of a book from the first event on.
fn fold(name: &str, journal: &dyn Journal, vault: &Arc<dyn Vault>) -> Result<engine::Verified, NotVerified> {
    let bar = bar();
    let begun = Instant::now();
    let verified = engine::verify(journal, vault, |progress| {
        bar.set_length(progress.positions);
        bar.set_position(progress.position);
        bar.set_message(rate(progress.events, begun));
    });
    bar.finish_and_clear();
    let cannot = Failure::fault(format!("cannot verify {name}"));
    verified.map_err(|error| NotVerified::Failure(cannot(error)))
}

/// On a terminal; elsewhere it stays quiet.
pub(super) fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}  {eta} left");
    let bar = ProgressBar::new(0);
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

fn rate(events: u64, begun: Instant) -> String {
    let micros = begun.elapsed().as_micros().max(1);
    format!("{events} events, {} per second", u128::from(events) * 1_000_000 / micros)
}
