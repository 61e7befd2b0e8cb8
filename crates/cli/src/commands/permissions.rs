use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::{Method, segment};
use crate::failure::Failure;
use crate::native::{self, Asking};
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
    place: Place,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Remove {
    name: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    #[command(flatten)]
    asking: Asking,
}

impl Place {
    fn path(&self, name: &str) -> String {
        format!("{}/{}", native::of_organization(&self.org, "permission-sets"), segment(name))
    }
}

impl Permissions {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Define(it) => {
                let body = json!({"operations": it.operations});
                let set: Record = it.place.asking.client()?.put(&it.place.path(&it.name), &body, None)?;
                it.place.asking.format.print_one(&set)
            }
            Act::List(it) => {
                let path = native::of_organization(&it.place.org, "permission-sets");
                let sets = native::list(&it.place.asking.client()?, &path, &[], usize::MAX)?;
                it.place.asking.format.print_all(&sets, &["name", "operations"])
            }
            Act::Remove(it) => it.place.asking.client()?.done(Method::DELETE, &it.place.path(&it.name), None),
        }
    }
}
