//! The API as a client sees it.

mod bad_input;
mod bad_requests;
mod charges;
mod examples;
mod fixture;
mod openapi;
mod operations;
mod refusals;
mod removed;
mod rights;
mod sandbox;
mod scenarios;
mod secrets;
mod tenants;
mod usage;
