//! The API as a client sees it.

mod charges;
mod fixture;
mod openapi;
mod operations;
mod refusals;
mod rights;
mod sandbox;
mod scenarios;
