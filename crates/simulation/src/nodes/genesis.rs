//! The database before the first node is there: a journal in which the seller was founded.

use std::cell::RefCell;
use std::sync::Arc;

use domain::{Currency, Timestamp};
use engine::{Book, Outcome, Parts, Request, SeededEntropy};
use journal_postgres::{Database, PostgresJournal};
use ledger::{Actor, Command};

use super::Shape;
use super::cluster::Cluster;
use super::node::{SimClock, hosts, options};
use super::witness::Witness;
use super::world::{Shared, World};
use crate::rules::{START, seller_credential};
use crate::sql::Tables;

/// Outside of time: every statement is answered at once.
pub fn open(world: &Shared) -> Result<PostgresJournal, String> {
    let database = Database::over(hosts(world, 0), options()).map_err(|error| error.to_string())?;
    database.open(0).map_err(|error| error.to_string())
}

pub fn parts(world: &Shared, journal: PostgresJournal, seed: u64) -> Parts {
    Parts {
        vault: journal.vault(),
        journal: Box::new(journal),
        clock: Arc::new(SimClock { world: world.clone(), node: 0 }),
        entropy: Arc::new(SeededEntropy::new(seed)),
        options: engine::Options { background: engine::Background::Inline, ..engine::Options::default() },
    }
}

thread_local! {
    static GENESIS: RefCell<Option<(Cluster, Witness)>> = const { RefCell::new(None) };
}

/// The same in every life.
pub fn genesis() -> Result<(Cluster, Witness), String> {
    if let Some(known) = GENESIS.with_borrow(Clone::clone) {
        return Ok(known);
    }
    let shape =
        Shape { nodes: 1, clients: 0, micros: 0, is_asynchronous: false, is_replaced: false, follows: false };
    let world = Shared::new(World::new(0, shape, Cluster::new(&Tables::default()), Witness::default()));
    let database = Database::over(hosts(&world, 0), options()).map_err(|error| error.to_string())?;
    database.init([7; 16], 1).map_err(|error| error.to_string())?;
    let journal = open(&world)?;
    let (mut book, _) = Book::open(parts(&world, journal, 0)).map_err(|error| error.to_string())?;
    book.begin();
    let start = Timestamp::from_micros(START);
    let found = engine::found("seller", "UTC", Currency::EUR, start).map_err(|error| error.to_string())?;
    for act in [found, seller_credential()] {
        let request = Request { command: Command { actor: Actor::System, act }, key: None };
        match book.decide(&request) {
            Outcome::Done(_) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    book.commit().map_err(|fault| fault.to_string())?;
    let mut world = world.lock();
    let position = book.tail().position;
    let host = world.cluster.primary().tables.clone();
    world.catch_up(&host, position);
    if let Some(failure) = world.failure.take() {
        return Err(failure);
    }
    let known = (Cluster::new(&host), world.witness.clone());
    GENESIS.set(Some(known.clone()));
    Ok(known)
}
