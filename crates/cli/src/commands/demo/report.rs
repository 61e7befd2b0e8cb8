//! What the demo says, for people: within 80 columns, exact, aligned at the point.

use std::fmt::{self, Write};
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use domain::Nanos;
use serde::Serialize;

use super::check::Check;
use super::family::{Balance, Family};
use super::plan::{MEMBERS, Plan, Tally, Terms, Verdict};
use super::replay::{Replayed, Way};

/// A replay, and what was found of it.
pub(super) struct Pass<'a> {
    pub(super) way: Way,
    pub(super) plan: Plan<'a>,
    pub(super) replayed: Replayed,
    pub(super) family: Family,
    pub(super) partner: Balance,
    pub(super) members: Vec<Balance>,
    pub(super) checks: Vec<Check>,
}

impl Way {
    pub(super) fn text(self) -> String {
        match self {
            Self::Batches(size) => format!("batches of {size}"),
            Self::Singles => "single charges".to_owned(),
            Self::Paced(speed) => format!("at {speed} × its speed"),
        }
    }
}

/// How fast it went.
pub(super) fn speeds(passes: &[Pass<'_>]) -> String {
    let mut table = table(&["", "calls", "requests", "calls/s", "p50 ms", "p90 ms", "p99 ms", "max ms"], 1);
    for pass in passes {
        let replayed = &pass.replayed;
        let latency = |percentile| millis(replayed.latency.value_at_percentile(percentile));
        table.add_row([
            pass.way.text(),
            thousands(pass.plan.calls.len() as u128),
            thousands(replayed.requests as u128),
            thousands(pass.per_second()),
            latency(50.0),
            latency(90.0),
            latency(99.0),
            millis(replayed.latency.max()),
        ]);
    }
    indented(&table)
}

/// Who has what at the end.
pub(super) fn family(pass: &Pass<'_>) -> String {
    let tallies = pass.plan.tally(pass.replayed.verdicts.iter().copied());
    let mut rows = vec![Row::of("partner", "its limit", None, Some(&pass.partner))];
    for ((member, tally), balance) in MEMBERS.iter().zip(&tallies).zip(&pass.members) {
        let (pays_from, balance) = match member.terms {
            Terms::Shared | Terms::Suspended => ("the pool", None),
            Terms::OwnCredit => ("own credit", Some(balance)),
            Terms::Prepaid => ("own money", Some(balance)),
        };
        rows.push(Row::of(member.name, pays_from, Some(tally), balance));
    }
    let header = ["account", "pays from", "calls", "refused", "charged", "posted", "credit", "available"];
    let mut table = table(&header, 2);
    let columns: Vec<Vec<String>> = (0..4)
        .map(|column| aligned(&rows.iter().map(|row| row.amounts[column]).collect::<Vec<_>>()))
        .collect();
    for (index, row) in rows.iter().enumerate() {
        let mut cells = row.texts.to_vec();
        cells.extend(columns.iter().map(|column| column[index].clone()));
        table.add_row(cells);
    }
    indented(&table)
}

/// Who was refused, and why.
pub(super) fn refusals(pass: &Pass<'_>, currency: &str) -> String {
    let tallies = pass.plan.tally(pass.replayed.verdicts.iter().copied());
    let mut text = String::new();
    for (member, tally) in MEMBERS.iter().zip(&tallies) {
        for (verdict, calls) in
            [(Verdict::InsufficientFunds, tally.short_calls), (Verdict::Suspended, tally.suspended_calls)]
        {
            if calls == 0 {
                continue;
            }
            let said = pass.replayed.reasons.iter().find(|(known, _)| *known == verdict);
            let said = said.map_or("", |(_, reason)| reason);
            _ = writeln!(
                text,
                "  {:<8} {} of {} calls, worth {} {currency}; the first with:",
                member.name,
                thousands(calls as u128),
                thousands(tally.calls as u128),
                tally.refused
            );
            _ = writeln!(text, "           {said}");
        }
    }
    if text.is_empty() { "  nobody\n".to_owned() } else { text }
}

/// Each number, and who agrees on it.
pub(super) fn checks(checks: &[Check]) -> String {
    let values: Vec<&str> = checks.iter().map(|check| check.sides[0].1.as_str()).collect();
    let values = at_point(&values);
    let mut text = String::new();
    for (check, value) in checks.iter().zip(values) {
        let sides: Vec<_> = match check.holds {
            true => check.sides.iter().map(|(side, _)| (*side).to_owned()).collect(),
            false => check.sides.iter().map(|(side, value)| format!("{side} {value}")).collect(),
        };
        let (sign, value) = if check.holds { (" = ", value) } else { (" ≠ ", "NO".to_owned()) };
        let row = format!("  {:<32} {value}   {}", check.what, sides.join(sign));
        _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

/// The same for programs.
#[derive(Serialize)]
pub(super) struct Summary {
    way: String,
    calls: usize,
    requests: usize,
    charged: String,
    charged_calls: usize,
    refused_calls: usize,
    calls_per_second: u64,
    p50_us: u64,
    p90_us: u64,
    p99_us: u64,
    max_us: u64,
    checks: Vec<Check>,
}

impl Pass<'_> {
    pub(super) fn summary(&self) -> Summary {
        let total = Tally::total(&self.plan.tally(self.replayed.verdicts.iter().copied()));
        let latency = |percentile| self.replayed.latency.value_at_percentile(percentile);
        Summary {
            way: self.way.text(),
            calls: total.calls,
            requests: self.replayed.requests,
            charged: total.charged.to_string(),
            charged_calls: total.charged_calls,
            refused_calls: total.short_calls + total.suspended_calls,
            calls_per_second: u64::try_from(self.per_second()).unwrap_or(u64::MAX),
            p50_us: latency(50.0),
            p90_us: latency(90.0),
            p99_us: latency(99.0),
            max_us: self.replayed.latency.max(),
            checks: self.checks.clone(),
        }
    }

    fn per_second(&self) -> u128 {
        self.plan.calls.len() as u128 * 1_000_000 / self.replayed.took.as_micros().max(1)
    }
}

struct Row {
    texts: [String; 4],
    /// Charged, posted, credit, available.
    amounts: [Option<Nanos>; 4],
}

impl Row {
    fn of(name: &str, pays_from: &str, tally: Option<&Tally>, balance: Option<&Balance>) -> Self {
        let calls = tally.map(|tally| thousands(tally.calls as u128));
        let refused = tally.map(|tally| thousands((tally.short_calls + tally.suspended_calls) as u128));
        Self {
            texts: [
                name.to_owned(),
                pays_from.to_owned(),
                calls.unwrap_or_default(),
                refused.unwrap_or_default(),
            ],
            amounts: [
                tally.map(|tally| tally.charged),
                balance.map(|balance| balance.posted.0),
                balance.map(|balance| balance.credit_limit.0),
                balance.map(|balance| balance.available.0),
            ],
        }
    }
}

/// Columns behind the first `texts` hold numbers.
fn table(header: &[&str], texts: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(texts) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn indented(table: &Table) -> String {
    table.lines().map(|line| format!(" {}\n", line.trim_end())).collect()
}

fn aligned(amounts: &[Option<Nanos>]) -> Vec<String> {
    let texts: Vec<String> =
        amounts.iter().map(|amount| amount.map(|amount| amount.to_string()).unwrap_or_default()).collect();
    at_point(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Numbers with their points below each other, nothing added to their digits.
fn at_point(numbers: &[&str]) -> Vec<String> {
    let parts: Vec<(&str, usize)> = numbers
        .iter()
        .map(|number| {
            let whole = number.split('.').next().unwrap_or_default();
            (whole, number.len() - whole.len())
        })
        .collect();
    let before = parts.iter().map(|(whole, _)| whole.len()).max().unwrap_or(0);
    let after = parts.iter().map(|(_, fraction)| *fraction).max().unwrap_or(0);
    let pad = |(number, (whole, fraction)): (&&str, &(&str, usize))| {
        format!("{}{number}{}", " ".repeat(before - whole.len()), " ".repeat(after - fraction))
    };
    numbers.iter().zip(&parts).map(pad).collect()
}

/// `8,818`
pub(super) fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn millis(micros: u64) -> String {
    format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
}

/// `57 min 16 s`
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, s) => write!(f, "{s} s"),
            (0, min, s) => write!(f, "{min} min {s} s"),
            (h, min, _) => write!(f, "{h} h {min} min"),
        }
    }
}

#[cfg(test)]
mod tests;
