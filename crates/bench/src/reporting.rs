//! How fast the tables for reports are made anew from a journal, beside rows that are merely copied into a table.

use std::time::Instant;

use engine::Options;
use journal_postgres::Url;
use postgres_server::{Durability, Server};
use projection::{Source, catch_up};
use tokio_postgres::NoTls;

use crate::directory::Directory;
use crate::workload::{Dice, median};

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    #[arg(long, default_value_t = 200_000)]
    charges: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub fn run(arguments: &Arguments) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let mut directory = Directory::open(place.path(), &Options::default());
    directory.prepare(arguments.accounts);
    directory.charge(&mut Dice::new(5), arguments.accounts, arguments.charges, 512);
    let server = Server::start(Durability::Synced, &[]);
    let runtime = tokio::runtime::Runtime::new().expect("threads start");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let database = server.database();
        let url = Url::parse(&database.url(), |_| None).expect("it is a URL");
        let (history, seals) = (directory.book.history(), directory.book.seals().clone());
        let source = Source { history, seals, book: 0 };
        let started = Instant::now();
        catch_up(url, source, runtime.handle().clone()).expect("the database is there");
        let seconds = started.elapsed().as_secs_f64();
        let entries: f64 = database.value("SELECT count(*) FROM reporting.entry").parse().expect("a count");
        ours.push(entries / seconds);
        theirs.push(runtime.block_on(copied(&database.url(), arguments.charges)));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "reporting: {:.0} k entries/s with accounts, balances and days; rows of one plain table inserted in sets: \
         {:.0} k/s; ratio {:.2} (median of {}, {} charges, {} accounts)",
        ours / 1e3,
        theirs / 1e3,
        ours / theirs,
        arguments.rounds,
        arguments.charges,
        arguments.accounts
    );
}

/// Rows of the width of an entry, ten thousand a transaction, into a table with one index.
async fn copied(url: &str, rows: usize) -> f64 {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the database is there");
    tokio::spawn(connection);
    let table = "CREATE TABLE plain (id uuid PRIMARY KEY, account int8 NOT NULL, units int8 NOT NULL, \
                 nanos int4 NOT NULL, at timestamptz NOT NULL DEFAULT now(), word text NOT NULL)";
    client.batch_execute(table).await.expect("a table is made");
    let insert = "INSERT INTO plain (id, account, units, nanos, word) \
                  SELECT gen_random_uuid(), account, account, 0, 'charge' FROM unnest($1::int8[]) AS it (account)";
    let insert = client.prepare(insert).await.expect("it is SQL");
    let accounts: Vec<i64> = (0..10_000).collect();
    let started = Instant::now();
    for _ in 0..rows.div_ceil(accounts.len()) {
        client.execute(&insert, &[&accounts]).await.expect("rows are inserted");
    }
    rows as f64 / started.elapsed().as_secs_f64()
}
