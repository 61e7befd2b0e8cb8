use clap::Args;

use super::database::{connect, parse};
use crate::failure::Failure;

/// Bring the tables of a journal in a database to what this release knows.
///
/// Servers of this release and of the one before may run meanwhile.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The URL of the database.
    #[arg(long, env = "BURSAR_JOURNAL", hide_env_values = true, value_name = "URL")]
    journal: String,
}

impl Migrate {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let url = parse(&self.journal)?;
        let steps = connect(&url)?.migrate().map_err(Failure::fault(format!("cannot migrate {url}")))?;
        println!("{url}: {steps} steps taken");
        Ok(())
    }
}
