//! What tests stand on: a book whose clock and randomness the test sets, a server around a
//! router, a small client, and business behaviour as tables.
//!
//! | module | gives |
//! |---|---|
//! | `book` | [`TestBook`]: an engine over a journal in memory or on files, first start done, and what a seller does to it |
//! | `server` | [`TestServer`]: a server around a router, on a free port |
//! | `client` | [`Client`]: one request, one answer |
//! | `scenario` | business behaviour as text tables, run against the rules, books, dialects |
//! | `wire` | recorded exchanges with a dialect, replayed |
//! | `golden` | expected text in files; `UPDATE_EXPECT=1` rewrites them |
//! | `rejections` | every refusal once, for golden tables |
//!
//! Invariants: nothing here reads the wall clock or waits for time to pass; the same test gives the
//! same ids, keys and secrets every time. Everything panics where it fails: these are tests.
//! Left out: anything a test of one crate alone would need.

mod book;
mod client;
mod golden;
mod rejections;
pub mod scenario;
mod server;
mod storage;
pub mod wire;

pub use book::{START, TestAccount, TestBook};
pub use client::{Answer, Client, basic};
pub use golden::expect_text;
pub use rejections::rejections;
pub use server::TestServer;
