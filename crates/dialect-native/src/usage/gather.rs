//! Sums of usage, from the walks of a few accounts or from the whole journal.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use domain::{Nanos, Timestamp};
use engine::{Head, History, HistoryError, UsageRecord, Zone};
use jiff::civil::Date;
use ledger::{AccountIndex, BalanceIndex, ChargeId, CredentialIndex, NameIndex};

/// The instants that a report covers, and the zone whose days they are.
#[derive(Clone)]
pub(super) struct Span {
    pub(super) zone: Zone,
    pub(super) from: Timestamp,
    /// Exclusive.
    pub(super) to: Timestamp,
}

/// Which usage is summed apart, before it is known what may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) day: Date,
    pub(super) account: AccountIndex,
    pub(super) payer: BalanceIndex,
    pub(super) product: Option<NameIndex>,
    pub(super) credential: Option<CredentialIndex>,
    /// To be found out: product and credential are those of the charge.
    pub(super) refund_of: Option<ChargeId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) calls: u64,
    pub(super) quantity: Nanos,
    pub(super) cost: Nanos,
    pub(super) refunded: Nanos,
    pub(super) refused: u64,
}

impl Sum {
    pub(super) fn add(&mut self, other: &Self) {
        let plus = |one: Nanos, two: Nanos| Nanos::new(one.get() + two.get());
        self.calls += other.calls;
        self.quantity = plus(self.quantity, other.quantity);
        self.cost = plus(self.cost, other.cost);
        self.refunded = plus(self.refunded, other.refunded);
        self.refused += other.refused;
    }
}

pub(super) type Sums = BTreeMap<Key, Sum>;

/// So many are summed apart before they are handed on.
const SUMS_MAX: usize = 200_000;

fn add(sums: &mut Sums, span: &Span, used: &UsageRecord) {
    let key = Key {
        day: span.zone.day(used.at),
        account: used.account,
        payer: used.payer,
        product: used.product,
        credential: used.credential,
        refund_of: used.refund_of,
    };
    let sum = Sum {
        calls: u64::from(used.refund_of.is_none()),
        quantity: used.quantity,
        cost: used.cost,
        refunded: used.refunded,
        refused: 0,
    };
    match sums.entry(key) {
        Place::Vacant(place) => _ = place.insert(sum),
        Place::Occupied(mut place) => place.get_mut().add(&sum),
    }
}

/// The usage of one account: its own entries, whoever paid.
pub(super) fn walk(
    history: &History,
    span: &Span,
    account: AccountIndex,
    head: &Head,
    sums: &mut Sums,
) -> Result<(), HistoryError> {
    let until = Timestamp::from_micros(span.to.as_micros().saturating_sub(1));
    for entry in history.entries_until(head, until)? {
        let entry = match entry {
            Err(HistoryError::Removed { until }) if until < span.from => break,
            entry => entry?,
        };
        if entry.time() < span.from {
            break;
        }
        if let Some(used) = entry.record.usage().filter(|used| used.account == account) {
            add(sums, span, &used);
        }
    }
    Ok(())
}

/// The usage of everybody, day after day: `hand_on` gets what has gathered, a day's at most, and whether
/// that is the end of the day.
pub(super) fn read_through<E: From<HistoryError>>(
    history: &History,
    span: &Span,
    mut hand_on: impl FnMut(Sums, bool) -> Result<(), E>,
) -> Result<(), E> {
    let (mut sums, mut day_ends) = (Sums::new(), span.from);
    let first = history.first_since(span.from)?;
    if first > history.reader().tail().position {
        return Ok(());
    }
    for passage in history.passages(first)? {
        let passage = passage?;
        if passage.time >= span.to {
            break;
        }
        let ends_day = passage.time >= day_ends;
        if ends_day || sums.len() >= SUMS_MAX {
            hand_on(std::mem::take(&mut sums), ends_day)?;
            let day = span.zone.day(passage.time);
            day_ends = day.tomorrow().map_or(Timestamp::NEVER, |next| span.zone.begin(next));
        }
        for used in passage.records.iter().filter_map(engine::Record::usage) {
            add(&mut sums, span, &used);
        }
    }
    hand_on(sums, true)
}
