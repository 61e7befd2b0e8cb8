use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::Method;
use crate::failure::Failure;
use crate::native::{self, InOrganization};
use crate::table::Record;

/// Sets of permissions: roles of an organization's own making.
#[derive(Debug, Args)]
pub(crate) struct Permissions {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Define a set, or say anew what it holds.
    Define(Define),
    List(List),
    /// Remove a set that nobody has.
    Remove(Remove),
}

#[derive(Debug, Args)]
struct Define {
    name: String,
    /// An operation by its name, as `bursar whoami` lists them; may be given several times.
    #[arg(long = "allow", value_name = "OPERATION", required = true)]
    operations: Vec<String>,
    #[command(flatten)]
    place: InOrganization,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    place: InOrganization,
}

#[derive(Debug, Args)]
struct Remove {
    name: String,
    #[command(flatten)]
    place: InOrganization,
}

/// A set by its name.
fn one(place: &InOrganization, name: &str) -> String {
    native::one(&place.path("permission-sets"), name)
}

impl Permissions {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Define(it) => {
                let body = json!({"operations": it.operations});
                let set: Record = it.place.asking.client()?.put(&one(&it.place, &it.name), &body, None)?;
                it.place.asking.format.print_one(&set)
            }
            Act::List(it) => {
                let path = it.place.path("permission-sets");
                let sets = native::list(&it.place.asking.client()?, &path, &[], usize::MAX)?;
                it.place.asking.format.print_all(&sets, &["name", "operations"])
            }
            Act::Remove(it) => {
                it.place.asking.client()?.done(Method::DELETE, &one(&it.place, &it.name), None)
            }
        }
    }
}
