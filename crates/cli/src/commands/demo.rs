//! `bursar demo`: the main job, on real input.
//!
//! The one idea: what must come of every call is worked out from the file first, by the four rules of
//! `plan.rs`; then a real server is asked over HTTP, and both must agree to the last digit.
//!
//! | file | is |
//! |---|---|
//! | `trace` | the recorded calls, priced |
//! | `plan` | whose call it is, and what must come of it |
//! | `house` | a server of our own on a fresh directory |
//! | `family` | a partner, and its subaccounts |
//! | `replay` | the calls, made over several connections |
//! | `check` | the file held against the answers and the books |
//! | `report` | all of it in words |

mod check;
mod family;
mod house;
mod plan;
mod replay;
mod report;
mod trace;

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use domain::Currency;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;
use crate::table::{Format, Record};
use check::Check;
use family::Family;
use house::House;
use plan::Plan;
use replay::{Replay, Way};
use report::{Pass, Span, Summary, thousands};
use trace::{Price, Trace};

/// Replay recorded calls through a server of its own, and check every sum.
///
/// Starts a server on a fresh directory and a free port, opens a partner with a credit limit and six
/// subaccounts (three share the partner's balance, one has allocated credit that runs out, one has money
/// of its own, one is suspended half-way), deals the calls to them, and makes all of them over HTTP: in
/// batches, then one by one, then some at the speed of the trace. Exits with 0 only if what was charged
/// and refused is what the file says, exactly.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The calls, CSV with a header; without it, 8,819 real ones that come with this program.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The column that says when a call was made: a date and time, or seconds.
    #[arg(long, value_name = "NAME", default_value = "TIMESTAMP")]
    time_column: String,
    /// What a unit of a column costs; may be repeated [default: those of the calls that come with it].
    #[arg(long = "price", value_name = "COLUMN=PRICE", value_parser = Price::parse)]
    prices: Vec<Price>,
    #[arg(long, value_name = "CODE", default_value = "USD", value_parser = currency)]
    currency: Currency,
    /// Deals the calls to the subaccounts.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    connections: u16,
    /// Calls in one batch.
    #[arg(long, value_name = "CALLS", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=8192))]
    batch: u16,
    /// How many times faster than recorded the last part goes.
    #[arg(long, value_name = "TIMES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    speed: u32,
    /// How long the last part may take, in seconds; 0 leaves it out.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    paced: u64,
    /// Leave the server running until it is told to stop.
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    format: Format,
}

const CALLS: &[u8] = include_bytes!("../../../../data/llm_calls_2023_code.csv");
const CALLS_NAME: &str = "llm_calls_2023_code.csv";
const CALLS_SOURCE: &str = "Azure LLM inference trace 2023 (code), CC-BY 4.0";
const CALLS_PRICES: [&str; 2] = ["ContextTokens=0.000003", "GeneratedTokens=0.000015"];

