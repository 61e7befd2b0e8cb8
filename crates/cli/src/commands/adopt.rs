use clap::Args;

use super::database::{connect, fresh_incarnation, parse};
use crate::failure::Failure;

/// Make a restored copy of a database a journal of its own.
///
/// A copy says that it is the journal it was copied from. After this no server that runs on the original
/// takes it for that, and directories that belong to the original refuse it.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The URL of the restored copy.
    #[arg(long, env = "BURSAR_JOURNAL", hide_env_values = true, value_name = "URL")]
    journal: String,
}

impl Adopt {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let url = parse(&self.journal)?;
        connect(&url)?.adopt(fresh_incarnation()).map_err(Failure::fault(format!("cannot adopt {url}")))?;
        println!("{url} is a journal of its own now");
        Ok(())
    }
}
