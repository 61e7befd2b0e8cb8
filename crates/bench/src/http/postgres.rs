//! P9, P10: the server over a journal in PostgreSQL, beside what a good team writes in SQL on the same
//! database server, in turns.

use postgres_server::{Durability, Server as Postgres};

use super::server::Server;
use super::{batch, single, sql};
use crate::workload::median;

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Charges a side and round, in batches.
    #[arg(long, default_value_t = 200_000)]
    charges: usize,
    #[arg(long, default_value_t = 1000)]
    batch: usize,
    /// Connections that send batches to the server.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Connections that send batches to the database.
    #[arg(long, default_value_t = 2)]
    sql_connections: usize,
    /// Connections that send single charges to the server.
    #[arg(long, default_value_t = 64)]
    single_connections: usize,
    /// Clients with a transaction a charge.
    #[arg(long, default_value_t = 16)]
    sql_clients: usize,
    /// Seconds a side and round, of single charges.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

pub fn run(arguments: &Arguments) {
    let postgres = Postgres::start(Durability::Synced, &["max_wal_size=4GB"]);
    let (ours, theirs) = (postgres.database(), postgres.database());
    let server = Server::start_with(&["--journal", &ours.url()]);
    let accounts = server.open_accounts(arguments.accounts);
    let baseline = sql::Baseline::prepare(&theirs, arguments.accounts);
    batches(arguments, &server, &accounts, &baseline);
    singles(arguments, &server, &accounts, &baseline);
}

fn batches(arguments: &Arguments, server: &Server, accounts: &[String], baseline: &sql::Baseline) {
    let load = batch::Arguments {
        accounts: arguments.accounts,
        charges: arguments.charges,
        batch: arguments.batch,
        connections: arguments.connections,
        rounds: arguments.rounds,
        hot_children: 0,
    };
    let (mut rates, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let sql = baseline.batches(arguments.charges, arguments.batch, arguments.sql_connections, round);
        let rate = batch::load(&[server.address], accounts, &load, arguments.charges, round);
        bare.push(sql);
        rates.push(rate);
        ratios.push(rate / sql);
    }
    println!(
        "postgres: batches of {}: {:.0} charges/s, set-based SQL {:.0}: {:.2} × (budget 8, moonshot 20)",
        arguments.batch,
        median(rates),
        median(bare),
        median(ratios)
    );
}

fn singles(arguments: &Arguments, server: &Server, accounts: &[String], baseline: &sql::Baseline) {
    let load = single::Arguments {
        connections: arguments.single_connections,
        accounts: arguments.accounts,
        seconds: arguments.seconds,
        rounds: arguments.rounds,
    };
    let (mut rates, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        let sql = baseline.singles(arguments.seconds, arguments.sql_clients, round);
        let rate = single::load(&[server.address], accounts, &load, round, 201);
        bare.push(sql);
        rates.push(rate);
        ratios.push(rate / sql);
    }
    println!(
        "postgres: single charges over {} connections: {:.0}/s, a transaction each with {} clients {:.0}: \
         {:.2} × (budget 1.5, moonshot 3)",
        arguments.single_connections,
        median(rates),
        arguments.sql_clients,
        median(bare),
        median(ratios)
    );
}
