//! The journal over a real server, and over a proxy that fails where it is told to.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod books;
mod conformance;
mod failover;
mod faults;
mod fixture;
mod history;
mod nodes;
mod openings;
mod proxy;
mod writers;
