use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::Method;
use crate::failure::Failure;
use crate::native::InOrganization;
use crate::secret;
use crate::table::Record;

/// A company's own place to sign in, by OpenID Connect.
#[derive(Debug, Args)]
pub(crate) struct SignInProvider {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Set it; the answer says which redirect URI is to be registered there.
    Set(Set),
    Show(Show),
    /// Remove it: people sign in by password again.
    Remove(Remove),
}

#[derive(Debug, Args)]
struct Set {
    /// Its address, as it names itself: `https://login.company.example`.
    issuer: String,
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// A file that holds the client's secret, `-` for standard input; without it the secret is asked for.
    #[arg(long, value_name = "FILE", conflicts_with = "keep_secret")]
    client_secret_file: Option<PathBuf>,
    /// Leave the secret as it is: of the same issuer and client.
    #[arg(long)]
    keep_secret: bool,
    /// A domain of e-mail addresses that it may speak for; may be given several times.
    #[arg(long = "domain", value_name = "DOMAIN", required = true)]
    domains: Vec<String>,
    /// Its people come by it alone; owners always have their passwords.
    #[arg(long)]
    no_passwords: bool,
    #[command(flatten)]
    place: InOrganization,
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    place: InOrganization,
}

#[derive(Debug, Args)]
struct Remove {
    #[command(flatten)]
    place: InOrganization,
}

const WHAT: &str = "sign-in-provider";

impl SignInProvider {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Set(it) => {
                let mut body = json!({
                    "issuer": it.issuer, "client_id": it.client_id, "domains": it.domains,
                    "passwords": !it.no_passwords,
                });
                if !it.keep_secret {
                    let secret = secret::read(it.client_secret_file.as_deref(), "client secret")?;
                    body["client_secret"] = secret.into();
                }
                let provider: Record = it.place.asking.client()?.put(&it.place.path(WHAT), &body, None)?;
                it.place.asking.format.print_one(&provider)
            }
            Act::Show(it) => {
                let provider: Record = it.place.asking.client()?.get(&it.place.path(WHAT))?;
                it.place.asking.format.print_one(&provider)
            }
            Act::Remove(it) => it.place.asking.client()?.done(Method::DELETE, &it.place.path(WHAT), None),
        }
    }
}
