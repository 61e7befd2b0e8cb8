use clap::Args;
use domain::Nanos;

use crate::failure::Failure;
use crate::native::{self, Asking, Once};

/// Record a payment that was received.
#[derive(Debug, Args)]
pub(crate) struct TopUp {
    /// Any handle of the account.
    account: String,
    #[arg(value_parser = native::money)]
    amount: Nanos,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

impl TopUp {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let client = self.asking.client()?;
        let entry = native::top_up(&client, &self.account, self.amount, self.once.key())?;
        self.asking.format.print_one(&entry)
    }
}
