//! What a credential is held to, on a command line.

use clap::Args;
use domain::Nanos;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::table::{Format, Record};

/// Without any of these the credential may all that its holder may.
#[derive(Debug, Args)]
pub(crate) struct Scope {
    /// All it may do: an operation by its name (`bursar whoami` lists them), or read, modify, reload. May be
    /// repeated.
    #[arg(long = "allow", value_name = "OPERATION")]
    operations: Vec<String>,
    /// The only account it may act on, with what is below it. May be repeated.
    #[arg(long = "only", visible_alias = "account", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// Not what is below those accounts.
    #[arg(long, requires = "accounts")]
    not_below: bool,
    /// The most of what it counts: 'allocate 500 EUR total', 'charge,transfer 20 day'. It counts charge,
    /// transfer, allocate, pay, correct or credit, by the day, the month or in total. May be repeated.
    #[arg(long = "limit", value_name = "LIMIT", value_parser = Limit::parse)]
    limits: Vec<Limit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Limit {
    counts: Vec<String>,
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    period: String,
}

/// As the API takes it.
#[derive(Debug, Serialize)]
pub(crate) struct Body<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    operations: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    accounts: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<bool>,
    #[serde(skip_serializing_if = "<[Limit]>::is_empty")]
    limits: &'a [Limit],
}

impl Scope {
    /// None where nothing is restricted.
    pub(crate) fn body(&self) -> Option<Body<'_>> {
        let Self { operations, accounts, not_below, limits } = self;
        let is_any = !operations.is_empty() || !accounts.is_empty() || !limits.is_empty();
        let below = not_below.then_some(false);
        is_any.then_some(Body { operations, accounts, below, limits })
    }
}

/// As the API tells of it.
#[derive(Deserialize)]
struct Held {
    #[serde(default)]
    operations: Vec<String>,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    limits: Vec<HeldLimit>,
}

#[derive(Deserialize)]
struct HeldLimit {
    counts: Vec<String>,
    amount: String,
    currency: String,
    period: String,
    left: String,
}

/// Prints credentials: a table has these columns, and what each is held to.
pub(crate) fn print(format: &Format, credentials: Vec<Record>, columns: &[&str]) -> Result<(), Failure> {
    if format.is_json() {
        return format.print_all(&credentials, columns);
    }
    let told =
        credentials.into_iter().map(|it| it.retold("scope", Held::told)).collect::<Result<Vec<_>, _>>()?;
    let columns: Vec<&str> = columns.iter().copied().chain(["allowed", "only", "limits"]).collect();
    format.print_all(&told, &columns)
}

impl Held {
    fn told(self) -> Vec<(&'static str, String)> {
        let limits = self.limits.iter().map(|it| {
            let HeldLimit { counts, amount, currency, period, left } = it;
            format!("{} {amount} {currency} {period}: {left} left", counts.join(","))
        });
        let limits = limits.collect::<Vec<_>>().join("; ");
        vec![("allowed", self.operations.join(",")), ("only", self.accounts.join(",")), ("limits", limits)]
    }
}

impl Limit {
    fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (counts, amount, currency, period) = match words.as_slice() {
            [counts, amount, period] => (counts, amount, None, period),
            [counts, amount, currency, period] => (counts, amount, Some((*currency).to_owned()), period),
            _ => {
                return Err(
                    "expected what it counts, an amount and a period: allocate 500 EUR total".to_owned()
                );
            }
        };
        let amount = Nanos::parse(amount).map_err(|error| error.to_string())?;
        Ok(Self {
            counts: counts.split(',').map(str::to_owned).collect(),
            amount: amount.to_string(),
            currency,
            period: (*period).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
