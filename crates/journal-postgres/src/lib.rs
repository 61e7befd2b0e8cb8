//! The journal as rows of a database that speaks PostgreSQL's protocol: one row a group.
//!
//! The one idea: **the database's unique key is the only lock.** A group is inserted at its position
//! only where its predecessor stands with the hash its writer has seen, in one prepared statement. No
//! lease, clock or lock of ours takes part; two writers that both believe they lead cannot both append.
//!
//! ```text
//! identity     one row: which journal this is, and its newest era
//! journal_<n>  book, position, chain, events, body: header and body of a group, as on disk
//! snapshot     book, position, chunk, chunks, body
//! vault        book, owner, key
//! book         which books there are, and where each begins
//! anchor       as snapshot: the state where a book begins
//! node, lead   who is there and who leads which book: only advice
//! schema_step  which migration was taken last
//! ```
//!
//! | part | does |
//! |---|---|
//! | `url`, `passfile`, `tls` | what an operator says about the database |
//! | `hosts`, `row` | the seam: hosts, sessions, statements and time, whoever provides them |
//! | `postgres_hosts`, `postgres_session` | the real ones, over the driver |
//! | `connector`, `lane` | the host to write to; a session that is made again |
//! | `schema` | tables and migrations |
//! | `postgres_journal` | the append, and what each answer means |
//! | `book`, `reader`, `cache`, `local_copy` | where a position is, and reading it |
//! | `snapshot`, `vault` | beside the journal |
//! | `anchor`, `eras` | where a book begins whose oldest tables were dropped |
//! | `beside` | a session for what is not the journal |
//! | `ends` | where all books end, and a proof of that, for those who follow |
//! | `nodes`, `watch` | the rows by which nodes find each other; when to take the lead: only advice |
//! | `verify` | reads everything there is |
//!
//! Invariants:
//! - A running insert is never cancelled, and a warning while committing means that the outcome is unknown:
//!   a cancelled wait for a standby is answered as done.
//! - A row that was read after an unknown outcome is not durable until something behind it is acknowledged.
//! - A book leaves a table (an era) by a row in the place of its next group, so the key decides that too.
//! - Nothing printed holds a password.
//!
//! Left out: sequences, triggers, partitions, advisory locks, `ON CONFLICT`, `LISTEN`: other engines of the
//! protocol lack them, or take them differently.

mod anchor;
mod beside;
mod book;
mod cache;
mod connector;
mod database;
mod ends;
mod eras;
mod error;
mod hosts;
mod lane;
mod local_copy;
mod nodes;
mod options;
mod passfile;
mod postgres_hosts;
mod postgres_journal;
mod postgres_session;
mod reader;
mod row;
mod schema;
mod shared_key;
mod snapshot;
mod tls;
mod url;
mod vault;
mod verify;
mod wait;
mod watch;

pub use database::{Database, Incarnation};
pub use ends::{Ends, Seen};
pub use error::{DatabaseError, OpenError};
pub use hosts::{Facts, Hosts, Probed, Session};
pub use nodes::{Lead, NodeId, NodeRow, Nodes};
pub use options::{Background, EraLimit, Options};
pub use postgres_journal::{PostgresJournal, Whereabouts};
pub use row::{Cell, Parameter, Parameters, Row};
pub use tls::TlsError;
pub use url::{Url, UrlError};
pub use verify::Verified;
pub use watch::{BEAT_EVERY, POLL_EVERY, Watch};
