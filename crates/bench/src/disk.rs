//! P11: what a charge costs on the device.

use engine::Options;

use crate::directory::Directory;
use crate::workload::Dice;

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    #[arg(long, default_value_t = 2_000_000)]
    charges: usize,
    #[arg(long, default_value_t = 512)]
    group: usize,
}

pub fn run(arguments: &Arguments) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let mut directory = Directory::open(place.path(), &Options::default());
    directory.prepare(arguments.accounts);
    let before = directory.written();
    let started = std::time::Instant::now();
    directory.charge(&mut Dice::new(3), arguments.accounts, arguments.charges, arguments.group);
    let seconds = started.elapsed().as_secs_f64();
    let after = directory.written();
    let per_charge = |after: u64, before: u64| (after - before) as f64 / arguments.charges as f64;
    println!(
        "disk: ring {:.0} B a charge in groups of {} (budget 200, moonshot 150; baseline 128-byte record), archive {:.0} B, snapshots {:.0} B",
        per_charge(after.append_bytes, before.append_bytes),
        arguments.group,
        per_charge(after.archive_bytes, before.archive_bytes),
        per_charge(after.snapshot_bytes, before.snapshot_bytes),
    );
    println!("disk: {:.2} M charges/s durable on one thread", arguments.charges as f64 / seconds / 1e6);
}
