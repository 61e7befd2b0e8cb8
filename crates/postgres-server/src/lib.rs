//! A real PostgreSQL for tests: no container, no download, nothing left behind.
//!
//! The one idea: the server's parent is a small shell that reads commands from a pipe. When the test
//! process ends, however it ends, the pipe closes, and the shell stops the server and removes its directory.
//!
//! | part | does |
//! |---|---|
//! | `programs` | finds `initdb` and `postgres`: `BURSAR_POSTGRES_BIN`, `pg_config`, versioned directories; newest wins |
//! | `account` | whom the server runs as: PostgreSQL refuses root, so root becomes `postgres` or `nobody` |
//! | `directory` | a private directory, and the sweeping of those whose owner is dead |
//! | `server` | one cluster: made, started, stopped, killed |
//! | `patroni` | three servers that fail over |
//!
//! Invariants: the server's environment is cleared; it listens on loopback and in its own directory only.
//! Where no server is found the test fails and says what to install: nothing is skipped in silence.
//! Everything panics where it fails: these are tests.

mod account;
mod directory;
mod patroni;
mod programs;
mod server;

pub use patroni::Patroni;
pub use server::{Database, Durability, Server};
