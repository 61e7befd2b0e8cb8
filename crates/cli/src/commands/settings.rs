use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::native::{self, Asking};
use crate::table::Record;

/// What an account wants to be told, where, and how fast it may go.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Show(Show),
    Set(Set),
}

/// Show the settings of an account.
#[derive(Debug, Args)]
struct Show {
    /// Any handle of the account.
    account: String,
    #[command(flatten)]
    asking: Asking,
}

/// Change settings; what is not named stays.
#[derive(Debug, Args)]
struct Set {
    /// Any handle of the account.
    account: String,
    /// Where to tell of what comes in; an empty one unsets it.
    #[arg(long, value_name = "URL")]
    inbound_url: Option<String>,
    /// Where to tell what became of what went out; an empty one unsets it.
    #[arg(long, value_name = "URL")]
    receipt_url: Option<String>,
    /// Requests a second: out, in and calls.
    #[arg(long, value_names = ["OUT", "IN", "CALLS"], num_args = 3)]
    throughput: Option<Vec<u32>>,
    #[command(flatten)]
    asking: Asking,
}

impl Settings {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Show(it) => {
                let settings: Record = it.asking.client()?.get(&path(&it.account))?;
                it.asking.format.print_one(&settings)
            }
            Act::Set(it) => {
                let mut body = Map::new();
                for (name, url) in [("inbound_url", it.inbound_url), ("receipt_url", it.receipt_url)] {
                    if let Some(url) = url {
                        let url = if url.is_empty() { Value::Null } else { url.into() };
                        body.insert(name.to_owned(), url);
                    }
                }
                if let Some([outbound, inbound, calls]) = it.throughput.as_deref() {
                    let throughput = json!({"outbound": outbound, "inbound": inbound, "calls": calls});
                    body.insert("throughput".to_owned(), throughput);
                }
                let settings: Record = it.asking.client()?.patch(&path(&it.account), &body)?;
                it.asking.format.print_one(&settings)
            }
        }
    }
}

fn path(account: &str) -> String {
    format!("{}/settings", native::account(account))
}
