use clap::{Args, Subcommand};
use domain::Nanos;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::table::Record;

/// Reload rules: how a balance is topped up again.
#[derive(Debug, Args)]
pub(crate) struct Reload {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Set(Set),
    List(List),
    /// Show the rule, and the reload that waits for your word.
    Show(Which),
    Start(Start),
    /// The money of the reload that waits has come: post it.
    Approve(Settle),
    /// The money of the reload that waits will not come.
    Decline(Settle),
}

/// Set the rule of an account's balance.
#[derive(Debug, Args)]
struct Set {
    /// Any handle of the account.
    account: String,
    /// What each reload adds.
    #[arg(value_parser = native::money)]
    amount: Nanos,
    /// The payment by which it was switched on; whoever says it starts a reload.
    #[arg(long, value_name = "TEXT")]
    reference: String,
    /// Posted minus held below this starts a reload.
    #[arg(long, value_name = "AMOUNT", value_parser = native::money)]
    threshold: Option<Nanos>,
    /// At most so many a month start by themselves.
    #[arg(long, value_name = "COUNT")]
    at_most: Option<u32>,
    /// At most so much a month starts by itself.
    #[arg(long, value_name = "AMOUNT", value_parser = native::money)]
    at_most_amount: Option<Nanos>,
    /// manual, or test in a sandbox.
    #[arg(long, value_name = "NAME", default_value = "manual")]
    provider: String,
    /// Keep the rule and switch it off.
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

/// List the reloads that wait for your word.
#[derive(Debug, Args)]
struct List {
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: usize,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct Which {
    /// Any handle of the account.
    account: String,
    #[command(flatten)]
    asking: Asking,
}

/// Start a reload by its reference.
#[derive(Debug, Args)]
struct Start {
    /// Any handle of the account.
    account: String,
    #[arg(long, value_name = "TEXT")]
    reference: String,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct Settle {
    /// Any handle of the account.
    account: String,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Serialize)]
struct Rule<'a> {
    provider: &'a str,
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
    reference: &'a str,
    enabled: bool,
}

#[derive(Serialize)]
struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
}

impl Set {
    fn limits(&self) -> Option<Limits> {
        let given = self.at_most.is_some() || self.at_most_amount.is_some();
        let amount = self.at_most_amount.map(|amount| amount.to_string());
        given.then_some(Limits { count: self.at_most, amount })
    }
}

const WAITING: [&str; 5] = ["account", "amount", "currency", "provider", "requested_at"];

impl Reload {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Set(it) => {
                let rule = Rule {
                    provider: &it.provider,
                    amount: it.amount.to_string(),
                    threshold: it.threshold.map(|threshold| threshold.to_string()),
                    limits: it.limits(),
                    reference: &it.reference,
                    enabled: !it.off,
                };
                let rule: Record = it.asking.client()?.put(&rule_of(&it.account), &rule, it.once.key())?;
                it.asking.format.print_one(&rule)
            }
            Act::List(it) => {
                let requested = [("status", Some("requested"))];
                let reloads = native::list(&it.asking.client()?, native::RELOADS, &requested, it.limit)?;
                it.asking.format.print_all(&reloads, &WAITING)
            }
            Act::Show(it) => {
                let rule: Record = it.asking.client()?.get(&rule_of(&it.account))?;
                it.asking.format.print_one(&rule)
            }
            Act::Start(it) => {
                let path = format!("{}/reloads", native::account(&it.account));
                let body = json!({"reference": it.reference});
                let reload: Record = it.asking.client()?.post(&path, &body, it.once.key())?;
                it.asking.format.print_one(&reload)
            }
            Act::Approve(it) => it.say(true),
            Act::Decline(it) => it.say(false),
        }
    }
}

impl Settle {
    fn say(self, approved: bool) -> Result<(), Failure> {
        let path = format!("{}/reloads/settle", native::account(&self.account));
        let reload: Record =
            self.asking.client()?.post(&path, &json!({"approved": approved}), self.once.key())?;
        self.asking.format.print_one(&reload)
    }
}

fn rule_of(account: &str) -> String {
    format!("{}/reload-rule", native::account(account))
}
