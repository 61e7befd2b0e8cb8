//! Organizations, their users and tokens, and the secrets of accounts.

pub(crate) mod organizations;
pub(crate) mod roles;
pub(crate) mod scope;
pub(crate) mod secret;
pub(crate) mod secrets;
pub(crate) mod tokens;
pub(crate) mod users;
