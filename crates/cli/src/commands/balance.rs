use clap::Args;

use crate::client::query;
use crate::failure::Failure;
use crate::native::{self, Asking};
use crate::table::Record;

/// Show what an account has, owes and may still spend.
#[derive(Debug, Args)]
pub(crate) struct Balance {
    /// Any handle of the account.
    account: String,
    /// Another currency than the home currency.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// As it was at an instant, RFC 3339.
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

impl Balance {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let which = query(&[("currency", self.currency.as_deref()), ("as_of", self.as_of.as_deref())]);
        let path = format!("{}{which}", native::balance(&self.account));
        let balance: Record = self.asking.client()?.get(&path)?;
        self.asking.format.print_one(&balance)
    }
}
