//! The tables and views.

use tokio_postgres::Client;

use crate::ProjectionError;
use crate::table::Column::{Key, Money, Plain};
use crate::table::{Table, number};

/// Of the tables. They are derived, so a new version has no migrations: they are made anew.
pub const VERSION: i32 = 1;

// Numbers in the tables count from one; zero stands for none where a key needs a value.

pub(crate) const ORGANIZATION: Table = Table {
    name: "organization",
    columns: &[
        Key("organization", "int4"),
        Plain("name", "text"),
        Plain("time_zone", "text"),
        Plain("currency", "text"),
        Plain("created_at", "timestamptz"),
    ],
};

pub(crate) const NAME: Table = Table {
    name: "name",
    columns: &[Key("name", "int8"), Plain("organization", "int4"), Plain("text", "text")],
};

pub(crate) const ACCOUNT: Table = Table {
    name: "account",
    columns: &[
        Key("account", "int8"),
        Plain("id", "text"),
        Plain("api_key", "text"),
        Plain("organization", "int4"),
        Plain("parent", "int8"),
        Plain("root", "int8"),
        Plain("name", "text"),
        Plain("currency", "text"),
        Plain("closed", "bool"),
        Plain("suspended", "bool"),
        Plain("frozen", "bool"),
        Plain("shared", "bool"),
        Plain("opened_at", "timestamptz"),
    ],
};

/// What an event may change of an account.
pub(crate) const ACCOUNT_CHANGES: [&str; 5] = ["name", "closed", "suspended", "frozen", "shared"];

pub(crate) const HANDLE: Table = Table {
    name: "handle",
    columns: &[Key("account", "int8"), Key("kind", "text"), Plain("handle", "text")],
};

pub(crate) const CREDENTIAL: Table = Table {
    name: "credential",
    columns: &[
        Key("credential", "int8"),
        Plain("id", "text"),
        Plain("organization", "int4"),
        Plain("account", "int8"),
        Plain("role", "text"),
        Plain("label", "text"),
        Plain("issued_at", "timestamptz"),
        Plain("expires_at", "timestamptz"),
        Plain("revoked_at", "timestamptz"),
    ],
};

pub(crate) const CREDENTIAL_CHANGES: [&str; 1] = ["revoked_at"];

pub(crate) const BALANCE: Table = Table {
    name: "balance",
    columns: &[
        Key("balance", "int8"),
        Plain("account", "int8"),
        Plain("currency", "text"),
        Plain("entries", "int8"),
        Money("carried"),
        Money("funded"),
        Money("used"),
        Money("held"),
        Money("granted"),
        Money("received"),
        Money("given"),
        Money("usage"),
    ],
};

pub(crate) const ENTRY: Table = Table {
    name: "entry",
    columns: &[
        Key("balance", "int8"),
        Key("number", "int8"),
        Plain("at", "timestamptz"),
        Plain("kind", "text"),
        // Whose usage or money it is; the balance may be its payer's.
        Plain("account", "int8"),
        // What it changed of the posted balance.
        Money("amount"),
        Money("posted"),
        Money("held"),
        Money("credit"),
        Plain("product", "int8"),
        Plain("used_by", "int8"),
        Money("quantity"),
        Plain("reference", "text"),
        Plain("credential", "int8"),
    ],
};

pub(crate) const DAILY_USAGE: Table = Table {
    name: "daily_usage",
    columns: &[
        // In the organization's time zone.
        Key("day", "date"),
        Key("account", "int8"),
        Key("currency", "text"),
        Key("product", "int8"),
        Key("credential", "int8"),
        Plain("calls", "int8"),
        Money("quantity"),
        Money("cost"),
        Money("refunded"),
    ],
};

const TABLES: [&Table; 8] =
    [&ORGANIZATION, &NAME, &ACCOUNT, &HANDLE, &CREDENTIAL, &BALANCE, &ENTRY, &DAILY_USAGE];

const PROGRESS: &str = "CREATE TABLE reporting.progress (book int8 PRIMARY KEY, version int4 NOT NULL, \
    position int8 NOT NULL, chain bytea NOT NULL, at timestamptz)";

