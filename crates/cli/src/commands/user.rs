use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::Method;
use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::secret;
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
    /// End all that a user is and has, and erase what is personal.
    Remove(Which),
    /// End all sessions of a user.
    SignOut(Which),
    /// Send a user a link to set a new password; a server without mail shows it here.
    ResetPassword(Which),
    /// Remove a second factor whose device is lost.
    RemoveFactor(Which),
}

#[derive(Debug, Args)]
struct Which {
    /// The id of the user.
    user: String,
    #[command(flatten)]
    asking: Asking,
}

/// Let somebody sign in for an organization.
#[derive(Debug, Args)]
struct Create {
    #[arg(value_name = "E-MAIL")]
    email: String,
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    /// owner, admin, finance, developer or read-only.
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
        let of = |it: &Which, what: &str| format!("{}{what}", native::one(native::USERS, &it.user));
        match self.act {
            Act::Create(it) => it.run(),
            Act::Remove(it) => it.asking.client()?.done(Method::DELETE, &of(&it, ""), None),
            Act::SignOut(it) => it.asking.client()?.done(Method::POST, &of(&it, "/sign-out"), None),
            Act::ResetPassword(it) => {
                let reset: Record = it.asking.client()?.post_nothing(&of(&it, "/password-reset"), None)?;
                it.asking.format.print_one(&reset)
            }
            Act::RemoveFactor(it) => {
                it.asking.client()?.done(Method::DELETE, &of(&it, "/second-factor"), None)
            }
        }
    }
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let password = secret::read(Some(&self.password_file), "password")?;
        let body = json!({"email": self.email, "role": self.role, "password": password});
        let path = native::of_organization(&self.org, "users");
        let user: Record = self.asking.client()?.post(&path, &body, self.once.key())?;
        self.asking.format.print_one(&user)
    }
}
