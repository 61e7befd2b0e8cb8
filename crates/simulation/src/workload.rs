//! Random asks that reach every rule: few accounts, small amounts, many refusals.

use crate::Random;
use crate::model::{Amount, Ask, Cap, Excess, Lasts, Model, Moves, Rule, Way, Who};

const ACCOUNTS_MAX: u64 = 14;
const KEYS_MAX: usize = 8;
/// All there are.
pub(crate) const CURRENCIES: [&str; 2] = ["EUR", "USD"];
const UNIT: Amount = 1_000_000_000;

/// The next ask, given what is there.
pub fn next(random: &mut Random, model: &Model, now: i64) -> (Who, Ask) {
    let accounts = model.accounts.len() as u64;
    if accounts < 3 || (accounts < ACCOUNTS_MAX && random.one_in(25)) {
        return open(random, accounts);
    }
    let account = random.below(accounts) as usize;
    let who = match random.below(12) {
        _ if !model.keys.is_empty() && random.one_in(14) => {
            Who::Key(random.below(model.keys.len() as u64) as usize)
        }
        0 => Who::Buyer(random.below(accounts) as usize),
        1 | 2 => Who::Buyer(account),
        3 | 4 => Who::Buyer(model.accounts[account].parent.unwrap_or(account)),
        _ => Who::Seller,
    };
    let account = match who {
        // Elsewhere it may do nothing.
        Who::Key(key) if !random.one_in(6) => model.keys[key].account,
        _ => account,
    };
    let other = random.below(accounts) as usize;
    let currency = CURRENCIES[usize::from(random.one_in(12))];
    let amount = amount(random, model, account, currency);
    let ask = match random.below(52) {
        40 if model.keys.len() < KEYS_MAX => Ask::Issue { account, limits: caps(random) },
        40 | 41 | 44 => Ask::SetReload { account, currency, rule: rule(random, amount) },
        42 if !model.reloads.is_empty() => {
            let (account, currency) = ruled(random, model);
            Ask::StartReload { account, currency }
        }
        43 if model.reloads.values().any(|reload| reload.requested.is_some()) => {
            let (account, currency) = ruled(random, model);
            Ask::SettleReload { account, currency, approved: random.one_in(2) }
        }
        42 | 43 => Ask::TopUp { account, currency, amount },
        45 | 46 => Ask::SetSettings {
            account,
            url: random.one_in(2).then(|| random.one_in(2).then(|| random.below(100) as u32)),
            posts: random.one_in(2).then(|| random.one_in(2)),
            calls: random.one_in(2).then(|| random.below(100) as u32),
        },
        47 | 48 => Ask::Assign { account, number: number(random) },
        which @ 49..=51 => {
            let number = number(random);
            let owner = model.numbers.get(&number).copied().filter(|_| !random.one_in(4));
            let from = owner.unwrap_or(account);
            if which == 49 {
                Ask::Release { account: from, number }
            } else {
                Ask::MoveNumber { from, to: other, number }
            }
        }
        0 => Ask::Suspend { account, suspended: random.one_in(3) },
        1 => Ask::Suspend { account, suspended: false },
        2 => Ask::Share { account, shared: random.one_in(2) },
        3 => Ask::Freeze { account, frozen: random.one_in(8) },
        4 => Ask::Close { account, closed: random.one_in(12) },
        5 | 6 => Ask::SetCredit { account, currency, credit: amount },
        7..=9 => Ask::Allocate { child: account, currency, give: !random.one_in(3), amount },
        10..=12 => Ask::Transfer { from: account, to: other, currency, amount },
        13..=15 => Ask::TopUp { account, currency, amount },
        16 => Ask::Withdraw { account, currency, amount },
        17 => Ask::Adjust { account, currency, amount: amount - 5 * UNIT, used: random.one_in(2) },
        18 => Ask::UsageCredit { account, currency, amount },
        19..=26 => Ask::Charge { account, currency, amount, way: way(random) },
        27 | 28 if !model.charges.is_empty() => {
            let charge = random.below(model.charges.len() as u64) as usize;
            let left = model.charges[charge].amount - model.charges[charge].refunded;
            let amount = if random.one_in(2) { left } else { amount };
            Ask::Refund { charge, amount }
        }
        29..=39 if model.holds.len() < 3 && !random.one_in(8) => {
            Ask::Place { account, currency, amount, expires_at: expiry(random, now) }
        }
        29..=32 => Ask::Place { account, currency, amount, expires_at: expiry(random, now) },
        33 => Ask::Extend { hold: hold(random, model), expires_at: expiry(random, now) },
        34..=37 => {
            let hold = hold(random, model);
            let held = model.holds.get(&hold).map_or(amount, |hold| hold.amount);
            let amount = match random.below(4) {
                0 => held,
                1 => held / 2,
                2 => held + amount,
                _ => amount,
            };
            let excess = match random.below(3) {
                0 => Excess::Exact,
                1 => Excess::UpTo,
                _ => Excess::Admit(way(random)),
            };
            Ask::Capture { hold, amount, excess, keep_open: random.one_in(2) }
        }
        _ => Ask::Void { hold: hold(random, model) },
    };
    (who, ask)
}

