//! Business behaviour as text tables, run against anything that can do the steps.
//!
//! ```text
//! == a title
//! step                     | outcome            | primary | sub1   | primary.available
//! open primary limit 100   | ok                 | 0/100   |        | 100
//! open sub1 under primary  | ok                 |         | 0/0    |
//! transfer primary sub1 30 | ok                 | -30/100 | 30/0   | 70
//!
//! == another, after a title
//! step                     | outcome                     | primary
//! charge primary 71        | insufficient_funds, have 70 |
//! ```
//!
//! The first column and the headings are written by hand; the rest is generated, read and committed.
//! A cell is `posted/credit`, or the fields that its heading names; empty means unchanged, `shared` that
//! another account pays. A table that comes after another begins where that one ended.

mod bare;
mod book_world;
mod cast;
mod cell;
mod reopened;
mod step;
mod table;

use std::path::{Path, PathBuf};

pub use bare::BareWorld;
pub use book_world::BookWorld;
pub use cast::RELOAD_REFERENCE;
pub use cell::{Column, Field};
pub use reopened::ReopenedWorld;
pub use step::{Line, Step};

use crate::golden::expect_text;
use table::{Block, Table};

/// What scenarios are run against.
pub trait World: Sized {
    /// Empty, but for the seller.
    fn open() -> impl Future<Output = Self>;

    /// Does a step and says what came of it: `ok`, or the name of the refusal.
    fn act(&mut self, line: &Line) -> impl Future<Output = String>;

    /// What a cell says now; None where this world cannot tell.
    fn cell(&mut self, column: &Column) -> impl Future<Output = Option<String>>;
}

/// How long holds of scenarios live: as long as any may.
pub const HOLD_SECS: i64 = cast::HOLD_SECS;

/// Runs every file of `scenarios/` in a world. Nothing is rewritten.
pub async fn check_in<W: World>() {
    for path in files() {
        let (expected, actual) = (read(&path), play::<W>(&path).await);
        let mut lines = expected.lines().zip(actual.lines());
        if let Some((expected, actual)) = lines.find(|(expected, actual)| expected != actual) {
            panic!(
                "{} in {}:\n  expected {expected}\n  got      {actual}\n",
                path.display(),
                std::any::type_name::<W>()
            );
        }
        assert_eq!(expected, actual, "{} in {}", path.display(), std::any::type_name::<W>());
    }
}

/// Compares every file of `scenarios/` with what the rules alone say of it. `UPDATE_EXPECT=1` rewrites it.
pub async fn check_rules() {
    for path in files() {
        expect_text(&path, &play::<BareWorld>(&path).await);
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("a folder can be read").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no tables", folder.display());
    paths
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file as this world would have written it.
async fn play<W: World>(path: &Path) -> String {
    let mut blocks = table::read(&read(path));
    let mut tables: Vec<Table> = Vec::new();
    for block in &mut blocks {
        let Block::Table(table) = block else { continue };
        let mut world = W::open().await;
        prepare(&mut world, &tables, table.after.as_deref()).await;
        play_table(&mut world, table).await;
        tables.push(table.clone());
    }
    table::print(&blocks)
}

/// Does the steps of the table that comes before, and of those before it.
async fn prepare<W: World>(world: &mut W, tables: &[Table], after: Option<&str>) {
    let mut before = Vec::new();
    let mut next = after;
    while let Some(title) = next {
        let table = tables.iter().find(|table| table.title == title);
        let table = table.unwrap_or_else(|| panic!("no table before is called {title:?}"));
        before.push(table);
        next = table.after.as_deref();
    }
    for row in before.into_iter().rev().flat_map(|table| &table.rows) {
        world.act(&Line::parse(&row.step)).await;
    }
}

async fn play_table<W: World>(world: &mut W, table: &mut Table) {
    let columns: Vec<Column> = table.columns.iter().map(|heading| Column::parse(heading)).collect();
    let mut shown = vec![String::new(); columns.len()];
    for row in &mut table.rows {
        let outcome = world.act(&Line::parse(&row.step)).await;
        // A world may leave out how far a refusal was from being none.
        let in_short = row.outcome.split(',').next().unwrap_or_default();
        if outcome != in_short {
            row.outcome = outcome;
        }
        row.cells.resize(columns.len(), String::new());
        for ((column, cell), shown) in columns.iter().zip(&mut row.cells).zip(&mut shown) {
            let Some(now) = world.cell(column).await else { continue };
            *cell = if now == *shown { String::new() } else { now.clone() };
            *shown = now;
        }
    }
}
