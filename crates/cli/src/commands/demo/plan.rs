//! Who makes which call, what each was given, and what must come of it: worked out from the file alone,
//! before any server is asked.

use domain::Nanos;

use super::trace::{Trace, exact_product};

/// A subaccount of the family.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) terms: Terms,
    /// Of every hundred calls, how many are its own.
    share: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terms {
    /// Spends the partner's balance.
    Shared,
    /// Has credit of its own, allocated by the partner: less than it will ask for.
    OwnCredit,
    /// Has money of its own, paid in before: more than it will ask for.
    Prepaid,
    /// Spends the partner's balance until it is suspended half-way.
    Suspended,
}

pub(super) const MEMBERS: [Member; 6] = [
    Member { name: "aurora", terms: Terms::Shared, share: 28 },
    Member { name: "birch", terms: Terms::Shared, share: 22 },
    Member { name: "cedar", terms: Terms::Shared, share: 14 },
    Member { name: "dune", terms: Terms::OwnCredit, share: 14 },
    Member { name: "ember", terms: Terms::Prepaid, share: 12 },
    Member { name: "flint", terms: Terms::Suspended, share: 10 },
];

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Charged(Nanos),
    InsufficientFunds,
    Suspended,
}

/// What became of one member's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) calls: usize,
    pub(super) charged: Nanos,
    pub(super) charged_calls: usize,
    pub(super) short_calls: usize,
    pub(super) suspended_calls: usize,
    /// What the refused calls would have cost.
    pub(super) refused: Nanos,
}

pub(super) struct Plan<'a> {
    pub(super) trace: &'a Trace,
    /// The partner's credit limit, set by the seller: for the pool, and to allocate from.
    pub(super) granted: Nanos,
    pub(super) allocated: Nanos,
    pub(super) prepaid: Nanos,
    /// The call before which the member that is suspended is suspended.
    pub(super) suspended_before: Option<usize>,
    /// Whose call it is, and what must become of it.
    pub(super) calls: Vec<(usize, Verdict)>,
}

impl<'a> Plan<'a> {
    /// For the first `count` calls of the trace.
    pub(super) fn new(trace: &'a Trace, count: usize, seed: u64) -> Self {
        let members: Vec<usize> = (0..count as u64).map(|call| member(seed, call)).collect();
        let cost = |is: fn(Terms) -> bool| {
            let calls = trace.calls.iter().zip(&members);
            calls.filter(|(_, member)| is(MEMBERS[**member].terms)).map(|(call, _)| call.cost).sum::<Nanos>()
        };
        let allocated = share_of(cost(|terms| terms == Terms::OwnCredit), 60);
        let prepaid = share_of(cost(|terms| terms == Terms::Prepaid), 120);
        let pool = share_of(cost(|terms| matches!(terms, Terms::Shared | Terms::Suspended)), 125);
        let suspending: Vec<usize> =
            (0..count).filter(|call| MEMBERS[members[*call]].terms == Terms::Suspended).collect();
        let mut plan = Self {
            trace,
            granted: Nanos::new(pool.get() + allocated.get()),
            allocated,
            prepaid,
            suspended_before: suspending.get(suspending.len() / 2).copied(),
            calls: Vec::with_capacity(count),
        };
        plan.judge(&members);
        plan
    }

    pub(super) fn cost(&self, call: usize) -> Nanos {
        self.trace.calls[call].cost
    }

    /// Whether it matters in which order this member's calls are made.
    pub(super) fn is_ordered(member: usize) -> bool {
        MEMBERS[member].terms != Terms::Shared
    }

    /// What must come of it, by member.
    pub(super) fn expected(&self) -> Vec<Tally> {
        self.tally(self.calls.iter().map(|(_, verdict)| *verdict))
    }

    /// One verdict for each call, in their order.
    pub(super) fn tally(&self, verdicts: impl Iterator<Item = Verdict>) -> Vec<Tally> {
        let mut tallies = vec![Tally::default(); MEMBERS.len()];
        for ((call, (member, _)), verdict) in self.calls.iter().enumerate().zip(verdicts) {
            tallies[*member].count(verdict, self.cost(call));
        }
        tallies
    }

