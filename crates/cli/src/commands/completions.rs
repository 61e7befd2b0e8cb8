use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Arguments;
use crate::failure::Failure;

/// Print completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<(), Failure> {
        clap_complete::generate(self.shell, &mut Arguments::command(), "bursar", &mut io::stdout());
        Ok(())
    }
}
