//! The one binary: the server, and what operators and scripts do to it.
//!
//! The one idea: a command is a thin reading of flags in front of the same API that everyone has;
//! only `serve` and the commands on a data directory do more. Each is one file in `commands`.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | done |
//! | 1 | a fault: the network, the disk, the server |
//! | 2 | usage: flags, arguments or configuration that cannot be understood |
//! | 3 | refused by a rule; the reason is on standard error |
//!
//! Invariants: no secret is taken from a flag, since a command line is public on its machine; results
//! go to standard output and nothing else does; `--json` prints one object, or one per line.

mod client;
mod commands;
mod failure;
mod native;
mod profile;
mod scope;
mod secret;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// The ledger server for metered APIs.
#[derive(Debug, Parser)]
#[command(name = "bursar", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bursar: {failure}");
            failure.exit_code()
        }
    }
}
