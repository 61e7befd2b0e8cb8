//! Measures every path that has a budget, beside its baseline in the same run.
//!
//! Each command prints its figure, its baseline and the ratio, as medians over rounds: machines are
//! noisy, ratios less so.

mod book;
mod nowhere;
mod rules;
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
    /// The rules alone, in memory, on one core (P1), and their growth with accounts (P15).
    Rules(rules::Arguments),
    /// The whole book: keys, rules, records and a journal, without HTTP.
    Book(book::Arguments),
}

fn main() {
    match Arguments::parse().command {
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Book(arguments) => book::run(&arguments),
    }
}
