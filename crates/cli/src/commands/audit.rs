use clap::Args;

use crate::failure::Failure;
use crate::native::{self, Asking};

/// Read the audit log: who did what, newest first.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[arg(long, value_name = "ORG", default_value = native::DEFAULT_ORGANIZATION)]
    org: String,
    /// Not before this instant, RFC 3339.
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Before this instant.
    #[arg(long, value_name = "INSTANT")]
    to: Option<String>,
    /// Only these acts, with commas between them.
    #[arg(long, value_name = "ACTS")]
    acts: Option<String>,
    /// Only what this user, membership, token or secret did, by its id.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Only what was done about this account, user, membership, token or secret, by its id.
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Only what this request did.
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    asking: Asking,
}

const COLUMNS: [&str; 7] = ["time", "act", "actor.kind", "actor.email", "address", "object", "request_id"];

impl Audit {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let path = native::of_organization(&self.org, "audit");
        let filter = [
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("acts", self.acts.as_deref()),
            ("actor", self.actor.as_deref()),
            ("object", self.object.as_deref()),
            ("request_id", self.request.as_deref()),
        ];
        let entries = native::list(&self.asking.client()?, &path, &filter, self.limit)?;
        self.asking.format.print_all(&entries, &COLUMNS)
    }
}
