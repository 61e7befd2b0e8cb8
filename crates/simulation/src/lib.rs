//! A world that fails on purpose, from one seed: the same seed, the same bytes.
//!
//! A test that fails prints its seed, and the seed is all that is needed to see it fail again. Nothing
//! here sleeps, starts threads or asks the clock.

pub mod bridge;
mod disk;
pub mod life;
pub mod model;
pub mod nodes;
mod random;
pub mod rules;
mod seeds;
pub mod sql;
pub mod workload;

pub use disk::{SimDisk, SimFile, SimLock};
pub use random::Random;
pub use seeds::run_all;
