use clap::{Args, Subcommand};
use serde::Serialize;

use crate::client::Method;
use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::table::Record;

/// Bearer tokens of a seller's programs.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Create(Create),
    /// List the tokens that count, without the tokens themselves.
    List(List),
    /// Revoke a token.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
struct List {
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: usize,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct Revoke {
    /// The id of the token, not the token itself.
    token: String,
    #[command(flatten)]
    asking: Asking,
}

/// Issue a token. It is shown here and never again.
#[derive(Debug, Args)]
struct Create {
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    /// owner, admin, finance, developer or read-only.
    #[arg(long)]
    role: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Until when it counts, RFC 3339; without it until it is revoked.
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<String>,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Serialize)]
struct Body<'a> {
    role: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a str>,
}

impl Token {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Create(it) => it.run(),
            Act::List(it) => {
                let path = native::of_organization(&it.org, "tokens");
                let tokens = native::list(&it.asking.client()?, &path, &[], it.limit)?;
                it.asking.format.print_all(&tokens, &["role", "label", "issued_at", "expires_at", "id"])
            }
            Act::Revoke(it) => {
                it.asking.client()?.done(Method::DELETE, &native::one(native::TOKENS, &it.token), None)
            }
        }
    }
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let body =
            Body { role: &self.role, label: self.label.as_deref(), expires_at: self.expires_at.as_deref() };
        let path = native::of_organization(&self.org, "tokens");
        let token: Record = self.asking.client()?.post(&path, &body, self.once.key())?;
        self.asking.format.print_one(&token)
    }
}
