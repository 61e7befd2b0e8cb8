//! Signing in elsewhere: what a company's own provider says about somebody, by OpenID Connect.
//!
//! The one idea: between the two requests of a sign-in nothing is remembered but in the visitor's own
//! browser, sealed: any node finishes what another began, and a browser finishes only what it began itself.
//!
//! | step | file |
//! |---|---|
//! | find out where the provider's endpoints and keys are; keep that for a while | `known.rs` |
//! | send the browser there, with a state, a nonce and a challenge (PKCE) | `flow.rs` |
//! | exchange the code it comes back with, and check what the provider signed | `flow.rs` |
//! | ask the provider anything at all | `fetch.rs` |
//! | seal what the browser carries meanwhile | `ticket.rs` |
//!
//! Invariants: https alone, but for a test server's loopback; every answer has a largest size and a latest
//! time; no redirect is followed; nothing is believed that is not signed with a public key of the provider;
//! no secret, code or token is in an error.
//! Left out: whom a subject belongs to, and whether the address is one the provider may speak for.

mod address;
mod fetch;
mod flow;
mod known;
mod ticket;

pub use address::{AddressError, check_address};
pub use fetch::FetchError;
pub use flow::{Begun, Failure, Provider, Providers, TICKET_SECS, Ticket, Vouched};
pub use ticket::{Tickets, same};
