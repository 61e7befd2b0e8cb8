//! The long runs: as many seeds as there is time for. A failing seed is printed and replays exactly.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use simulation::{life, nodes, rules};

#[derive(Parser)]
#[command(name = "simulation", about = "Random lives against a model, from seeds")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Random commands on the bare ledger, 2,500 a seed.
    Rules(Seeds),
    /// Ledger, engine and journal over a disk and a clock that fail, 120 rounds a seed.
    Lives(Seeds),
    /// Several nodes over one database and network that fail, about six seconds of trouble a seed.
    Nodes(Seeds),
}

#[derive(Args)]
struct Seeds {
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed: a seed that failed is run again by `--from SEED --seeds 1`.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// Runs one seed.
type Run = fn(u64) -> Result<(), String>;

fn main() -> ExitCode {
    let (seeds, run): (Seeds, Run) = match Arguments::parse().command {
        Command::Rules(seeds) => (seeds, |seed| rules::run(seed, 2_500).map(drop)),
        Command::Lives(seeds) => (seeds, |seed| life::run(seed, 120).map(drop)),
        Command::Nodes(seeds) => (seeds, |seed| nodes::run(seed).map(drop)),
    };
    match run_all(&seeds, run) {
        None => {
            println!("{} seeds from {}: everything as it must be", seeds.seeds, seeds.from);
            ExitCode::SUCCESS
        }
        Some(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// The first failure met.
fn run_all(seeds: &Seeds, run: Run) -> Option<String> {
    let bar = ProgressBar::new(seeds.seeds);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    let done = simulation::run_all(seeds.from..seeds.from + seeds.seeds, |seed| {
        run(seed)?;
        bar.inc(1);
        Ok(())
    });
    bar.finish_and_clear();
    done.err()
}
