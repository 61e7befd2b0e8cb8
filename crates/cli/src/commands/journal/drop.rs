use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use domain::Timestamp;
use engine::{Cut, Progress};
use journal::{Anchor, Archive, Journal, Retention, Vault};
use journal_postgres::{Database, PostgresJournal};
use server::KEY_HOURS_MAX;

use super::archive::directory_of;
use super::place::Place;
use super::prune::{date, instant, kept};
use crate::commands::database::{connect, parse};
use crate::commands::verify::bar;
use crate::failure::Failure;

/// Drop the oldest tables of a journal in a database.
///
/// Only tables that every book has left, and that `bursar journal archive` has put into an archive, which is held
/// against them. The state where they end is derived, checked like `bursar verify` does, and kept as an anchor,
/// which the journal names; only then do the tables go. Balances stay exact and verifiable; what happened before can
/// no longer be looked up here. Servers may run meanwhile. Cut short, it may be run again.
#[derive(Debug, Args)]
pub(crate) struct Drop {
    /// The URL of the database.
    #[arg(long, env = "BURSAR_JOURNAL", hide_env_values = true, value_name = "URL")]
    journal: String,
    /// The directory that `bursar journal archive` wrote.
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// Drop tables that are older as a whole: 2025-03-01, the beginning of that day in UTC, or an RFC 3339
    /// instant.
    #[arg(long, value_name = "DATE", value_parser = date)]
    before: Timestamp,
    /// For how long the servers remember idempotency keys (their `key_hours`): tables that hold such stay.
    #[arg(long, value_name = "HOURS", default_value_t = KEY_HOURS_MAX, value_parser = clap::value_parser!(u32).range(0..=i64::from(KEY_HOURS_MAX)))]
    key_hours: u32,
    /// Only say what would go.
    #[arg(long)]
    dry_run: bool,
    /// Drop it without being asked.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
}

/// How long whoever leads a book has to name its anchor; then this command does, which costs the leader a restart
/// of that book.
const NAMED_MAX: Duration = Duration::from_secs(10);

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A book, and the tables that it has left.
struct Left {
    book: u32,
    journal: PostgresJournal,
    eras: Vec<Archive>,
}

/// A book that has something in the tables that go.
struct Leaving {
    book: u32,
    journal: PostgresJournal,
    cut: Cut,
}

impl Drop {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let url = parse(&self.journal)?;
        let database = connect(&url)?;
        let cannot = || format!("cannot drop tables of {url}");
        let books = books(&database).map_err(Failure::fault(cannot()))?;
        let left = database.left_era().map_err(Failure::fault(cannot()))?;
        let (until, why) = self.until(&books, u64::from(left)).map_err(Failure::fault(cannot()))?;
        if until == 0 {
            println!("nothing to drop");
            why.iter().for_each(|why| println!("kept what is {why}"));
            return Ok(());
        }
        let mut leaving = Vec::new();
        for Left { book, journal, eras } in books {
            if let Some(cut) = cut(&eras, until) {
                self.is_archived(book, &journal, &cut)?;
                leaving.push(Leaving { book, journal, cut });
            }
        }
        let last = leaving.iter().map(|it| it.cut.last_time).max();
        let what = format!("tables up to journal_{until}, until {}", last.map(instant).unwrap_or_default());
        if self.dry_run {
            println!("would drop {what}");
            return Ok(());
        }
        if !self.yes {
            println!("would drop {what}");
            let reason = "nothing was dropped: repeat with --yes, or with --dry-run to look only";
            return Err(Failure::Usage(reason.to_owned()));
        }
        for it in &mut leaving {
            it.leave(&database).map_err(Failure::fault(cannot()))?;
        }
        let dropped = database.drop_eras(until as u32).map_err(Failure::fault(cannot()))?;
        println!("dropped {dropped} {what}");
        Ok(())
    }

    /// The newest table that no book needs, and why not a newer one.
    fn until(&self, books: &[Left], left: u64) -> Result<(u64, Option<String>), engine::PruneError> {
        let (mut until, mut why) = (left, None);
        for Left { journal, eras, .. } in books {
            let window = i64::from(self.key_hours) * 3600;
            let plan = engine::plan_of(journal, eras.clone(), self.before, window)?;
            let goes = plan.cut.map_or(0, |cut| cut.archive);
            // Of the tables that stay for this book, the oldest: those before it hold nothing of it.
            let stays = eras.iter().map(|era| era.number).find(|number| *number > goes);
            if let Some(stays) = stays.filter(|stays| *stays <= until) {
                until = stays - 1;
                why = plan.kept.map(kept);
            }
        }
        Ok((until, why))
    }

    fn is_archived(&self, book: u32, journal: &PostgresJournal, cut: &Cut) -> Result<(), Failure> {
        let directory = directory_of(&self.archive, book);
        let here = journal.reader().group(cut.position);
        let archived = Place::Directory(directory.clone()).open(0)?;
        let there = archived.journal().reader().group(cut.position);
        match (here, there) {
            (Ok(here), Ok(there)) if here.tail() == there.tail() => Ok(()),
            _ => Err(Failure::Refused(format!(
                "{} does not hold what would go: run `bursar journal archive` first",
                directory.display()
            ))),
        }
    }
}

fn books(database: &Database) -> Result<Vec<Left>, Failed> {
    let mut books = Vec::new();
    for book in 0..database.books()? {
        let journal = database.open(book)?;
        let eras = journal.left_eras()?;
        books.push(Left { book, journal, eras });
    }
    Ok(books)
}

/// What of a book is in the tables up to one.
fn cut(eras: &[Archive], until: u64) -> Option<Cut> {
    let goes: Vec<&Archive> = eras.iter().filter(|era| era.number <= until).collect();
    let (first, last) = (goes.first()?, goes.last()?);
    Some(Cut {
        archives: goes.len(),
        archive: last.number,
        position: last.last,
        first_time: first.first_time,
        last_time: last.last_time,
    })
}

impl Leaving {
    fn leave(&mut self, database: &Database) -> Result<(), Failed> {
        let vault: Arc<dyn Vault> = self.journal.vault();
        let behind = self.journal.tail().position;
        let bar = bar();
        bar.set_message(format!("book {}", self.book));
        let progress = |progress: Progress| {
            bar.set_length(progress.positions);
            bar.set_position(progress.position);
        };
        let written = engine::write_anchor(&mut self.journal, &vault, &self.cut, progress)?;
        bar.finish_and_clear();
        self.named(database, &written.anchor, behind)?;
        self.journal.cut()?;
        Ok(())
    }

    /// Waits until whoever leads has named the anchor; where nobody does, this command appends the mark.
    fn named(&self, database: &Database, anchor: &Anchor, behind: u64) -> Result<(), Failed> {
        let until = Instant::now() + NAMED_MAX;
        while Instant::now() < until {
            let journal = database.open(self.book)?;
            if engine::names_anchor(&*journal.reader(), anchor, behind)? {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(200));
        }
        let mut journal = database.open(self.book)?;
        if !engine::names_anchor(&*journal.reader(), anchor, behind)? {
            engine::name_anchor(&mut journal, anchor)?;
        }
        Ok(())
    }
}
