mod archive;
mod backup;
mod copy;
mod drop;
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
    Archive(archive::Archive),
    Backup(backup::Backup),
    Copy(copy::Copy),
    Drop(drop::Drop),
    Prune(prune::Prune),
}

impl Journal {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Archive(command) => command.run(),
            Command::Backup(command) => command.run(),
            Command::Copy(command) => command.run(),
            Command::Drop(command) => command.run(),
            Command::Prune(command) => command.run(),
        }
    }
}
