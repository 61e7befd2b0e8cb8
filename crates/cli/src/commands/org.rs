use clap::{Args, Subcommand};
use serde_json::json;

use crate::failure::Failure;
use crate::native::{Asking, ORGANIZATIONS, Once};
use crate::table::Record;

/// Organizations: the sellers on this server.
#[derive(Debug, Args)]
pub(crate) struct Org {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Create(Create),
}

/// Found an organization. Its owner's token is made by `bursar token create`.
#[derive(Debug, Args)]
struct Create {
    #[arg(value_name = "ORG")]
    name: String,
    /// Its home currency.
    #[arg(long, value_name = "CODE")]
    currency: String,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

impl Org {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Act::Create(it) = self.act;
        let body = json!({"name": it.name, "currency": it.currency});
        let organization: Record = it.asking.client()?.post(ORGANIZATIONS, &body, it.once.key())?;
        it.asking.format.print_one(&organization)
    }
}
