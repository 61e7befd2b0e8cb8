use clap::{Args, Subcommand};
use serde::Serialize;

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
}

/// Issue a token. It is shown here and never again.
#[derive(Debug, Args)]
struct Create {
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    /// owner, finance, developer or read-only.
    #[arg(long)]
    role: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
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
}

impl Token {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Act::Create(it) = self.act;
        let body = Body { role: &it.role, label: it.label.as_deref() };
        let path = native::of_organization(&it.org, "tokens");
        let token: Record = it.asking.client()?.post(&path, &body, it.once.key())?;
        it.asking.format.print_one(&token)
    }
}
