//! So much money and no more, on the wire and in words.

use domain::Nanos;
use ledger::{Flow, Flows, Span};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::values::{Amount, Currency};

/// The most of what it counts. Whoever has limits moves money only as one of them says. What a hold or a refund
/// gives back frees nothing.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedLimit {
    /// Together: `charge` (charges, holds when they are placed, what a capture takes above its hold), `transfer`
    /// (money between accounts of a family), `allocate` (credit between a parent and its child, either way), `pay`
    /// (top-ups, reloads when they are paid, withdrawals), `correct` (refunds, usage credits, adjustments up or
    /// down), `credit` (credit limits, by as much as they are raised).
    counts: Vec<FlowName>,
    amount: Amount,
    /// The home currency when absent.
    currency: Option<Currency>,
    /// Days and months are those of UTC; `total` never begins anew.
    period: SpanName,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Limit {
    counts: Vec<FlowName>,
    amount: Amount,
    currency: Currency,
    period: SpanName,
    /// In this day or month, or ever.
    spent: Amount,
    left: Amount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Counted)]
enum FlowName {
    /// Charges, holds when they are placed, and what a capture takes above its hold.
    Charge,
    /// Money between the accounts of a family.
    Transfer,
    /// Credit between a parent and its child, either way.
    Allocate,
    /// Payments: top-ups, reloads when they are paid, withdrawals.
    Pay,
    /// Refunds, usage credits, and adjustments up or down.
    Correct,
    /// Credit limits, by as much as they are raised.
    Credit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LimitPeriod)]
enum SpanName {
    /// Of UTC.
    Day,
    /// Of UTC.
    Month,
    /// It never begins anew.
    Total,
}

impl FlowName {
    fn flow(self) -> Flow {
        match self {
            Self::Charge => Flow::Charge,
            Self::Transfer => Flow::Transfer,
            Self::Allocate => Flow::Allocate,
            Self::Pay => Flow::Pay,
            Self::Correct => Flow::Correct,
            Self::Credit => Flow::Credit,
        }
    }

    fn of(flow: Flow) -> Self {
        match flow {
            Flow::Charge => Self::Charge,
            Flow::Transfer => Self::Transfer,
            Flow::Allocate => Self::Allocate,
            Flow::Pay => Self::Pay,
            Flow::Correct => Self::Correct,
            Flow::Credit => Self::Credit,
        }
    }
}

impl SpanName {
    fn span(self) -> Span {
        match self {
            Self::Day => Span::Day,
            Self::Month => Span::Month,
            Self::Total => Span::Total,
        }
    }

    fn of(span: Span) -> Self {
        match span {
            Span::Day => Self::Day,
            Span::Month => Self::Month,
            Span::Total => Self::Total,
        }
    }
}

impl AskedLimit {
    pub(super) fn limit(&self, home: domain::Currency) -> Result<ledger::Limit, Problem> {
        let wrong = |what| Err(Problem::field("scope", what));
        if self.counts.is_empty() {
            return wrong("limits: counts: expected one at least");
        }
        let amount = self.amount.nanos();
        if !amount.is_positive() {
            return wrong("limits: the amount must be greater than zero");
        }
        let flows = Flows::of(self.counts.iter().map(|name| name.flow()));
        let currency = self.currency.map_or(home, |currency| currency.0);
        Ok(ledger::Limit { flows, currency, amount, span: self.period.span() })
    }

    pub(super) fn of(limit: &ledger::Limit) -> Self {
        Self {
            counts: limit.flows.iter().map(FlowName::of).collect(),
            amount: limit.amount.into(),
            currency: Some(Currency(limit.currency)),
            period: SpanName::of(limit.span),
        }
    }
}

impl Limit {
    pub(super) fn of(limit: &ledger::Limit, spent: Nanos) -> Self {
        let left = Nanos::new(limit.amount.get() - spent.get());
        Self {
            counts: limit.flows.iter().map(FlowName::of).collect(),
            amount: limit.amount.into(),
            currency: Currency(limit.currency),
            period: SpanName::of(limit.span),
            spent: spent.into(),
            left: left.into(),
        }
    }
}

/// `500 EUR of allocations, in total`
pub(crate) fn in_words(limit: &ledger::Limit) -> String {
    let flows: Vec<&str> = limit.flows.iter().map(word).collect();
    let span = match limit.span {
        Span::Day => "a day",
        Span::Month => "a month",
        Span::Total => "in total",
    };
    format!("{} {} of {}, {span}", limit.amount, limit.currency, flows.join(" and "))
}

fn word(flow: Flow) -> &'static str {
    match flow {
        Flow::Charge => "charges",
        Flow::Transfer => "transfers",
        Flow::Allocate => "allocations",
        Flow::Pay => "payments",
        Flow::Correct => "corrections",
        Flow::Credit => "raised credit limits",
    }
}
