//! Lines of a report, as JSON and as CSV.

use domain::Currency;
use jiff::civil::Date;
use ledger::{AccountIndex, CredentialIndex, NameIndex};
use serde::Serialize;
use utoipa::ToSchema;

use super::gather::Sum;
use crate::csv;
use crate::values::Amount;

/// What a line of a report is about: what is not asked for is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) day: Option<Date>,
    pub(super) account: Option<AccountIndex>,
    pub(super) currency: Currency,
    pub(super) product: Option<NameIndex>,
    pub(super) credential: Option<CredentialIndex>,
}

/// A line of a report: only what was asked for with `by` is there.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageRow)]
pub(crate) struct Row {
    /// In the time zone of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date")]
    pub(super) day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_name: Option<String>,
    pub(super) currency: String,
    /// Absent, too, where charges named none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) product: Option<String>,
    /// The id of the credential that charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credential: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credential_label: Option<String>,
    /// Charges, and captures of holds.
    pub(super) calls: u64,
    pub(super) quantity: Amount,
    pub(super) cost: Amount,
    /// What was given back that day of charges of whatever day.
    pub(super) refunded: Amount,
    /// Charges, holds and captures that the rules refused, as far as the server has counted since it was
    /// started: see `refusals_counted_since`.
    pub(super) refused: u64,
}

impl Row {
    /// One that tells nothing apart but currencies.
    pub(super) fn new(currency: Currency, sum: &Sum) -> Self {
        Self {
            day: None,
            account: None,
            account_name: None,
            currency: currency.to_string(),
            product: None,
            credential: None,
            credential_label: None,
            calls: sum.calls,
            quantity: sum.quantity.into(),
            cost: sum.cost.into(),
            refunded: sum.refunded.into(),
            refused: sum.refused,
        }
    }
}

pub(super) const CSV_HEAD: &str = "day,account,account_name,currency,product,credential,credential_label,\
    calls,quantity,cost,refunded,refused\r\n";

impl Row {
    /// In quotes only where it needs them.
    pub(super) fn csv(&self, into: &mut Vec<u8>) {
        let texts = [&self.day, &self.account, &self.account_name];
        for text in texts {
            field(into, text.as_deref());
        }
        field(into, Some(&self.currency));
        for text in [&self.product, &self.credential, &self.credential_label] {
            field(into, text.as_deref());
        }
        let numbers =
            [self.quantity, self.cost, self.refunded].map(|amount| amount.nanos().shortest().to_string());
        let line = format!("{},{},{}\r\n", self.calls, numbers.join(","), self.refused);
        into.extend_from_slice(line.as_bytes());
    }
}

fn field(into: &mut Vec<u8>, text: Option<&str>) {
    let text = text.unwrap_or_default();
    if csv::is_formula(text) || text.contains([',', '"', '\n', '\r']) {
        into.extend_from_slice(csv::quoted(text).as_bytes());
    } else {
        into.extend_from_slice(text.as_bytes());
    }
    into.push(b',');
}
