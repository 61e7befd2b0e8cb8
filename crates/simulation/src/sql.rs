//! As much of a database's SQL as the journal in a database speaks, over tables in memory.
//!
//! The statements under test are the real ones, word for word: a guard that is dropped from one is
//! missing here too. Whatever is not understood is an error, so that no statement is half run.
//!
//! | step | by |
//! |---|---|
//! | text to statement, once | `parse` |
//! | statement and tables to rows and changes | `execute`, `evaluate` |
//! | changes to tables, when the transaction is committed | `tables` |

mod evaluate;
mod execute;
mod parse;
mod tables;
mod token;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use journal_postgres::{Cell, Row};

pub use tables::{Change, Tables};

/// What a statement came to. Nothing has happened before its changes are applied.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    pub rows: Vec<Row>,
    pub count: u64,
    pub changes: Vec<Change>,
}

/// What the database says when it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn syntax(message: impl Into<String>) -> Self {
        Self::new("42601", message)
    }
}

thread_local! {
    /// The texts are few, and the same in every life.
    static PARSED: RefCell<HashMap<String, Rc<parse::Statement>>> = RefCell::default();
}

fn parsed(sql: &str) -> Result<Rc<parse::Statement>, Refusal> {
    if let Some(known) = PARSED.with_borrow(|parsed| parsed.get(sql).cloned()) {
        return Ok(known);
    }
    let statement = Rc::new(parse::statement(sql)?);
    PARSED.with_borrow_mut(|parsed| parsed.insert(sql.to_owned(), statement.clone()));
    Ok(statement)
}

impl Tables {
    /// Runs one statement as far as its effect.
    pub fn run(&self, sql: &str, parameters: &[Cell]) -> Result<Effect, Refusal> {
        execute::run(self, &*parsed(sql)?, parameters)
    }

    /// Runs one statement and commits it.
    pub fn commit(&mut self, sql: &str, parameters: &[Cell]) -> Result<Effect, Refusal> {
        let effect = self.run(sql, parameters)?;
        effect.changes.iter().for_each(|change| self.apply(change));
        Ok(effect)
    }
}
