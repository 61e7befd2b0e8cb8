//! Organizations, people and where they belong, tokens, and the secrets of accounts.

pub(crate) mod acceptance;
pub(crate) mod belonging;
pub(crate) mod company;
pub(crate) mod factor;
pub(crate) mod invitations;
mod letters;
pub(crate) mod limit;
pub(crate) mod me;
pub(crate) mod member;
pub(crate) mod members;
pub(crate) mod organizations;
pub(crate) mod own_tokens;
mod page;
pub(crate) mod passwords;
pub(crate) mod permission_sets;
pub(crate) mod post;
pub(crate) mod provider;
pub(crate) mod rights;
pub(crate) mod roles;
pub(crate) mod scope;
pub(crate) mod secret;
pub(crate) mod secrets;
pub(crate) mod sessions;
pub(crate) mod token;
pub(crate) mod tokens;
pub(crate) mod users;
