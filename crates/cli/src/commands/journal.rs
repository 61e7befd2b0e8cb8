mod backup;
mod copy;
mod place;
mod prune;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Back journals up, move them, and remove what is old.
#[derive(Debug, Args)]
pub(crate) struct Journal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Backup(backup::Backup),
    Copy(copy::Copy),
    Prune(prune::Prune),
}

impl Journal {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Backup(command) => command.run(),
            Command::Copy(command) => command.run(),
            Command::Prune(command) => command.run(),
        }
    }
}
