//! The dialect as a client sees it.

mod accounts;
mod scenarios;
mod wire;
