//! Amounts set aside, to be charged or given up.

pub(crate) mod capture;
pub(crate) mod extend;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod place;
pub(crate) mod view;
pub(crate) mod void;
