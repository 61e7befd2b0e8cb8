mod copy;
mod place;
mod prune;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Move journals, and remove what is old.
#[derive(Debug, Args)]
pub(crate) struct Journal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Copy(copy::Copy),
    Prune(prune::Prune),
}

impl Journal {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Copy(command) => command.run(),
            Command::Prune(command) => command.run(),
        }
    }
}
