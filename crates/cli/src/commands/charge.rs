use clap::Args;
use domain::Nanos;
use serde::Serialize;

use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::table::Record;

/// Charge an account. Exits with 3 when a rule refuses it; the reason is on standard error.
#[derive(Debug, Args)]
pub(crate) struct Charge {
    /// Any handle of the account.
    account: String,
    #[arg(value_parser = native::money)]
    amount: Nanos,
    /// What was used.
    #[arg(long)]
    product: Option<String>,
    /// How much of it.
    #[arg(long, value_parser = native::money)]
    quantity: Option<Nanos>,
    /// What your own books call it.
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Serialize)]
struct Body<'a> {
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
}

impl Charge {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let body = Body {
            amount: self.amount.to_string(),
            product: self.product.as_deref(),
            quantity: self.quantity.map(|quantity| quantity.to_string()),
            reference: self.reference.as_deref(),
        };
        let path = native::charges(&self.account);
        let charge: Record = self.asking.client()?.post(&path, &body, self.once.key())?;
        self.asking.format.print_one(&charge)
    }
}
