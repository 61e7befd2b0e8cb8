//! Where the operations of the native API are, and what several commands ask of them.

use clap::Args;
use domain::Nanos;
use serde::Deserialize;
use serde_json::json;

use crate::client::{Client, Connection, query, segment};
use crate::failure::Failure;
use crate::table::{Format, Record};

pub(crate) const ACCOUNTS: &str = "/api/v1/accounts";
/// Many charges, judged in order, each on its own.
pub(crate) const BATCH: &str = "/api/v1/charges";
pub(crate) const ORGANIZATIONS: &str = "/api/v1/organizations";
pub(crate) const SANDBOX_CLOCK: &str = "/api/v1/sandbox/clock";
pub(crate) const NUMBER_TRANSFERS: &str = "/api/v1/number-transfers";
pub(crate) const INVITATIONS: &str = "/api/v1/invitations";
pub(crate) const ME: &str = "/api/v1/me";
pub(crate) const MEMBERSHIPS: &str = "/api/v1/memberships";
pub(crate) const PASSWORD_RESETS: &str = "/api/v1/password-resets";
pub(crate) const RELOADS: &str = "/api/v1/reloads";
pub(crate) const SESSIONS: &str = "/api/v1/sessions";
pub(crate) const TOKENS: &str = "/api/v1/tokens";
pub(crate) const USERS: &str = "/api/v1/users";
pub(crate) const TRANSFERS: &str = "/api/v1/transfers";

/// The one that is meant when none is named.
pub(crate) const DEFAULT_ORGANIZATION: &str = access::DEFAULT_ORGANIZATION;

/// What every command of a client takes.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// The same of one organization.
#[derive(Debug, Args)]
pub(crate) struct InOrganization {
    #[arg(long, value_name = "ORG", default_value = DEFAULT_ORGANIZATION)]
    org: String,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// Doing a thing once, however often it is asked.
#[derive(Debug, Args)]
pub(crate) struct Once {
    /// Names this intent: a repeat with the same key is answered like the first and does nothing.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl Asking {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Client::open(&self.connection)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl InOrganization {
    pub(crate) fn path(&self, what: &str) -> String {
        of_organization(&self.org, what)
    }
}

impl Once {
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

/// An amount on the command line.
pub(crate) fn money(text: &str) -> Result<Nanos, String> {
    Nanos::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn account(account: &str) -> String {
    format!("{ACCOUNTS}/{}", segment(account))
}

pub(crate) fn balance(account: &str) -> String {
    format!("{}/balance", self::account(account))
}

pub(crate) fn charges(account: &str) -> String {
    format!("{}/charges", self::account(account))
}

/// Something called by its id.
pub(crate) fn one(of: &str, id: &str) -> String {
    format!("{of}/{}", segment(id))
}

pub(crate) fn hold(hold: &str, act: &str) -> String {
    format!("/api/v1/holds/{}/{act}", segment(hold))
}

pub(crate) fn of_organization(organization: &str, what: &str) -> String {
    format!("{ORGANIZATIONS}/{}/{what}", segment(organization))
}

pub(crate) fn top_up(
    client: &Client,
    account: &str,
    amount: Nanos,
    key: Option<&str>,
) -> Result<Record, Failure> {
    let path = format!("{}/top-ups", self::account(account));
    client.post(&path, &json!({"amount": amount.to_string()}), key)
}

/// Which way credit goes between a parent and its child.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Give,
    Return,
}

pub(crate) fn allocate(
    client: &Client,
    child: &str,
    way: Way,
    amount: Nanos,
    key: Option<&str>,
) -> Result<Record, Failure> {
    let way = match way {
        Way::Give => "give",
        Way::Return => "return",
    };
    let path = format!("{}/allocations", account(child));
    client.post(&path, &json!({"amount": amount.to_string(), "way": way}), key)
}

pub(crate) fn suspend(client: &Client, account: &str, suspended: bool) -> Result<Record, Failure> {
    client.patch(&self::account(account), &json!({"suspended": suspended}))
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Record>,
    next_cursor: Option<String>,
}

/// A list, page by page, up to `limit`.
pub(crate) fn list(
    client: &Client,
    path: &str,
    filter: &[(&str, Option<&str>)],
    limit: usize,
) -> Result<Vec<Record>, Failure> {
    const PAGE_MAX: usize = 1000;
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    while all.len() < limit {
        let count = (limit - all.len()).min(PAGE_MAX).to_string();
        let mut asked = filter.to_vec();
        asked.extend([("limit", Some(count.as_str())), ("cursor", cursor.as_deref())]);
        let page: Page = client.get(&format!("{path}{}", query(&asked)))?;
        all.extend(page.data);
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(all)
}
