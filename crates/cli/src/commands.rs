//! The subcommands, one file each.

mod completions;
mod config;
mod serve;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Config(config::Config),
    Completions(completions::Completions),
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Config(command) => command.run(),
            Self::Completions(command) => command.run(),
        }
    }
}
