use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Answer, Client, JSON, Method, StatusCode};
use crate::failure::Failure;
use crate::native::{self, Asking};
use crate::profile::Profile;
use crate::secret;
use crate::table::Record;

/// Sign in, so that later commands act as this person.
///
/// The session is kept in a file of the user's own; no command line shows a secret.
#[derive(Debug, Args)]
pub(crate) struct SignIn {
    #[arg(value_name = "E-MAIL")]
    email: String,
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    /// A file that holds the password; without it the password is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Ask for a code of the second factor.
    #[arg(long)]
    code: bool,
    /// Where to act: a membership by its id, where there are several.
    #[arg(long, value_name = "ID")]
    membership: Option<String>,
    /// Stay signed in for 30 days instead of 12 hours.
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    asking: Asking,
}

/// Accept an invitation by its link, and be signed in.
///
/// Somebody new chooses a password; who is known already keeps theirs, and signs in as always.
#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// A file that holds the link, - for standard input; without it the link is asked for.
    #[arg(long, value_name = "FILE")]
    link_file: Option<PathBuf>,
    /// A file that holds the password of somebody new, - for standard input; without it that is asked for.
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
    #[command(flatten)]
    asking: Asking,
}

/// Sign out, and forget the session.
#[derive(Debug, Args)]
pub(crate) struct SignOut {
    /// End all sessions of the user.
    #[arg(long)]
    everywhere: bool,
    #[command(flatten)]
    asking: Asking,
}

/// Show who asks, and what they may do.
#[derive(Debug, Args)]
pub(crate) struct WhoAmI {
    #[command(flatten)]
    asking: Asking,
}

#[derive(Deserialize)]
struct Session {
    token: String,
    expires_at: String,
    user: Record,
    membership: Option<Record>,
}

impl SignIn {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let client = Client::nobody(self.asking.connection(), Profile::read()?.as_ref())?;
        let password = secret::read(self.password_file.as_deref(), "password")?;
        let code = if self.code { Some(secret::ask("code")?) } else { None };
        let body = json!({
            "organization": self.org, "email": self.email, "password": password, "code": code,
            "membership": self.membership, "keep": self.keep,
        });
        let session: Session = client.post(native::SESSIONS, &body, None)?;
        session.keep(&client)?;
        self.asking.format.print_one(session.membership.as_ref().unwrap_or(&session.user))
    }
}

impl Session {
    /// For later commands.
    fn keep(&self, client: &Client) -> Result<(), Failure> {
        let of_user = |member| self.user.text(member).unwrap_or_default();
        let profile = Profile {
            url: client.url().to_owned(),
            organization: of_user("organization"),
            email: of_user("email"),
            token: self.token.clone(),
            expires_at: self.expires_at.clone(),
        };
        profile.write()
    }
}

impl Accept {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let client = Client::nobody(self.asking.connection(), Profile::read()?.as_ref())?;
        let mut body = json!({"link": secret::read(self.link_file.as_deref(), "link")?});
        // Whether somebody is new, the server knows: it says so by missing a password.
        let mut answer = self.ask(&client, &body)?;
        if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
            body["password"] = secret::new_password(self.new_password_file.as_deref())?.into();
            answer = self.ask(&client, &body)?;
        }
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(());
        }
        let session: Session = answer.read()?;
        session.keep(&client)?;
        self.asking.format.print_one(session.membership.as_ref().unwrap_or(&session.user))
    }

    fn ask(&self, client: &Client, body: &Value) -> Result<Answer, Failure> {
        let path = format!("{}/accept", native::INVITATIONS);
        client.ask(Method::POST, &path, Some((JSON, body.to_string().into_bytes())), None)
    }
}

impl SignOut {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let path = if self.everywhere {
            native::SESSIONS.to_owned()
        } else {
            format!("{}/current", native::SESSIONS)
        };
        let ended = self.asking.client().and_then(|client| client.done(Method::DELETE, &path, None));
        // What no longer counts on the server is not kept here either.
        Profile::forget()?;
        ended
    }
}

impl WhoAmI {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let me: Record = self.asking.client()?.get(native::ME)?;
        self.asking.format.print_one(&me)
    }
}
