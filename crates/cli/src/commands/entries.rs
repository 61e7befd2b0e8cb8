use clap::Args;

use crate::failure::Failure;
use crate::native::{self, Asking};

/// List what happened on an account's balance, newest first.
#[derive(Debug, Args)]
pub(crate) struct Entries {
    /// Any handle of the account.
    account: String,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    /// Only these kinds, with commas between them.
    #[arg(long, value_name = "KINDS")]
    kinds: Option<String>,
    /// Another currency than the home currency.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// What a table has room for.
const COLUMNS: [&str; 6] = ["time", "kind", "amount", "balance.posted", "balance.available", "reference"];

impl Entries {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let path = format!("{}/entries", native::account(&self.account));
        let filter = [("kinds", self.kinds.as_deref()), ("currency", self.currency.as_deref())];
        let entries = native::list(&self.asking.client()?, &path, &filter, self.limit)?;
        self.asking.format.print_all(&entries, &COLUMNS)
    }
}
