//! The API as a client sees it.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod audit;
mod bad_input;
mod bad_requests;
mod charges;
mod examples;
mod fixture;
mod openapi;
mod operations;
mod people;
mod provisioning;
mod refusals;
mod reloads;
mod removed;
mod rights;
mod sandbox;
mod scenarios;
mod secrets;
mod tenants;
mod usage;
