use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use domain::Nanos;
use serde::Serialize;
use serde_json::json;

use crate::client::segment;
use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::table::Record;

/// Secrets by which an account signs in.
#[derive(Debug, Args)]
pub(crate) struct Secrets {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    List(List),
    Create(Create),
    Revoke(Revoke),
    Reissue(Reissue),
}

/// List the secrets that count, without the secrets themselves.
#[derive(Debug, Args)]
struct List {
    /// Any handle of the account.
    account: String,
    #[command(flatten)]
    asking: Asking,
}

/// Add a secret. It is shown here and never again.
#[derive(Debug, Args)]
struct Create {
    /// Any handle of the account.
    account: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// From then on it proves nothing: 2026-03-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// All it may do: read, charge, hold, transfer, allocate, modify, reload. May be repeated.
    #[arg(long = "action", value_name = "ACTION")]
    actions: Vec<String>,
    /// The only account it may act on. May be repeated.
    #[arg(long = "only", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// The most that it may spend in a day.
    #[arg(long, value_name = "AMOUNT", value_parser = native::money)]
    per_day: Option<Nanos>,
    /// A file that holds a secret of your own choice, - for standard input: a command line is public on its
    /// machine. A better one is made without it.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

/// Revoke a secret: from the next call on it proves nothing.
#[derive(Debug, Args)]
struct Revoke {
    /// Any handle of the account.
    account: String,
    /// The id of the secret, not the secret itself.
    id: String,
    #[command(flatten)]
    asking: Asking,
}

/// After a leak: revoke all secrets of an account and make a new one, at once.
#[derive(Debug, Args)]
struct Reissue {
    /// Any handle of the account.
    account: String,
    /// What the new one is for.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

const COLUMNS: [&str; 6] = ["id", "label", "issued_at", "expires_at", "last_used_on", "scope"];

impl Secrets {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::List(it) => {
                let secrets = native::list(&it.asking.client()?, &path(&it.account), &[], usize::MAX)?;
                it.asking.format.print_all(&secrets, &COLUMNS)
            }
            Act::Create(it) => it.run(),
            Act::Revoke(it) => {
                it.asking.client()?.delete(&format!("{}/{}", path(&it.account), segment(&it.id)))
            }
            Act::Reissue(it) => {
                let path = format!("{}/reissue", path(&it.account));
                let body = it.label.map_or_else(|| json!({}), |label| json!({ "label": label }));
                let secret: Record = it.asking.client()?.post(&path, &body, it.once.key())?;
                it.asking.format.print_one(&secret)
            }
        }
    }
}

fn path(account: &str) -> String {
    format!("{}/secrets", native::account(account))
}

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
}

#[derive(Serialize)]
struct Scope {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_day: Option<PerDay>,
}

#[derive(Serialize)]
struct PerDay {
    amount: String,
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let is_scoped = !self.actions.is_empty() || !self.accounts.is_empty() || self.per_day.is_some();
        let per_day = self.per_day.map(|amount| PerDay { amount: amount.to_string() });
        let scope = Scope { actions: self.actions, accounts: self.accounts, per_day };
        let body = Body {
            label: self.label,
            expires_at: self.expires_at,
            secret: self.secret_file.as_deref().map(read).transpose()?,
            scope: is_scoped.then_some(scope),
        };
        let secret: Record = self.asking.client()?.post(&path(&self.account), &body, self.once.key())?;
        self.asking.format.print_one(&secret)
    }
}

/// A secret in a file or on standard input. Editors end a file with a new line; secrets do not.
fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = || Failure::fault(format!("cannot read the secret in {}", path.display()));
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(unreadable())?;
        text
    } else {
        std::fs::read_to_string(path).map_err(unreadable())?
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
