//! What was used: calls, quantities and cost, summed from the journal itself while charging goes on.
//!
//! Few accounts are walked entry by entry; many are found by reading the journal through, which goes day by
//! day, so a long report leaves as it is made.

mod gather;
mod making;
pub(crate) mod report;
mod row;
mod scope;
