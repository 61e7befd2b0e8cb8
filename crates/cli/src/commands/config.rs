use std::io::{self, Write};

use clap::Args;

use crate::failure::Failure;

/// Print the default configuration file, with what each option does.
#[derive(Debug, Args)]
pub(crate) struct Config {}

impl Config {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Self {} = self;
        let text = server::Config::commented_default();
        io::stdout().write_all(text.as_bytes()).map_err(Failure::fault("cannot print"))
    }
}