/// Makes what is not there.
pub(crate) async fn ensure(client: &mut Client) -> Result<(), ProjectionError> {
    let transaction = client.transaction().await?;
    let is_there = "SELECT 1 FROM information_schema.tables \
        WHERE table_schema = 'reporting' AND table_name = 'progress'";
    if transaction.query_opt(is_there, &[]).await?.is_none() {
        transaction.batch_execute("CREATE SCHEMA IF NOT EXISTS reporting").await?;
        for statement in statements() {
            transaction.batch_execute(&statement).await?;
        }
    }
    Ok(transaction.commit().await?)
}

pub(crate) async fn rebuild(client: &mut Client) -> Result<(), ProjectionError> {
    let transaction = client.transaction().await?;
    for view in ["balances", "entries", "usage"] {
        transaction.batch_execute(&format!("DROP VIEW IF EXISTS reporting.{view}")).await?;
    }
    for table in TABLES.iter().map(|table| table.name).chain(["progress"]) {
        transaction.batch_execute(&format!("DROP TABLE IF EXISTS reporting.{table}")).await?;
    }
    transaction.commit().await?;
    ensure(client).await
}

fn statements() -> Vec<String> {
    let mut statements: Vec<_> = TABLES.iter().map(|table| table.create()).collect();
    statements.push("CREATE INDEX entry_by_account ON reporting.entry (account, at)".to_owned());
    statements.push("CREATE INDEX account_by_key ON reporting.account (api_key)".to_owned());
    statements.push(PROGRESS.to_owned());
    let numbers =
        |of: &str, names: &[&str]| names.iter().map(|name| number(of, name)).collect::<Vec<_>>().join(", ");
    let who = "o.name AS organization, a.id AS account_id, a.api_key, a.name AS account_name";
    let of_whom = |of: &str| {
        format!(
            "JOIN reporting.account a ON a.account = {of}.account \
             JOIN reporting.organization o ON o.organization = a.organization"
        )
    };
    statements.push(format!(
        "CREATE VIEW reporting.balances AS SELECT {who}, b.currency, b.entries, \
         {posted} AS posted, {}, {posted} + {granted} + {received} - {given} - {held} AS available \
         FROM reporting.balance b {}",
        numbers("b", &["carried", "funded", "used", "held", "granted", "received", "given", "usage"]),
        of_whom("b"),
        posted =
            format_args!("{} + {} - {}", plain("b", "carried"), plain("b", "funded"), plain("b", "used")),
        granted = plain("b", "granted"),
        received = plain("b", "received"),
        given = plain("b", "given"),
        held = plain("b", "held"),
    ));
    statements.push(format!(
        "CREATE VIEW reporting.entries AS SELECT e.at, e.kind, {who}, b.currency, {}, p.text AS product, \
         u.text AS used_by, {}, e.reference, c.label AS credential, e.balance, e.number \
         FROM reporting.entry e JOIN reporting.balance b ON b.balance = e.balance {} \
         LEFT JOIN reporting.name p ON p.name = e.product LEFT JOIN reporting.name u ON u.name = e.used_by \
         LEFT JOIN reporting.credential c ON c.credential = e.credential",
        numbers("e", &["amount", "posted", "held", "credit"]),
        numbers("e", &["quantity"]),
        of_whom("e"),
    ));
    statements.push(format!(
        "CREATE VIEW reporting.usage AS SELECT d.day, {who}, d.currency, p.text AS product, \
         c.label AS credential, c.id AS credential_id, d.calls, {} FROM reporting.daily_usage d {} \
         LEFT JOIN reporting.name p ON p.name = d.product \
         LEFT JOIN reporting.credential c ON c.credential = d.credential",
        numbers("d", &["quantity", "cost", "refunded"]),
        of_whom("d"),
    ));
    statements
}

fn plain(of: &str, name: &str) -> String {
    format!("({of}.{name}_units + {of}.{name}_nanos * 0.000000001)")
}
