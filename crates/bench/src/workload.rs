//! What is measured: charges as they are in production, with keys, quantities, products and credit limits.

use domain::{Currency, Nanos, Timestamp};
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, Funding, NameIndex, NewAccount,
    OrganizationIndex, Usage,
};

/// A small fast generator: the same numbers in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

pub fn start() -> Timestamp {
    Timestamp::from_secs(1_795_000_000)
}

pub fn found() -> Act {
    engine::found("bench", "UTC", Currency::EUR, start()).expect("UTC is a time zone")
}

pub fn product() -> Act {
    Act::InternName { organization: OrganizationIndex::new(0), family: None, digest: 1, text: None }
}

pub fn open_account() -> Act {
    Act::OpenAccount(Box::new(NewAccount {
        organization: OrganizationIndex::new(0),
        parent: None,
        currency: Currency::EUR,
        funding: Funding::Own,
        managed: true,
        may_open_children: true,
        allows_overruns: false,
        name: None,
        credit: Nanos::from_units(1_000_000_000),
        credential: None,
    }))
}

pub fn charge(dice: &mut Dice, accounts: usize) -> Command {
    let usage = Usage {
        product: Some(NameIndex::new(0)),
        used_by: None,
        quantity: Some(Nanos::from_units(1 + dice.below(8000) as i64)),
        reference: None,
    };
    let act = Act::Charge {
        account: AccountIndex::new(dice.below(accounts)),
        currency: None,
        amount: Nanos::new(1_000 * (1 + dice.below(5_000_000) as i128)),
        kind: ChargeKind::Metered,
        admission: Admission::Strict,
        usage,
    };
    Command { actor: Actor::System, act }
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Time this thread has spent on a processor: what a busy machine cannot blur.
pub fn processor_seconds() -> f64 {
    let nanos = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = nanos.and_then(|text| text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()));
    nanos.unwrap_or(0.0) / 1e9
}
