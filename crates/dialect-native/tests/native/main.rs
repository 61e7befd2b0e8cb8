//! The API as a client sees it.

mod charges;
mod fixture;
