//! The binary as scripts use it.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod contract;
mod database;
mod demo;
mod drain;
mod serve;
mod served;
mod verify;

use std::path::Path;
use std::process::{Output, Stdio};

use served::{Served, bursar, spawn};

fn output(arguments: &[&str]) -> Output {
    bursar(arguments).output().unwrap()
}

/// Starts a server on a free port and waits for its line.
fn serve(data: &Path, more: &[&str]) -> Served {
    let mut served = spawn(data, more, Stdio::null());
    assert!(served.listens(), "the server ended before it was listening");
    served
}
