use clap::{Args, Subcommand};
use domain::Nanos;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::native::{self, ACCOUNTS, Asking, Once};
use crate::table::Record;

/// Customers: primary accounts and their subaccounts.
#[derive(Debug, Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Create(Create),
    List(List),
    Show(Which),
    /// Refuse its charges until it is reactivated.
    Suspend(Which),
    /// Lift a suspension.
    Reactivate(Which),
}

/// Open an account. Its secret is shown here and never again.
#[derive(Debug, Args)]
struct Create {
    #[arg(long)]
    name: String,
    /// Its home currency, fixed; the parent's or the organization's when absent.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// How far below zero it may go.
    #[arg(long, value_name = "AMOUNT", value_parser = native::money)]
    credit_limit: Option<Nanos>,
    /// Any handle of the account whose subaccount it is to be.
    #[arg(long, value_name = "ACCOUNT")]
    parent: Option<String>,
    /// Spend the parent's balance instead of an own one.
    #[arg(long, requires = "parent")]
    shared: bool,
    /// The organization it belongs to.
    #[arg(long, value_name = "ORG")]
    org: Option<String>,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct List {
    /// Only the subaccounts of this account.
    #[arg(long, value_name = "ACCOUNT")]
    parent: Option<String>,
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

/// What a table has room for.
const COLUMNS: [&str; 7] = ["api_key", "name", "currency", "funding", "status", "suspended", "id"];

impl Account {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Create(create) => create.run(),
            Act::List(list) => list.run(),
            Act::Show(it) => {
                let account: Record = it.asking.client()?.get(&native::account(&it.account))?;
                it.asking.format.print_one(&account)
            }
            Act::Suspend(it) => it.suspended(true),
            Act::Reactivate(it) => it.suspended(false),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_limit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    shared: bool,
}

#[derive(Deserialize)]
struct Opened {
    id: String,
    api_key: String,
    /// Not there when the account was opened before, under the same key.
    secret: Option<String>,
}

#[derive(Serialize)]
struct Created {
    account: String,
    api_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let body = Body {
            name: &self.name,
            currency: self.currency.as_deref(),
            credit_limit: self.credit_limit.map(|limit| limit.to_string()),
            parent: self.parent.as_deref(),
            shared: self.shared,
        };
        let path = match &self.org {
            Some(name) => native::of_organization(name, "accounts"),
            None => ACCOUNTS.to_owned(),
        };
        let opened: Opened = self.asking.client()?.post(&path, &body, self.once.key())?;
        let created = Created { account: opened.id, api_key: opened.api_key, secret: opened.secret };
        self.asking.format.print_one(&Record::of(&created)?)
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let path = match &self.parent {
            Some(parent) => format!("{}/children", native::account(parent)),
            None => ACCOUNTS.to_owned(),
        };
        let accounts = native::list(&self.asking.client()?, &path, &[], self.limit)?;
        self.asking.format.print_all(&accounts, &COLUMNS)
    }
}

impl Which {
    fn suspended(self, suspended: bool) -> Result<(), Failure> {
        let account = native::suspend(&self.asking.client()?, &self.account, suspended)?;
        self.asking.format.print_one(&account)
    }
}
