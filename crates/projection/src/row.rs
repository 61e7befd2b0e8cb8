//! Rows as one JSON array, written as text: the database reads them by their columns' names.

use std::fmt::Write;

use domain::{Nanos, Timestamp};
use ledger::Text;

/// Numbers in the tables count from one.
pub(crate) fn number(slot: usize) -> i64 {
    slot as i64 + 1
}

/// Where a key needs a value: none is zero.
pub(crate) fn number_or_zero(slot: Option<usize>) -> i64 {
    slot.map_or(0, number)
}

pub(crate) fn string(text: &Text) -> Option<String> {
    text.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(at.as_micros()).ok().filter(|_| at != Timestamp::NEVER)
}

#[derive(Default)]
pub(crate) struct Rows {
    json: String,
    count: usize,
}

pub(crate) struct Row<'a> {
    json: &'a mut String,
}

impl Rows {
    pub(crate) fn push(&mut self, fill: impl FnOnce(&mut Row<'_>)) {
        self.json.push(if self.count == 0 { '[' } else { ',' });
        self.json.push('{');
        let empty = self.json.len();
        fill(&mut Row { json: &mut self.json });
        debug_assert!(self.json.len() > empty, "a row has columns");
        self.json.pop();
        self.json.push('}');
        self.count += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// None, when there are no rows.
    pub(crate) fn into_json(mut self) -> Option<String> {
        self.json.push(']');
        (self.count > 0).then_some(self.json)
    }
}

impl Row<'_> {
    fn raw(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        write!(self.json, "\"{name}\":{value},").expect("a string takes everything");
        self
    }

    pub(crate) fn int(&mut self, name: &str, value: impl Into<Option<i64>>) -> &mut Self {
        match value.into() {
            Some(value) => self.raw(name, value),
            None => self,
        }
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name, value)
    }

    pub(crate) fn text<'t>(&mut self, name: &str, value: impl Into<Option<&'t str>>) -> &mut Self {
        match value.into() {
            // The database's texts cannot hold this one character.
            Some(value) => self.raw(name, serde_json::Value::from(value.replace('\0', "\u{fffd}"))),
            None => self,
        }
    }

    /// An instant that never comes is none.
    pub(crate) fn at(&mut self, name: &str, value: impl Into<Option<Timestamp>>) -> &mut Self {
        match value.into().and_then(instant) {
            Some(value) => self.raw(name, format_args!("\"{value}\"")),
            None => self,
        }
    }

    pub(crate) fn money(&mut self, name: &str, amount: Nanos) -> &mut Self {
        let (units, nanos) = amount.split().expect("amounts in the books are in range");
        self.raw(&format!("{name}_units"), units).raw(&format!("{name}_nanos"), nanos)
    }
}