/// One limit mostly, at times two that count the same money.
fn caps(random: &mut Random) -> Vec<Cap> {
    const MOVES: [Moves; 4] = [Moves::Charged, Moves::Transferred, Moves::Allocated, Moves::Paid];
    let caps = 1 + usize::from(random.one_in(3));
    (0..caps)
        .map(|_| {
            let moves: Vec<Moves> = MOVES.into_iter().filter(|_| !random.one_in(3)).collect();
            let lasts = match random.below(4) {
                0 => Lasts::Ever,
                1 => Lasts::Month,
                _ => Lasts::Day,
            };
            let moves = if moves.is_empty() { vec![Moves::Charged] } else { moves };
            Cap { moves, amount: 1 + random.below(400) as Amount * UNIT, lasts }
        })
        .collect()
}

fn open(random: &mut Random, accounts: u64) -> (Who, Ask) {
    let parent = if accounts == 0 || random.one_in(4) { None } else { Some(random.below(accounts) as usize) };
    let shared = parent.is_some() && random.one_in(2);
    let credit = if shared || random.one_in(3) { 0 } else { random.below(100) as Amount * UNIT };
    let who = match parent {
        Some(parent) if random.one_in(3) => Who::Buyer(parent),
        _ => Who::Seller,
    };
    (who, Ask::Open { parent, shared, credit, overruns: random.one_in(6) })
}

fn rule(random: &mut Random, amount: Amount) -> Rule {
    Rule {
        amount,
        on: !random.one_in(6),
        at_once: random.one_in(2),
        threshold: (!random.one_in(4)).then(|| random.below(40) as Amount * UNIT),
        count_max: random.one_in(3).then(|| 1 + random.below(4) as u32),
        amount_max: random.one_in(3).then(|| 1 + random.below(60) as Amount * UNIT),
    }
}

fn number(random: &mut Random) -> u64 {
    447_700_900_000 + random.below(12)
}

/// A balance with a reload rule.
fn ruled(random: &mut Random, model: &Model) -> (usize, &'static str) {
    let nth = random.below(model.reloads.len() as u64) as usize;
    model.reloads.keys().nth(nth).copied().expect("fewer than there are")
}

/// Mostly small, sometimes exactly what is left, or one nano more.
fn amount(random: &mut Random, model: &Model, account: usize, currency: &'static str) -> Amount {
    let payer = model.payer(account);
    let available = model.accounts[payer].sheets.get(currency).map_or(0, |sheet| sheet.available());
    match random.below(40) {
        0 => 0,
        1 => -UNIT,
        2..=4 => available,
        5..=7 => available + 1,
        8..=10 => 1,
        11..=18 => random.below(100) as Amount * UNIT,
        _ => random.below(20_000_000_000) as Amount,
    }
}

fn way(random: &mut Random) -> Way {
    match random.below(8) {
        0 | 1 => Way::Served,
        2 => Way::Forced,
        _ => Way::Strict,
    }
}

fn expiry(random: &mut Random, now: i64) -> i64 {
    const SECOND: i64 = 1_000_000;
    match random.below(12) {
        0 if random.one_in(4) => now,
        1 if random.one_in(4) => now + 31 * 24 * 3600 * SECOND,
        _ => now + (1 + random.below(48 * 3600) as i64) * SECOND,
    }
}

fn hold(random: &mut Random, model: &Model) -> u64 {
    let open = model.holds.len() as u64;
    if open == 0 || random.one_in(10) {
        return random.below(model.holds_placed + 1);
    }
    let nth = random.below(open) as usize;
    model.holds.keys().nth(nth).copied().unwrap_or_default()
}
