//! Accounts: who they are, what they may, what they have.

pub(crate) mod balances;
pub(crate) mod close;
pub(crate) mod freeze;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod modify;
pub(crate) mod numbers;
pub(crate) mod open;
pub(crate) mod set_handle;
pub(crate) mod settings;
pub(crate) mod view;
