use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::client::segment;
use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::scope::{self, Scope};
use crate::secret;
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
    #[command(flatten)]
    scope: Scope,
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

const COLUMNS: [&str; 5] = ["id", "label", "issued_at", "expires_at", "last_used_on"];

impl Secrets {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::List(it) => {
                let secrets = native::list(&it.asking.client()?, &path(&it.account), &[], usize::MAX)?;
                scope::print(&it.asking.format, secrets, &COLUMNS)
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
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<scope::Body<'a>>,
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let chosen = self.secret_file.as_deref().map(|file| secret::read(Some(file), "secret"));
        let body = Body {
            label: self.label.as_deref(),
            expires_at: self.expires_at.as_deref(),
            secret: chosen.transpose()?,
            scope: self.scope.body(),
        };
        let secret: Record = self.asking.client()?.post(&path(&self.account), &body, self.once.key())?;
        self.asking.format.print_one(&secret)
    }
}
