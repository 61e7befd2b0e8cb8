use clap::{Args, Subcommand};
use serde::Serialize;

use crate::client::Method;
use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::scope::{self, Scope};
use crate::table::Record;

/// Bearer tokens: of a seller's programs, and one's own.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    #[command(visible_alias = "create")]
    Issue(Issue),
    /// List the tokens that count, with what is left of their limits, without the tokens themselves.
    List(List),
    /// Revoke a token.
    Revoke(Revoke),
}

/// Whose tokens.
#[derive(Debug, Args)]
struct Of {
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    /// One's own, in place of the organization's: it may what one's membership may.
    #[arg(long, conflicts_with = "org")]
    own: bool,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    of: Of,
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
///
/// A provisioning key: --role finance --allow open-subaccount --allow allocate --limit 'allocate 500 EUR total'
#[derive(Debug, Args)]
struct Issue {
    #[command(flatten)]
    of: Of,
    /// owner, admin, finance, developer or read-only.
    #[arg(long, required_unless_present = "own", conflicts_with = "own")]
    role: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Until when it counts, RFC 3339; without it until it is revoked.
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<scope::Body<'a>>,
}

const COLUMNS: [&str; 6] = ["id", "role", "label", "issued_at", "expires_at", "last_used_on"];

impl Token {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Issue(it) => it.run(),
            Act::List(it) => {
                let tokens = native::list(&it.asking.client()?, &it.of.path(), &[], it.limit)?;
                scope::print(&it.asking.format, tokens, &COLUMNS)
            }
            Act::Revoke(it) => {
                it.asking.client()?.done(Method::DELETE, &native::one(native::TOKENS, &it.token), None)
            }
        }
    }
}

impl Of {
    fn path(&self) -> String {
        if self.own { format!("{}/tokens", native::ME) } else { native::of_organization(&self.org, "tokens") }
    }
}

impl Issue {
    fn run(self) -> Result<(), Failure> {
        let body = Body {
            role: self.role.as_deref(),
            label: self.label.as_deref(),
            expires_at: self.expires_at.as_deref(),
            scope: self.scope.body(),
        };
        let token: Record = self.asking.client()?.post(&self.of.path(), &body, self.once.key())?;
        self.asking.format.print_one(&token)
    }
}
