//! P15: what a charge costs as accounts and entries grow, against itself.

use crate::rules;

#[derive(clap::Args)]
pub struct Arguments {
    /// The largest number of accounts.
    #[arg(long, default_value_t = 10_000_000)]
    accounts_max: usize,
    /// The most charges on one book: history makes no charge dearer.
    #[arg(long, default_value_t = 100_000_000)]
    entries_max: usize,
}

pub fn run(arguments: &Arguments) {
    let mut first = None;
    let mut accounts = 100;
    while accounts <= arguments.accounts_max {
        let nanos = 1e9 / rules::measure(accounts, 2_000_000, 3);
        let baseline = *first.get_or_insert(nanos);
        println!(
            "growth: {accounts:>9} accounts: {nanos:.0} ns a charge, {:.2} × (budget 2.5)",
            nanos / baseline
        );
        accounts *= 10;
    }
    let mut world = rules::World::with_accounts(10_000);
    let mut first = None;
    let mut entries = 1_000_000;
    let mut done = 0;
    while entries <= arguments.entries_max {
        world.charge(entries - done);
        done = entries;
        let nanos = 1e9 / world.rate(2_000_000);
        done += 2_000_000;
        let baseline = *first.get_or_insert(nanos);
        println!(
            "growth: {entries:>9} entries: {nanos:.0} ns a charge, {:.2} × (budget 2.5)",
            nanos / baseline
        );
        entries *= 10;
    }
}
