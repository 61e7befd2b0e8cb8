//! Usage as it was recorded: a CSV file with a time and quantities, priced call by call.
//!
//! Every amount is exact: a quantity times a price with more than nine decimals is refused, not rounded.

use std::io::Read;
use std::time::Duration;

use csv::{ReaderBuilder, StringRecord, Trim};
use domain::Nanos;

use crate::failure::Failure;

/// What one unit of a column costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) column: String,
    pub(super) amount: Nanos,
}

/// One line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Since the first call.
    pub(super) offset: Duration,
    pub(super) cost: Nanos,
    /// Where its quantities begin.
    quantities: usize,
}

/// Calls in the order of their times.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) name: String,
    pub(super) prices: Vec<Price>,
    pub(super) calls: Vec<Call>,
    /// Lines in which nothing was used; they are left out.
    pub(super) idle: usize,
    /// One for each price, call by call.
    quantities: Vec<Nanos>,
}

/// More would not fit into memory comfortably.
const CALLS_MAX: usize = 10_000_000;

impl Price {
    /// Reads `COLUMN=PRICE`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (column, amount) = text.rsplit_once('=').ok_or("expected COLUMN=PRICE")?;
        let amount = Nanos::parse(amount).map_err(|error| error.to_string())?;
        if column.is_empty() {
            return Err("no column is named".to_owned());
        }
        if amount.is_negative() {
            return Err("a price is not negative".to_owned());
        }
        Ok(Self { column: column.to_owned(), amount })
    }
}

impl Trace {
    pub(super) fn read(
        name: &str,
        input: impl Read,
        time_column: &str,
        prices: Vec<Price>,
    ) -> Result<Self, Failure> {
        let wrong = |reason: String| Failure::Usage(format!("{name}: {reason}"));
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(input);
        let headers = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
        let time = Column::find(&headers, time_column).map_err(wrong)?;
        let columns = prices.iter().map(|price| Column::find(&headers, &price.column));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        let mut trace =
            Self { name: name.to_owned(), prices, calls: Vec::new(), idle: 0, quantities: Vec::new() };
        let mut instants = Vec::new();
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| wrong(error.to_string()))? {
            if trace.calls.len() == CALLS_MAX {
                return Err(wrong(format!("more than {CALLS_MAX} calls")));
            }
            let instant = time.read(&record, instant).map_err(wrong)?;
            if trace.push(&columns, &record).map_err(wrong)? {
                instants.push(instant);
            } else {
                trace.idle += 1;
            }
        }
        if trace.calls.is_empty() {
            return Err(wrong("there is no call in it".to_owned()));
        }
        trace.put_in_order(&instants);
        Ok(trace)
    }

    /// As many as there are prices.
    pub(super) fn quantities(&self, call: &Call) -> &[Nanos] {
        &self.quantities[call.quantities..call.quantities + self.prices.len()]
    }

    /// From the first call to the last.
    pub(super) fn duration(&self) -> Duration {
        self.calls.last().map_or(Duration::ZERO, |last| last.offset)
    }

    /// False where nothing was used.
    fn push(&mut self, columns: &[Column], record: &StringRecord) -> Result<bool, String> {
        let begin = self.quantities.len();
        let mut cost = Nanos::ZERO;
        for (column, price) in columns.iter().zip(&self.prices) {
            let quantity = column.read(record, quantity)?;
            let part = exact_product(quantity, price.amount).ok_or_else(|| {
                column.wrong(record, &format!("times {} is not an amount with nine decimals", price.amount))
            })?;
            cost = cost
                .checked_add(part)
                .filter(|cost| cost.in_range())
                .ok_or_else(|| column.wrong(record, "costs more than any account can hold"))?;
            self.quantities.push(quantity);
        }
        if self.quantities[begin..].iter().all(|quantity| quantity.is_zero()) {
            self.quantities.truncate(begin);
            return Ok(false);
        }
        self.calls.push(Call { offset: Duration::ZERO, cost, quantities: begin });
        Ok(true)
    }

    fn put_in_order(&mut self, instants: &[i128]) {
        let first = instants.iter().copied().min().unwrap_or_default();
        for (call, instant) in self.calls.iter_mut().zip(instants) {
            call.offset = Duration::from_nanos(u64::try_from(instant - first).unwrap_or(u64::MAX));
        }
        self.calls.sort_by_key(|call| call.offset);
    }
}

/// A column of the file, and where it stands in a line.
struct Column {
    name: String,
    index: usize,
}

impl Column {
    fn find(headers: &StringRecord, name: &str) -> Result<Self, String> {
        match headers.iter().position(|header| header == name) {
            Some(index) => Ok(Self { name: name.to_owned(), index }),
            None => {
                let names = headers.iter().collect::<Vec<_>>().join(", ");
                Err(format!("line 1: there is no column {name}; its columns are: {names}"))
            }
        }
    }

    fn read<T>(&self, record: &StringRecord, read: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
        let text = record.get(self.index).unwrap_or_default();
        read(text).map_err(|reason| self.wrong(record, &reason))
    }

    fn wrong(&self, record: &StringRecord, reason: &str) -> String {
        let line = record.position().map_or(0, csv::Position::line);
        let text = record.get(self.index).unwrap_or_default();
        format!("line {line}, column {}: {text:?} {reason}", self.name)
    }
}

fn quantity(text: &str) -> Result<Nanos, String> {
    let quantity = Nanos::parse(text).map_err(|error| format!("is no quantity: {error}"))?;
    if quantity.is_negative() { Err("is a negative quantity".to_owned()) } else { Ok(quantity) }
}

/// Nothing, where nine decimals are not enough.
pub(super) fn exact_product(quantity: Nanos, price: Nanos) -> Option<Nanos> {
    let product = quantity.get().checked_mul(price.get())?;
    let nanos_per_unit = Nanos::from_units(1).get();
    (product % nanos_per_unit == 0).then(|| Nanos::new(product / nanos_per_unit))
}

/// Nanoseconds since some beginning: RFC 3339, a date and time without a zone, or seconds as a number.
fn instant(text: &str) -> Result<i128, String> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(instant.as_nanosecond());
    }
    if let Ok(civil) = text.parse::<jiff::civil::DateTime>()
        && let Ok(zoned) = civil.to_zoned(jiff::tz::TimeZone::UTC)
    {
        return Ok(zoned.timestamp().as_nanosecond());
    }
    Nanos::parse(text).map(Nanos::get).map_err(|_| "is neither a date and time nor seconds".to_owned())
}

#[cfg(test)]
mod tests;
