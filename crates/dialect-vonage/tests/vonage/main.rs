//! The dialect as a client sees it.

mod accounts;
mod bad_input;
mod scenarios;
mod wire;
