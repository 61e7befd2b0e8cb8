//! What all dialects share on the wire, with no dialect in it.
//!
//! The one idea: text becomes a value that carries its proof at the very edge, exactly and once, and
//! a failure says which field, line and column it was, so that each dialect can word its own error.
//!
//! | module | turns | into |
//! |---|---|---|
//! | `amount` | the token of a JSON number, or a string | [`domain::Nanos`], and back |
//! | `instant` | an RFC 3339 text | [`domain::Timestamp`], and back |
//! | `body` | a request body | its raw bytes, or a wire type; or a [`BodyError`] |
//! | `credentials` | an `Authorization` header | [`Credentials`] |
//! | `paging` | `limit` and `cursor` | a [`Page`] within stated maxima |
//! | `arrival` | a request | its [`RequestId`] and the limits it is read under |
//! | `problem` | a refusal | an RFC 9457 answer, for those without words of their own |
//! | `app` | a request's headers, and the books | an [`access::Caller`] |
//! | `whose` | a request that nobody has looked at | whose it says it is |
//! | `web_address` | a URL to be called at | whether it is one |
//! | `names` | what a product or a user is called | its index in the books |
//!
//! Invariants: no float between socket and ledger; nothing is rounded or guessed; whatever a client
//! sends has a stated maximum; no secret is printed by a `Debug`.
//! Left out: what a caller may do and how a refusal is worded.

mod amount;
mod app;
mod arrival;
mod body;
mod credentials;
mod instant;
mod json;
mod names;
mod paging;
mod problem;
mod web_address;
mod whose;

pub use amount::{AmountText, NumberAmount, TextAmount, read_amount};
pub use app::{App, Limits, Site};
pub use arrival::{Arrival, Once, REQUEST_ID, RequestId, Undecided};
pub use body::{Body, BodyError, Json, present};
pub use credentials::{Basic, Credentials, CredentialsError, authorization};
pub use instant::{Fraction, Instant, InstantError, print_instant, read_instant};
pub use json::{FieldPath, JsonError, JsonErrorKind, Segment, read_json, read_json_lines};
pub use names::{NamesError, find_name, intern_names};
pub use paging::{Cursor, Page, PageBounds, PagingError};
pub use problem::Problem;
pub use web_address::is_web_address;
pub use whose::{Operator, Whose};
