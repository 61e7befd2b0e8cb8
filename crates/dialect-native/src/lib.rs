//! Our own API, at `/api/v1`: the dialect that loses nothing, and no more privileged than the others.
//!
//! The one idea: a request is read once into values that carry their proof, becomes one command, and
//! its answer is the fact that came of it. What a handler does is always the same: who, may they, what
//! do they mean, do it, say it.
//!
//! | folder | its operations |
//! |---|---|
//! | `accounts` | open, get, list, modify, freeze, close, handles, balances, entries |
//! | `charges` | one charge, and batches as a JSON array or as lines |
//! | `holds` | place, get, list, extend, capture, void |
//! | `money` | top-ups, withdrawals, refunds, corrections, transfers, credit |
//! | `people` | organizations, users, members, invitations, sessions, tokens, secrets |
//! | `audit` | who did what |
//! | `pages` | what people see: the links of letters, signing in |
//! | `sandbox` | the clock that moves, on a test server |
//!
//! | on the wire | is |
//! |---|---|
//! | money | a decimal in a string; a number is read exactly too |
//! | instants | RFC 3339, printed in UTC with microseconds |
//! | ids | UUIDs that say nothing; an account also goes by its api key and its handles |
//! | refusals | RFC 9457 problems, one type for each reason |
//! | `Idempotency-Key` | same key and content: the same answer, once more; other content: a conflict |
//!
//! Invariants: unknown and foreign are one answer; a field that is unknown, doubled or wrong is named;
//! nothing of a refused request changes anything; a secret is shown once, where it was made.
//! Left out: what the rules are (`ledger`), who may do what (`access`).

mod accounts;
mod answer;
mod audit;
mod backwards;
mod charges;
mod csv;
mod docs;
mod entries;
mod holds;
mod ids;
mod input;
mod look;
mod money;
mod once;
mod openapi;
mod operator;
mod pages;
mod people;
mod problem;
mod router;
mod sandbox;
mod signed;
mod submit;
mod usage;
mod values;
mod whose;

#[doc(hidden)]
pub use charges::stages;
pub use once::{IDEMPOTENCY_KEY, is_batch, is_done_once};
pub use openapi::text as openapi_text;
pub use operator::recognize_operator;
pub use people::post::{Postman, deliver_letters};
pub use problem::unavailable;
pub use router::router;
pub use whose::{BodySaysIt, operated, whose};
