use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::{Client, Connection, Method};
use crate::failure::Failure;
use crate::native::{self, Asking};
use crate::profile::Profile;
use crate::secret;

/// One's own password.
#[derive(Debug, Args)]
pub(crate) struct Password {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Change(Change),
    Forgot(Forgot),
    Reset(Reset),
}

/// Set another password. All other sessions end.
#[derive(Debug, Args)]
struct Change {
    /// A file that holds the password as it is, - for standard input; without it that is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The same of the new one.
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
    #[command(flatten)]
    asking: Asking,
}

/// Ask for a link by mail, to set a new password by. Whether there is such a user is not told.
#[derive(Debug, Args)]
struct Forgot {
    #[arg(value_name = "E-MAIL")]
    email: String,
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    #[command(flatten)]
    connection: Connection,
}

/// Set a new password by the link of a letter. All sessions end; nobody is signed in by it.
#[derive(Debug, Args)]
struct Reset {
    /// A file that holds the link, - for standard input; without it the link is asked for.
    #[arg(long, value_name = "FILE")]
    link_file: Option<PathBuf>,
    /// The same of the new password.
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

impl Password {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Change(it) => it.run(),
            Act::Forgot(it) => it.run(),
            Act::Reset(it) => it.run(),
        }
    }
}

impl Change {
    fn run(self) -> Result<(), Failure> {
        let current = secret::read(self.password_file.as_deref(), "password")?;
        let password = secret::new_password(self.new_password_file.as_deref())?;
        let body = json!({"current": current, "password": password});
        self.asking.client()?.done(Method::PUT, &format!("{}/password", native::ME), Some(&body))
    }
}

impl Forgot {
    fn run(self) -> Result<(), Failure> {
        let body = json!({"organization": self.org, "email": self.email});
        nobody(&self.connection)?.done(Method::POST, native::PASSWORD_RESETS, Some(&body))
    }
}

impl Reset {
    fn run(self) -> Result<(), Failure> {
        let link = secret::read(self.link_file.as_deref(), "link")?;
        let password = secret::new_password(self.new_password_file.as_deref())?;
        let path = format!("{}/complete", native::PASSWORD_RESETS);
        let body = json!({"link": link, "password": password});
        nobody(&self.connection)?.done(Method::POST, &path, Some(&body))
    }
}

fn nobody(connection: &Connection) -> Result<Client, Failure> {
    Client::nobody(connection, Profile::read()?.as_ref())
}
