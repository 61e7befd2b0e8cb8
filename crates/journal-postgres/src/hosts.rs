//! The seam between the journal and the world: hosts that are asked what they are, sessions that take
//! statements, and time. Everything that has to be right is on this side of it.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::error::DatabaseError;
use crate::row::{Parameters, Row};

/// The hosts of one database, and the time by which they are waited for.
pub trait Hosts: Send + Sync {
    /// Asks all at once what they are. Each has said so or has failed when this returns; in their order.
    fn probe(&self) -> Vec<Probed>;

    /// Since some fixed instant, untouched by whoever sets a clock.
    fn now(&self) -> Duration;

    /// Lets time pass between two attempts.
    fn pause(&self, time: Duration);
}

pub struct Probed {
    pub name: String,
    pub found: Result<(Facts, Arc<dyn Session>), DatabaseError>,
}

/// What a host says of itself.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub recovering: bool,
    pub read_only: bool,
    /// The setting, where it is not one that a journal may be kept with.
    pub unsafe_commit: Option<String>,
    pub version: String,
    /// Where the engine has one: higher is newer.
    pub timeline: Option<u32>,
    /// Which journal it holds, if it holds one.
    pub incarnation: Option<Uuid>,
}

/// One session with a host. Dropping it drops the socket: a running statement is never cancelled.
pub trait Session: Send + Sync {
    /// One statement in its own transaction; how many rows it changed. A warning on the way is an error:
    /// the outcome is unknown then.
    fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, DatabaseError>;

    fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, DatabaseError>;

    /// Statements without parameters that are run once.
    fn run(&self, sql: &str) -> Result<(), DatabaseError>;

    /// Drops the socket. Whoever waits for a reply learns that the connection was lost.
    fn abort(&self);

    fn is_open(&self) -> bool;
}
