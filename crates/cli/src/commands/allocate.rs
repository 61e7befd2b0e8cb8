use clap::Args;
use domain::Nanos;

use crate::failure::Failure;
use crate::native::{self, Asking, Once, Way};

/// Allocate a part of the parent's credit limit to a child, or take it back.
#[derive(Debug, Args)]
pub(crate) struct Allocate {
    /// Any handle of the child.
    account: String,
    #[arg(value_parser = native::money)]
    amount: Nanos,
    /// From the child back to its parent.
    #[arg(long = "return")]
    back: bool,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

impl Allocate {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let way = if self.back { Way::Return } else { Way::Give };
        let client = self.asking.client()?;
        let entry = native::allocate(&client, &self.account, way, self.amount, self.once.key())?;
        self.asking.format.print_one(&entry)
    }
}
