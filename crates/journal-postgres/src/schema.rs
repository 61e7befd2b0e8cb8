//! The tables, and how they came to be: numbered steps, each one statement that may be repeated.
//!
//! One row says which step was done last, and is locked while the next is made, so that two runners do
//! not meet. Only what every engine of the protocol takes: no sequences, triggers, partitions.

use tokio_postgres::error::SqlState;

use crate::error::{DatabaseError, OpenError};
use crate::hosts::Session;

struct Step {
    sql: &'static str,
    /// Says how PostgreSQL stores something; others may not know the words.
    tuning: bool,
}

const fn step(sql: &'static str) -> Step {
    Step { sql, tuning: false }
}

/// Append only: what was released stays as it is.
const STEPS: &[Step] = &[
    step(
        "CREATE TABLE IF NOT EXISTS identity \
         (one int4 PRIMARY KEY, incarnation uuid NOT NULL, era int4 NOT NULL)",
    ),
    step(
        "CREATE TABLE IF NOT EXISTS journal_1 (book int8, position int8, chain bytea NOT NULL, \
         events int4 NOT NULL, body bytea NOT NULL, PRIMARY KEY (book, position))",
    ),
    Step { sql: "ALTER TABLE journal_1 ALTER COLUMN body SET STORAGE EXTERNAL", tuning: true },
    step(
        "CREATE TABLE IF NOT EXISTS snapshot (book int8, position int8, chunk int4, \
         chunks int4 NOT NULL, body bytea NOT NULL, PRIMARY KEY (book, position, chunk))",
    ),
    Step { sql: "ALTER TABLE snapshot ALTER COLUMN body SET STORAGE EXTERNAL", tuning: true },
    step(
        "CREATE TABLE IF NOT EXISTS vault \
         (book int8, owner int8, key bytea NOT NULL, PRIMARY KEY (book, owner))",
    ),
    step(
        "CREATE TABLE IF NOT EXISTS node (node uuid PRIMARY KEY, address text NOT NULL, \
         version text NOT NULL, beats int8 NOT NULL)",
    ),
    step(
        "CREATE TABLE IF NOT EXISTS lead (book int8 PRIMARY KEY, node uuid NOT NULL, \
         beats int8 NOT NULL, checks int8 NOT NULL)",
    ),
    step("CREATE TABLE IF NOT EXISTS book (book int8 PRIMARY KEY, anchor int8 NOT NULL)"),
    // Journals from before there was that table.
    step(
        "INSERT INTO book (book, anchor) SELECT book, 0 FROM journal_1 \
         WHERE position = 0 AND NOT EXISTS (SELECT 1 FROM book)",
    ),
    step("CREATE TABLE IF NOT EXISTS schema_need (one int4 PRIMARY KEY, known int4 NOT NULL)"),
    step(
        "INSERT INTO schema_need (one, known) SELECT 1, 0 \
         WHERE NOT EXISTS (SELECT 1 FROM schema_need WHERE one = 1)",
    ),
    step(
        "CREATE TABLE IF NOT EXISTS anchor (book int8, position int8, chunk int4, \
         chunks int4 NOT NULL, body bytea NOT NULL, PRIMARY KEY (book, position, chunk))",
    ),
    Step { sql: "ALTER TABLE anchor ALTER COLUMN body SET STORAGE EXTERNAL", tuning: true },
];

/// The newest step that whoever uses the tables must know. Steps behind it only add: releases that do not know
/// them run beside this one.
const NEEDED: i32 = 14;

pub(crate) const KNOWN: u32 = STEPS.len() as u32;

