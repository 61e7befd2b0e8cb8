//! Results on standard output: for people as a table, for scripts as JSON.
//!
//! A result stays the text that the server sent, so an amount is never read as a number on its way.

use std::fmt;
use std::io::{self, Write};

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::failure::Failure;

/// How to print.
#[derive(Debug, Args)]
pub(crate) struct Format {
    /// Print JSON: one object, or one per line.
    #[arg(long)]
    json: bool,
}

/// One JSON object: its members in their order, as they were sent.
pub(crate) struct Record {
    members: Vec<(String, Box<RawValue>)>,
}

impl Format {
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints one result: as a table its members stand below each other.
    pub(crate) fn print_one(&self, record: &Record) -> Result<(), Failure> {
        print(&self.one(record))
    }

    /// Prints a list: as a table it has these columns, `a.b` being a member of a member.
    pub(crate) fn print_all(&self, records: &[Record], columns: &[&str]) -> Result<(), Failure> {
        if records.is_empty() { Ok(()) } else { print(&self.all(records, columns)) }
    }

    fn one(&self, record: &Record) -> String {
        if self.json {
            return record.json();
        }
        let mut table = table();
        for (name, value) in record.flat() {
            table.add_row([name, value]);
        }
        trimmed(&table)
    }

    fn all(&self, records: &[Record], columns: &[&str]) -> String {
        if self.json {
            return records.iter().map(Record::json).collect::<Vec<_>>().join("\n");
        }
        let mut table = table();
        table.set_header(columns.iter().map(|column| column.rsplit('.').next().unwrap_or(column)));
        for record in records {
            let flat = record.flat();
            let cell =
                |column: &&str| flat.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone());
            table.add_row(columns.iter().map(|column| cell(column).unwrap_or_default()));
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            if columns.get(index).is_some_and(|name| AMOUNTS.contains(name)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        trimmed(&table)
    }
}

/// Columns of numbers.
const AMOUNTS: [&str; 3] = ["amount", "balance.posted", "balance.available"];

impl Record {
    /// What a structure says of itself.
    pub(crate) fn of(value: &impl Serialize) -> Result<Self, Failure> {
        let text = serde_json::to_string(value).map_err(Failure::fault("cannot write a result"))?;
        serde_json::from_str(&text).map_err(Failure::fault("cannot write a result"))
    }

    /// A member that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|value| serde_json::from_str(value.get()).ok())
    }

    /// The same with a member read as something else and told as `told`, one member each.
    pub(crate) fn retold<T: serde::de::DeserializeOwned>(
        mut self,
        name: &str,
        told: impl FnOnce(T) -> Vec<(&'static str, String)>,
    ) -> Result<Self, Failure> {
        let Some(place) = self.members.iter().position(|(member, _)| member == name) else { return Ok(self) };
        let (_, value) = self.members.remove(place);
        let unexpected = || Failure::fault("the answer is not what was expected");
        for (name, text) in told(serde_json::from_str(value.get()).map_err(unexpected())?) {
            let value = serde_json::value::to_raw_value(&text).map_err(unexpected())?;
            self.members.push((name.to_owned(), value));
        }
        Ok(self)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| value.as_ref())
    }

    /// Names and cells; what is an object itself is spread out.
    fn flat(&self) -> Vec<(String, String)> {
        let mut cells = Vec::with_capacity(self.members.len());
        for (name, value) in &self.members {
            match serde_json::from_str::<Self>(value.get()) {
                Ok(inner) => {
                    cells.extend(
                        inner.flat().into_iter().map(|(inner, cell)| (format!("{name}.{inner}"), cell)),
                    );
                }
                Err(_) => cells.push((name.clone(), cell(value))),
            }
        }
        cells
    }

    fn json(&self) -> String {
        let member = |(name, value): &(String, Box<RawValue>)| {
            format!("{}:{value}", serde_json::Value::from(name.as_str()))
        };
        format!("{{{}}}", self.members.iter().map(member).collect::<Vec<_>>().join(","))
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Without the blanks at the ends of lines that alignment leaves.
fn trimmed(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Text without its quotes, nothing for null, and JSON for the rest.
fn cell(value: &RawValue) -> String {
    match serde_json::from_str::<Option<String>>(value.get()) {
        Ok(text) => text.unwrap_or_default(),
        Err(_) => value.get().to_owned(),
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::fault("cannot print"))
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Record;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Record { members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests;
