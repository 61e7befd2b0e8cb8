//! What happened to a balance, from its newest entry back.

pub(crate) mod find;
pub(crate) mod get;
pub(crate) mod kind;
pub(crate) mod list;
pub(crate) mod print;
