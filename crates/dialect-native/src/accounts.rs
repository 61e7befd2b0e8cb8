//! Accounts: who they are, what they may, what they have.

pub(crate) mod balances;
pub(crate) mod get;
pub(crate) mod open;
pub(crate) mod view;
