use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Method;
use crate::failure::Failure;
use crate::native::{self, Asking, INVITATIONS, MEMBERSHIPS};
use crate::table::Record;

/// People of an organization or a family.
#[derive(Debug, Args)]
pub(crate) struct Member {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List who belongs there.
    List(List),
    /// List who is invited and has not answered.
    Invited(List),
    /// Say what a member may do, from the next call on.
    Change(Change),
    /// End a membership, its sessions and tokens at once.
    End(End),
    /// Take back an invitation.
    Uninvite(End),
    /// Hand the role of a family's primary user over to another member.
    HandOver(HandOver),
}

/// Invite somebody. The link goes by mail; a server without mail shows it here.
#[derive(Debug, Args)]
pub(crate) struct Invite {
    #[arg(value_name = "E-MAIL")]
    email: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    rights: Rights,
    /// Until when the link counts, RFC 3339; a week when absent.
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct Place {
    /// A family, by any handle of its root account; without it the organization's own side.
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "org")]
    account: Option<String>,
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
}

#[derive(Debug, Args)]
struct Rights {
    /// owner, admin, finance, developer or read-only.
    #[arg(long, required_unless_present = "permissions", conflicts_with = "permissions")]
    role: Option<String>,
    /// A set of permissions by its name, in place of a role.
    #[arg(long, value_name = "NAME")]
    permissions: Option<String>,
    /// Only this account and what is below it; may be given several times.
    #[arg(long = "only", value_name = "ACCOUNT")]
    accounts: Vec<String>,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: usize,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct Change {
    #[arg(value_name = "MEMBERSHIP")]
    membership: String,
    #[command(flatten)]
    rights: Rights,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct End {
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct HandOver {
    /// Any handle of the family's root account.
    account: String,
    #[arg(value_name = "MEMBERSHIP")]
    membership: String,
    #[command(flatten)]
    asking: Asking,
}

const COLUMNS: [&str; 6] = ["email", "role", "permissions", "primary", "family", "id"];
const INVITED: [&str; 5] = ["email", "role", "permissions", "expires_at", "id"];

impl Place {
    fn path(&self, what: &str) -> String {
        match &self.account {
            Some(account) => format!("{}/{what}", native::account(account)),
            None => native::of_organization(&self.org, what),
        }
    }
}

impl Rights {
    fn body(&self) -> Value {
        let mut body = json!({});
        if let Some(role) = &self.role {
            body["role"] = json!(role);
        }
        if let Some(permissions) = &self.permissions {
            body["permissions"] = json!(permissions);
        }
        if !self.accounts.is_empty() {
            body["accounts"] = json!(self.accounts);
        }
        body
    }
}

impl Invite {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut body = self.rights.body();
        body["email"] = json!(self.email);
        if let Some(until) = &self.until {
            body["expires_at"] = json!(until);
        }
        let invitation: Record = self.asking.client()?.post(&self.place.path("invitations"), &body, None)?;
        self.asking.format.print_one(&invitation)
    }
}

impl Member {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::List(it) => it.run("members", &COLUMNS),
            Act::Invited(it) => it.run("invitations", &INVITED),
            Act::Change(it) => {
                let path = native::one(MEMBERSHIPS, &it.membership);
                it.asking.client()?.done(Method::PATCH, &path, Some(&it.rights.body()))
            }
            Act::End(it) => it.asking.client()?.done(Method::DELETE, &native::one(MEMBERSHIPS, &it.id), None),
            Act::Uninvite(it) => {
                it.asking.client()?.done(Method::DELETE, &native::one(INVITATIONS, &it.id), None)
            }
            Act::HandOver(it) => {
                let path = format!("{}/primary-user", native::account(&it.account));
                let body = json!({"membership": it.membership});
                it.asking.client()?.done(Method::POST, &path, Some(&body))
            }
        }
    }
}

impl List {
    fn run(self, what: &str, columns: &[&str]) -> Result<(), Failure> {
        let people = native::list(&self.asking.client()?, &self.place.path(what), &[], self.limit)?;
        self.asking.format.print_all(&people, columns)
    }
}
