use clap::Args;
use domain::Nanos;
use serde_json::json;

use crate::failure::Failure;
use crate::native::{self, Asking, Once, TRANSFERS};
use crate::table::Record;

/// Transfer money between two accounts of a family.
#[derive(Debug, Args)]
pub(crate) struct Transfer {
    /// Any handle of the account it leaves.
    from: String,
    /// Any handle of the account it reaches.
    to: String,
    #[arg(value_parser = native::money)]
    amount: Nanos,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

impl Transfer {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let body = json!({"from": self.from, "to": self.to, "amount": self.amount.to_string()});
        let entry: Record = self.asking.client()?.post(TRANSFERS, &body, self.once.key())?;
        self.asking.format.print_one(&entry)
    }
}
