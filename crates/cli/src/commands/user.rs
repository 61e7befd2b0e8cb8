use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::table::Record;

/// People of a seller.
#[derive(Debug, Args)]
pub(crate) struct User {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Create(Create),
}

/// Let somebody sign in for an organization.
#[derive(Debug, Args)]
struct Create {
    #[arg(value_name = "E-MAIL")]
    email: String,
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    /// owner, finance, developer or read-only.
    #[arg(long)]
    role: String,
    /// A file that holds the password: a command line is public on its machine.
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

impl User {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Act::Create(it) = self.act;
        let unreadable = format!("cannot read the password in {}", it.password_file.display());
        let password = std::fs::read_to_string(&it.password_file).map_err(Failure::fault(unreadable))?;
        // Editors end a file with a new line; passwords do not.
        let password = password.trim_end_matches(['\r', '\n']);
        let body = json!({"email": it.email, "role": it.role, "password": password});
        let path = native::of_organization(&it.org, "users");
        let user: Record = it.asking.client()?.post(&path, &body, it.once.key())?;
        it.asking.format.print_one(&user)
    }
}
