//! P14: resident memory with many accounts and many remembered keys.

use engine::Options;

use crate::directory::Directory;
use crate::workload::Dice;

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 1_000_000)]
    accounts: usize,
    #[arg(long, default_value_t = 4_000_000)]
    keys: usize,
}

pub fn run(arguments: &Arguments) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let mut directory = Directory::open(place.path(), &Options::default());
    directory.prepare(arguments.accounts);
    let accounts = resident_mib();
    directory.charge(&mut Dice::new(6), arguments.accounts, arguments.keys, 1000);
    println!(
        "memory: {:.0} MiB resident with {} accounts and {} remembered keys, of which accounts {:.0} (budget 1024, moonshot 700; TigerBeetle 3072)",
        resident_mib(),
        arguments.accounts,
        arguments.keys,
        accounts
    );
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