/// The step the tables are at; 0 where there are none.
pub(crate) fn found(session: &dyn Session) -> Result<u32, DatabaseError> {
    match session.query("SELECT step FROM schema_step WHERE one = 1", &[]) {
        Ok(rows) => Ok(rows.first().map_or(0, |row| row.get::<i32>(0) as u32)),
        Err(error) if error.has_code(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Whether the tables are those of this release, or of a later one that this one may run beside.
pub(crate) fn check(session: &dyn Session) -> Result<(), OpenError> {
    match found(session)? {
        0 => Err(OpenError::NotInitialised),
        found if found > KNOWN && needed(session)? > KNOWN => {
            Err(OpenError::NewerSchema { found, known: KNOWN })
        }
        found if found < KNOWN => Err(OpenError::OlderSchema { found, known: KNOWN }),
        _ => Ok(()),
    }
}

fn needed(session: &dyn Session) -> Result<u32, DatabaseError> {
    let rows = session.query("SELECT known FROM schema_need WHERE one = 1", &[])?;
    Ok(rows.first().map_or(u32::MAX, |row| row.get::<i32>(0) as u32))
}

/// Takes the steps that are left; how many there were.
pub(crate) fn migrate(session: &dyn Session) -> Result<u32, OpenError> {
    begin(session)?;
    let mut taken = 0;
    for (number, step) in (1..).zip(STEPS) {
        taken += u32::from(take(session, number, step)?);
    }
    check(session)?;
    let need = "UPDATE schema_need SET known = $1 WHERE one = 1 AND known < $1";
    session.execute(need, &[&NEEDED])?;
    Ok(taken)
}

/// The row to lock. Two runners may both make it: the second finds it there.
fn begin(session: &dyn Session) -> Result<(), DatabaseError> {
    for sql in [
        "CREATE TABLE IF NOT EXISTS schema_step (one int4 PRIMARY KEY, step int4 NOT NULL)",
        "INSERT INTO schema_step (one, step) SELECT 1, 0 \
         WHERE NOT EXISTS (SELECT 1 FROM schema_step WHERE one = 1)",
    ] {
        unless_made(session.run(sql))?;
    }
    Ok(())
}

/// `IF NOT EXISTS` looks before it makes: who makes the same table at the same moment is told, by the step it
/// had come to, that the name, the table or the type of its rows is taken. It is made, then.
fn unless_made(made: Result<(), DatabaseError>) -> Result<(), DatabaseError> {
    let taken = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
    match made {
        Err(error) if taken.iter().any(|code| error.has_code(code)) => Ok(()),
        made => made,
    }
}

/// False if somebody took it before. An error leaves the transaction open; it ends with the session.
fn take(session: &dyn Session, number: u32, step: &Step) -> Result<bool, DatabaseError> {
    session.run("BEGIN")?;
    let rows = session.query("SELECT step FROM schema_step WHERE one = 1 FOR UPDATE", &[])?;
    let done = rows.first().map_or(0, |row| row.get::<i32>(0) as u32);
    if done >= number {
        session.run("COMMIT")?;
        return Ok(false);
    }
    if step.tuning {
        session.run("SAVEPOINT tuning")?;
        if session.run(step.sql).is_err() {
            session.run("ROLLBACK TO SAVEPOINT tuning")?;
        }
    } else {
        session.run(step.sql)?;
    }
    session.run(&format!("UPDATE schema_step SET step = {number} WHERE one = 1"))?;
    session.run("COMMIT")?;
    Ok(true)
}

/// Makes the table of an era, ahead of its first group.
pub(crate) fn make_era(session: &dyn Session, era: u32) -> Result<(), DatabaseError> {
    unless_made(session.run(&format!(
        "CREATE TABLE IF NOT EXISTS journal_{era} (book int8, position int8, chain bytea NOT NULL, \
         events int4 NOT NULL, body bytea NOT NULL, PRIMARY KEY (book, position))"
    )))?;
    // Other engines may not know the words.
    drop(session.run(&format!("ALTER TABLE journal_{era} ALTER COLUMN body SET STORAGE EXTERNAL")));
    session.execute("UPDATE identity SET era = $1 WHERE one = 1 AND era < $1", &[&(era as i32)])?;
    Ok(())
}
