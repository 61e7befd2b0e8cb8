//! The API as a client sees it.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod audit;
mod bad_input;
mod bad_requests;
mod charges;
mod company;
mod examples;
mod fixture;
mod issuer;
mod letters;
mod openapi;
mod operations;
mod pages;
mod people;
mod provisioning;
mod reach;
mod refusals;
mod reloads;
mod removed;
mod rights;
mod sandbox;
mod scenarios;
mod second_factor;
mod secrets;
mod tenants;
mod usage;
