//! Measures every path that has a budget, beside its baseline in the same run.
//!
//! Each command prints its figure, its baseline and the ratio, as medians over rounds: machines are
//! noisy, ratios less so.

mod book;
mod directory;
mod disk;
mod growth;
mod history;
mod http;
mod memory;
mod nowhere;
mod reporting;
mod restart;
mod rules;
mod takeover;
mod workload;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "bench", about = "Measures the paths that have a budget")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The rules alone, in memory, on one core (P1).
    Rules(rules::Arguments),
    /// The whole book: keys, rules and records, without journal and HTTP.
    Book(book::Arguments),
    /// Device bytes a charge (P11), and a durable book on one thread.
    Disk(disk::Arguments),
    /// From a kill to the first charge (P12).
    Restart(restart::Arguments),
    /// From taking the lead of a book in a database to the first charge, with and without having followed it.
    Takeover(takeover::Arguments),
    /// The last fifty entries of an account (P13).
    History(history::Arguments),
    /// Resident memory (P14).
    Memory(memory::Arguments),
    /// Batches of a thousand over HTTP (P2; P4 with `--accounts 1000000`; P8 with `--hot-children 5000`).
    Batch(http::BatchArguments),
    /// One charge a request over 64 connections, beside a bare echo server (P5).
    Single(http::SingleArguments),
    /// A signed charge by the credential that signs it: the first, and those after it.
    Credentials(http::CredentialsArguments),
    /// One caller (P6), and an open loop (P7).
    Latency(http::LatencyArguments),
    /// A steady load with and without a large usage report running.
    Reports(http::ReportsArguments),
    /// Over a journal in PostgreSQL: batches beside set-based SQL (P9), single charges beside a
    /// transaction each (P10).
    Postgres(http::PostgresArguments),
    /// One, two and three nodes on one database, and what forwarding costs.
    Nodes(http::NodesArguments),
    /// The tables for reports, made anew from a journal.
    Reporting(reporting::Arguments),
    /// The bare echo server of `single`.
    #[command(hide = true)]
    Echo,
    /// Cost a charge as accounts and entries grow (P15).
    Growth(growth::Arguments),
}

fn main() {
    match Arguments::parse().command {
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Book(arguments) => book::run(&arguments),
        Command::Disk(arguments) => disk::run(&arguments),
        Command::Restart(arguments) => restart::run(&arguments),
        Command::Takeover(arguments) => takeover::run(&arguments),
        Command::History(arguments) => history::run(&arguments),
        Command::Memory(arguments) => memory::run(&arguments),
        Command::Batch(arguments) => http::batch(&arguments),
        Command::Single(arguments) => http::single(&arguments),
        Command::Credentials(arguments) => http::credentials(&arguments),
        Command::Latency(arguments) => http::latency(&arguments),
        Command::Reports(arguments) => http::reports(&arguments),
        Command::Postgres(arguments) => http::postgres(&arguments),
        Command::Nodes(arguments) => http::nodes(&arguments),
        Command::Reporting(arguments) => reporting::run(&arguments),
        Command::Echo => http::echo(),
        Command::Growth(arguments) => growth::run(&arguments),
    }
}