    /// What the charged calls come to the other way round: all their quantities first, then the prices.
    pub(super) fn charged_by_quantities(&self) -> Option<Nanos> {
        let mut sums = vec![Nanos::ZERO; self.trace.prices.len()];
        for (call, (_, verdict)) in self.calls.iter().enumerate() {
            if let Verdict::Charged(_) = verdict {
                let quantities = self.trace.quantities(&self.trace.calls[call]);
                for (sum, quantity) in sums.iter_mut().zip(quantities) {
                    *sum = sum.checked_add(*quantity)?;
                }
            }
        }
        let parts = sums.iter().zip(&self.trace.prices).map(|(sum, price)| exact_product(*sum, price.amount));
        parts.sum()
    }

    /// The rules of the demo, call by call. The pool is never exhausted, so the order among those who
    /// share it does not matter.
    fn judge(&mut self, members: &[usize]) {
        let mut own_credit = self.allocated;
        let mut prepaid = self.prepaid;
        for (call, member) in members.iter().enumerate() {
            let cost = self.cost(call);
            let verdict = match MEMBERS[*member].terms {
                Terms::Shared => Verdict::Charged(cost),
                Terms::OwnCredit => spend(&mut own_credit, cost),
                Terms::Prepaid => spend(&mut prepaid, cost),
                Terms::Suspended if self.suspended_before.is_some_and(|first| call >= first) => {
                    Verdict::Suspended
                }
                Terms::Suspended => Verdict::Charged(cost),
            };
            self.calls.push((*member, verdict));
        }
    }
}

impl Tally {
    fn count(&mut self, verdict: Verdict, cost: Nanos) {
        self.calls += 1;
        match verdict {
            Verdict::Charged(amount) => {
                self.charged = plus(self.charged, amount);
                self.charged_calls += 1;
                return;
            }
            Verdict::InsufficientFunds => self.short_calls += 1,
            Verdict::Suspended => self.suspended_calls += 1,
        }
        self.refused = plus(self.refused, cost);
    }

    /// Of all members together.
    pub(super) fn total(tallies: &[Self]) -> Self {
        tallies.iter().fold(Self::default(), |total, one| Self {
            calls: total.calls + one.calls,
            charged: plus(total.charged, one.charged),
            charged_calls: total.charged_calls + one.charged_calls,
            short_calls: total.short_calls + one.short_calls,
            suspended_calls: total.suspended_calls + one.suspended_calls,
            refused: plus(total.refused, one.refused),
        })
    }
}

pub(super) fn plus(sum: Nanos, amount: Nanos) -> Nanos {
    [sum, amount].into_iter().sum()
}

fn spend(available: &mut Nanos, cost: Nanos) -> Verdict {
    match available.checked_sub(cost) {
        Some(left) if !left.is_negative() => {
            *available = left;
            Verdict::Charged(cost)
        }
        _ => Verdict::InsufficientFunds,
    }
}

/// The same for the same seed, on every machine.
fn member(seed: u64, call: u64) -> usize {
    let all: u64 = MEMBERS.iter().map(|member| member.share).sum();
    let mut drawn = mixed(seed ^ mixed(call)) % all;
    for (index, member) in MEMBERS.iter().enumerate() {
        match drawn.checked_sub(member.share) {
            Some(rest) => drawn = rest,
            None => return index,
        }
    }
    0
}

/// The finalizer of SplitMix64.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// So many percent of an amount, rounded up to two digits as a person would choose it.
fn share_of(amount: Nanos, percent: i128) -> Nanos {
    const LEAST: i128 = 1_000_000;
    let exact = (amount.get() * percent / 100).max(LEAST);
    let mut step = 1;
    while exact / step >= 100 {
        step *= 10;
    }
    Nanos::new((exact + step - 1) / step * step)
}

#[cfg(test)]
mod tests;
