use clap::{Args, Subcommand};
use domain::Nanos;
use serde_json::json;

use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::table::Record;

/// Credit limits.
#[derive(Debug, Args)]
pub(crate) struct Credit {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Set(Set),
}

/// Set how far below zero an account may go.
#[derive(Debug, Args)]
struct Set {
    /// Any handle of the account.
    account: String,
    /// The whole limit, what was received and given included.
    #[arg(value_parser = native::money)]
    limit: Nanos,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

impl Credit {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Act::Set(set) = self.act;
        let path = format!("{}/credit-limit", native::account(&set.account));
        let body = json!({"credit_limit": set.limit.to_string()});
        let entry: Record = set.asking.client()?.put(&path, &body, set.once.key())?;
        set.asking.format.print_one(&entry)
    }
}