impl Demo {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let trace = self.read_trace()?;
        let house = House::open()?;
        self.say(&self.introduction(&trace, &house))?;
        let mut passes = Vec::new();
        for (name, way) in [("batch", Way::Batches(self.batch.into())), ("single", Way::Singles)] {
            passes.push(self.pass(&house, &trace, trace.calls.len(), name, way)?);
        }
        let until = Duration::from_secs(self.paced) * self.speed;
        let paced = trace.calls.partition_point(|call| call.offset <= until);
        if self.paced > 0 {
            passes.push(self.pass(&house, &trace, paced, "paced", Way::Paced(self.speed))?);
        }
        let checks: Vec<&Check> = passes.iter().flat_map(|pass| &pass.checks).collect();
        let broken = checks.iter().filter(|check| !check.holds).count();
        self.say(&self.findings(&passes))?;
        if self.keep {
            self.say_where(&house, &passes)?;
            house.keep()?;
        }
        let verified = house.close()?;
        self.conclude(&passes, broken, verified.first())
    }

    fn read_trace(&self) -> Result<Trace, Failure> {
        let prices = || CALLS_PRICES.iter().map(|price| Price::parse(price)).collect::<Result<Vec<_>, _>>();
        let prices =
            if self.prices.is_empty() { prices().map_err(Failure::Usage)? } else { self.prices.clone() };
        match &self.trace {
            None => Trace::read(CALLS_NAME, CALLS, &self.time_column, prices),
            Some(path) => {
                let file =
                    File::open(path).map_err(Failure::fault(format!("cannot read {}", path.display())))?;
                Trace::read(&path.display().to_string(), file, &self.time_column, prices)
            }
        }
    }

    /// One replay of the first `count` calls, for a family of its own.
    fn pass<'a>(
        &self,
        house: &House,
        trace: &'a Trace,
        count: usize,
        name: &'static str,
        way: Way,
    ) -> Result<Pass<'a>, Failure> {
        let plan = Plan::new(trace, count, self.seed);
        let client = house.client();
        let family = Family::open(&client, &format!("partner, {name}"), self.currency.as_str(), &plan)?;
        let progress = bar(count, &way.text());
        let connections = self.connections.into();
        let replay = Replay { house, plan: &plan, family: &family, connections, name, progress: &progress };
        let replayed = replay.run(way)?;
        progress.finish_and_clear();
        let (partner, members) = family.balances(&client)?;
        let checks = check::checks(&plan, &replayed, &partner, &members);
        Ok(Pass { way, plan, replayed, family, partner, members, checks })
    }

    /// For people; programs get one object at the end.
    fn say(&self, text: &str) -> Result<(), Failure> {
        if self.format.is_json() { Ok(()) } else { print(text) }
    }

    fn introduction(&self, trace: &Trace, house: &House) -> String {
        let currency = self.currency;
        let mut source =
            if self.trace.is_none() { format!("             {CALLS_SOURCE}\n") } else { String::new() };
        if trace.idle > 0 {
            source.push_str(&format!("             {} lines without any usage are left out\n", trace.idle));
        }
        let prices: Vec<String> =
            trace.prices.iter().map(|price| format!("{} per {}", price.amount, price.column)).collect();
        format!(
            "One partner, six subaccounts, every call charged over HTTP\n\n  calls      {} in {} from {}\n{source}  prices     {currency} {}\n  server     {}, each answer durable\n",
            thousands(trace.calls.len() as u128),
            Span(trace.duration()),
            trace.name,
            prices.join(", "),
            house.url,
        )
    }

    fn findings(&self, passes: &[Pass<'_>]) -> String {
        let Some(first) = passes.first() else { return String::new() };
        let currency = self.currency;
        let plan = &first.plan;
        let mut text = format!(
            "  partner    credit limit {}, of it {} allocated to dune; ember paid {} in\n\n",
            plan.granted, plan.allocated, plan.prepaid
        );
        text.push_str(&format!(
            "Replayed over {} connections\n{}\n",
            self.connections,
            report::speeds(passes)
        ));
        text.push_str(&format!("The family after its {} ({currency})\n", first.way.text()));
        text.push_str(&format!(
            "{}\nRefused\n{}\n",
            report::family(first),
            report::refusals(first, currency.as_str())
        ));
        text.push_str(&format!("Checked ({currency})\n{}", report::checks(&first.checks)));
        for pass in &passes[1..] {
            let broken: Vec<Check> = pass.checks.iter().filter(|check| !check.holds).cloned().collect();
            let verdict =
                if broken.is_empty() { "the same checks, all hold" } else { "not all of them hold:" };
            text.push_str(&format!("  {}: {verdict}\n{}", pass.way.text(), report::checks(&broken)));
        }
        text
    }

    fn say_where(&self, house: &House, passes: &[Pass<'_>]) -> Result<(), Failure> {
        let partner = passes.first().map_or("", |pass| pass.family.partner.as_str());
        let token_file = house.token_file.display().to_string();
        if self.format.is_json() {
            let kept = Kept { url: &house.url, token_file: &token_file, partner };
            return self.format.print_one(&Record::of(&kept)?);
        }
        print(&format!(
            "\nThe server goes on until it is told to stop (Ctrl-C)\n  address    {url}\n  token      {token_file}\n  \
             try        bursar balance {partner} --url {url} \\\n             --token-file {token_file}\n\n",
            url = house.url,
        ))
    }

    fn conclude(&self, passes: &[Pass<'_>], broken: usize, books: &engine::Verified) -> Result<(), Failure> {
        if self.format.is_json() {
            let passes = passes.iter().map(Pass::summary).collect();
            let findings = Findings { holds: broken == 0, seed: self.seed, events: books.events, passes };
            self.format.print_one(&Record::of(&findings)?)?;
        } else {
            let (events, accounts) = (thousands(books.events.into()), books.accounts);
            print(&format!(
                "  the directory, re-derived: {events} events, {accounts} accounts, all balances hold\n"
            ))?;
        }
        if broken > 0 {
            let doing = "the sums do not agree".to_owned();
            return Err(Failure::Fault { doing, source: format!("{broken} checks do not hold").into() });
        }
        self.say("\nAll sums agree.\n")
    }
}

#[derive(Serialize)]
struct Findings {
    holds: bool,
    seed: u64,
    events: u64,
    passes: Vec<Summary>,
}

#[derive(Serialize)]
struct Kept<'a> {
    url: &'a str,
    token_file: &'a str,
    /// The API key of the first replay's.
    partner: &'a str,
}

fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).map_err(|error| error.to_string())
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::fault("cannot print"))
}

/// On a terminal; elsewhere it stays quiet.
fn bar(calls: usize, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {msg:<28} {bar:24} {pos:>7} of {len} calls");
    let bar = ProgressBar::new(calls as u64).with_message(name.to_owned());
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
