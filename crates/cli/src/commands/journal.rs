mod copy;
mod place;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// Move journals.
#[derive(Debug, Args)]
pub(crate) struct Journal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Copy(copy::Copy),
}

impl Journal {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Copy(command) => command.run(),
        }
    }
}
