use clap::{Args, Subcommand};

use super::database::parse;
use crate::failure::Failure;

/// The tables for reports that a server keeps beside the journal.
#[derive(Debug, Args)]
pub(crate) struct Reporting {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Rebuild(Rebuild),
}

/// Empty the tables: a server that keeps them fills them again from the journal.
///
/// Only what is in the schema `reporting` and made by Bursar is dropped. A view of your own on these tables
/// keeps it from happening: drop it first.
#[derive(Debug, Args)]
struct Rebuild {
    /// The URL of the database that holds the tables.
    #[arg(long, env = "BURSAR_REPORTING", hide_env_values = true, value_name = "URL")]
    reporting: String,
}

impl Reporting {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Rebuild(command) => command.run(),
        }
    }
}

impl Rebuild {
    fn run(self) -> Result<(), Failure> {
        let url = parse(&self.reporting)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::fault("cannot start threads"))?;
        runtime
            .block_on(projection::rebuild(&url))
            .map_err(Failure::fault(format!("cannot rebuild the tables in {url}")))?;
        println!("{url}: the reporting tables are empty; a server with --reporting fills them");
        Ok(())
    }
}
