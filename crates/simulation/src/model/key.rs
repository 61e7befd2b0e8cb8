//! Credentials with limits, and what they let through.

use jiff::tz::TimeZone;

use super::{Amount, Ask, Model, No, Who};

/// A credential that has limits, in EUR; all it ever moved is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub account: usize,
    pub limits: Vec<Cap>,
    pub moved: Vec<(i64, Moves, Amount)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    pub moves: Vec<Moves>,
    pub amount: Amount,
    pub lasts: Lasts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    Day,
    Month,
    Ever,
}

/// How money moves by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    Charged,
    Transferred,
    Allocated,
    Paid,
}

impl Lasts {
    /// Whether both moments are in one span, by the calendar of UTC.
    fn is_same(self, then: i64, now: i64) -> bool {
        let date = |micros| {
            let instant = jiff::Timestamp::from_microsecond(micros).expect("lives end long before time does");
            instant.to_zoned(TimeZone::UTC).date()
        };
        let (then, now) = (date(then), date(now));
        match self {
            Self::Day => then == now,
            Self::Month => then.first_of_month() == now.first_of_month(),
            Self::Ever => true,
        }
    }
}

impl Model {
    /// As its account could, and then counted.
    pub(super) fn ask_by_key(&mut self, key: usize, ask: &Ask, now: i64, period: u32) -> Result<(), No> {
        let who = Who::Buyer(self.keys[key].account);
        if matches!(ask, Ask::Issue { .. }) {
            return Err(No::OutOfScope);
        }
        let merges = matches!(*ask, Ask::Share { account, shared: true } if self.accounts[account].own);
        self.ask_unscoped(who, ask, now, period)?;
        // What is made so could spend past every limit.
        if merges || matches!(ask, Ask::Open { shared: true, .. } | Ask::Open { overruns: true, .. }) {
            return Err(No::OutOfScope);
        }
        let Some((moves, currency, need)) = self.moved.take() else { return Ok(()) };
        let key = &mut self.keys[key];
        let limits: Vec<&Cap> = key.limits.iter().filter(|limit| limit.moves.contains(&moves)).collect();
        if limits.is_empty() || currency != "EUR" {
            return Err(No::OutOfScope);
        }
        for limit in limits {
            let counts = |(then, moved, _): &&(i64, Moves, Amount)| {
                limit.moves.contains(moved) && limit.lasts.is_same(*then, now)
            };
            let before: Amount = key.moved.iter().filter(counts).map(|(.., amount)| amount).sum();
            if need > 0 && before + need > limit.amount {
                return Err(No::Scope { need, have: limit.amount - before });
            }
        }
        key.moved.push((now, moves, need));
        Ok(())
    }
}
