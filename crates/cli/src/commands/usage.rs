use clap::Args;
use serde::Deserialize;

use crate::client::{Method, query};
use crate::failure::Failure;
use crate::native::Asking;
use crate::table::Record;

/// Report what was used: calls, quantities and cost, exact; and what was refused since the server started.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    /// Only this account and those below it, by any handle.
    account: Option<String>,
    /// The first day; that of this month when not given.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day, included; today when not given.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// What is told apart: day, account, product, credential, with commas between them.
    #[arg(long, value_name = "WHAT", default_value = "day,account")]
    by: String,
    /// Print comma-separated values, for spreadsheets.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Deserialize)]
struct Report {
    data: Vec<Record>,
}

const AMOUNTS: [&str; 6] = ["currency", "calls", "quantity", "cost", "refunded", "refused"];

impl Usage {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let asked = query(&[
            ("account", self.account.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("by", Some(&self.by)),
            ("format", self.csv.then_some("csv")),
        ]);
        let (client, path) = (self.asking.client()?, format!("/api/v1/usage{asked}"));
        if self.csv {
            let answer = client.ask(Method::GET, &path, None, None)?;
            return if answer.status.is_success() {
                print!("{}", answer.text);
                Ok(())
            } else {
                Err(answer.failure())
            };
        }
        let report: Report = client.get(&path)?;
        self.asking.format.print_all(&report.data, &columns(&self.by))
    }
}

fn columns(by: &str) -> Vec<&'static str> {
    let of = |what: &str| match what.trim() {
        "day" => Some("day"),
        "account" => Some("account_name"),
        "product" => Some("product"),
        "credential" => Some("credential_label"),
        _ => None,
    };
    by.split(',').filter_map(of).chain(AMOUNTS).collect()
}
