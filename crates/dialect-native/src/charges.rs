//! Charges: one at a time, and thousands at once.
//!
//! ```text
//! bytes ─ read ─▶ Asked ─ build ─▶ engine::Request ─ submit ─▶ Outcome ─ print ─▶ bytes
//!         borrows          indices,                one journal        one buffer
//!         the body         one hash                write
//! ```
//!
//! Nothing on this way is allocated per charge but what the ledger keeps of it.

pub(crate) mod asked;
pub(crate) mod batch;
pub(crate) mod build;
pub(crate) mod print;
pub(crate) mod scan;
pub(crate) mod single;
#[doc(hidden)]
pub mod stages;
