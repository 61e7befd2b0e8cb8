//! The binary as scripts use it.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod books;
mod cluster;
mod contract;
mod database;
mod demo;
mod drain;
mod eras;
mod failover;
mod letters;
mod near;
mod nodes;
mod people;
mod reporting;
mod retention;
mod sandbox;
mod serve;
mod served;
mod tokens;
mod told;
mod verify;

use std::path::Path;
use std::process::{Output, Stdio};

use served::{Served, TOKEN, bursar, spawn};

fn output(arguments: &[&str]) -> Output {
    bursar(arguments).output().unwrap()
}

/// A command against a server, as its operator: the exit code, what it said, and why not.
fn run(served: &Served, command: &str) -> (i32, String, String) {
    let arguments: Vec<&str> = command.split(' ').collect();
    let output =
        bursar(&arguments).env("BURSAR_URL", &served.url).env("BURSAR_TOKEN", TOKEN).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Starts a server on a free port and waits for its line.
fn serve(data: &Path, more: &[&str]) -> Served {
    let mut served = spawn(data, more, Stdio::null());
    assert!(served.listens(), "the server ended before it was listening");
    served
}
