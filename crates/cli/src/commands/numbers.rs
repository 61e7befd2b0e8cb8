use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::segment;
use crate::failure::Failure;
use crate::native::{self, Asking, NUMBER_TRANSFERS, Once};
use crate::table::Record;

/// Phone numbers of accounts.
#[derive(Debug, Args)]
pub(crate) struct Numbers {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    List(List),
    Assign(Assign),
    Release(Release),
    Transfer(Transfer),
}

/// List the numbers of an account.
#[derive(Debug, Args)]
struct List {
    /// Any handle of the account.
    account: String,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: usize,
    #[command(flatten)]
    asking: Asking,
}

/// Assign a number to an account.
#[derive(Debug, Args)]
struct Assign {
    /// Any handle of the account.
    account: String,
    /// E.164 without the plus sign: 447700900123.
    number: String,
    /// ISO 3166-1, two letters.
    #[arg(long, value_name = "CODE")]
    country: String,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

/// Release a number: it is nobody's then.
#[derive(Debug, Args)]
struct Release {
    /// Any handle of the account that has it.
    account: String,
    number: String,
    #[command(flatten)]
    asking: Asking,
}

/// Transfer a number from one account of a family to another.
#[derive(Debug, Args)]
struct Transfer {
    /// Any handle of the account that has it.
    from: String,
    /// Any handle of the account that gets it.
    to: String,
    number: String,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

const COLUMNS: [&str; 3] = ["number", "country", "account"];

impl Numbers {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::List(it) => {
                let numbers = native::list(&it.asking.client()?, &path(&it.account), &[], it.limit)?;
                it.asking.format.print_all(&numbers, &COLUMNS)
            }
            Act::Assign(it) => {
                let body = json!({"number": it.number, "country": it.country});
                let number: Record = it.asking.client()?.post(&path(&it.account), &body, it.once.key())?;
                it.asking.format.print_one(&number)
            }
            Act::Release(it) => {
                it.asking.client()?.delete(&format!("{}/{}", path(&it.account), segment(&it.number)))
            }
            Act::Transfer(it) => {
                let body = json!({"from": it.from, "to": it.to, "number": it.number});
                let number: Record = it.asking.client()?.post(NUMBER_TRANSFERS, &body, it.once.key())?;
                it.asking.format.print_one(&number)
            }
        }
    }
}

fn path(account: &str) -> String {
    format!("{}/numbers", native::account(account))
}
