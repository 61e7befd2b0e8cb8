//! Results on standard output: for people as a table, for scripts as JSON.
//!
//! A result stays the text that the server sent, so an amount is never read as a number on its way.

use std::fmt;
use std::io::{self, Write};

use clap::Args;
use comfy_table::{Table, presets};
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
    /// Prints one result: as a table its members stand below each other.
    pub(crate) fn print_one(&self, record: &Record) -> Result<(), Failure> {
        print(&self.one(record))
    }

    /// Prints a list: as a table its columns are the members of the first.
    pub(crate) fn print_all(&self, records: &[Record]) -> Result<(), Failure> {
        if records.is_empty() { Ok(()) } else { print(&self.all(records)) }
    }

    fn one(&self, record: &Record) -> String {
        if self.json {
            return record.json();
        }
        let mut table = table();
        for (name, value) in &record.members {
            table.add_row([name.clone(), cell(value)]);
        }
        table.trim_fmt()
    }

    fn all(&self, records: &[Record]) -> String {
        if self.json {
            return records.iter().map(Record::json).collect::<Vec<_>>().join("\n");
        }
        let mut table = table();
        let names = records.first().map(|first| first.members.iter().map(|(name, _)| name.as_str()));
        let columns: Vec<&str> = names.into_iter().flatten().collect();
        table.set_header(columns.clone());
        for record in records {
            table.add_row(columns.iter().map(|column| record.get(column).map(cell).unwrap_or_default()));
        }
        table.trim_fmt()
    }
}

impl Record {
    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| value.as_ref())
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
