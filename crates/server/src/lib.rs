//! Configuration and wiring: the socket, what surrounds every request, and how it all stops.
//!
//! The one idea: a router comes in from the dialects and leaves as a process that an operator can
//! run: bounded in connections, bodies and time, observable, and drained before it ends.
//!
//! | phase | `/healthz` | `/readyz` | new connections | requests |
//! |---|---|---|---|---|
//! | starting (replaying the journal) | 200 | 503 starting | accepted | answered by whoever can |
//! | ready | 200 | 200 | accepted | answered |
//! | leaving (after SIGTERM, for a pause) | 200 | 503 draining | accepted | answered |
//! | draining | no more | no more | refused | those accepted are finished, in bounded time |
//! | faulted (the journal failed) | 200 | 503 faulted, and why | accepted | the engine refuses |
//!
//! Over a database the books may be opened again, here or on another node: [`Nodes`] swaps the router.
//!
//! Every request passes one layer of ours ([`observe`](Observe)): its id, its time limit, its counters,
//! one line of log, and a panic that fails this request alone.
//!
//! Invariants: nothing waits without a limit; no log line, error or metric holds a body, a secret or
//! a token; what a client sends never becomes the label of a metric.
//! Left out: what an answer means. That is the dialects'.

mod book_metrics;
mod config;
mod connection;
mod health;
mod listen;
mod mail_metrics;
mod metrics;
mod nodes;
mod observe;
mod open_book;
mod people;
mod reporting;
mod sandbox;
pub mod telemetry;
mod tls;
mod unread;
mod wiring;

pub use book_metrics::{BookMetrics, Current};
pub use config::{Config, ConfigError, KEY_HOURS_MAX, LogFormat, OPTIONS, Setting};
pub use dialect_native::deliver_letters;
pub use health::{Health, Readiness, Spread};
pub use listen::{Listening, ServeError, Server, stop_signal};
pub use mail_metrics::MailMetrics;
pub use metrics::Metrics;
pub use nodes::{Nodes, NodesError, Standing, Standings};
pub use observe::Observe;
pub use open_book::{BookError, BookOptions, OpenBook};
pub use people::{People, PeopleError, note_failures};
pub use sandbox::MARK as SANDBOX_MARK;
pub use tls::TlsError;
pub use wiring::{note_uses, router, watch};
