//! A report while it is made, on a thread that may wait.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use access::Caller;
use axum::body::Bytes;
use dialect::App;
use domain::Timestamp;
use engine::{Counted, Head, HistoryError, Id};
use http_body_util::channel::Sender;
use ledger::{AccountIndex, BalanceIndex, ChargeId, CredentialIndex, Ledger, NameIndex};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::gather::{Key, Span, Sum, Sums, read_through, walk};
use super::report::{By, Format};
use super::row::{CSV_HEAD, Line, Row};
use super::scope::{Accounts, Scope};
use crate::accounts::view::string;
use crate::ids;
use crate::look::{Sight, look};
use crate::problem::Problem;
use crate::values::Time;

/// Objects looked at in one turn of the book.
const SLICE: usize = 1_000;
/// A report of more lines is to be asked for in parts.
const LINES_MAX: usize = 1_000_000;
const PIECE_BYTES: usize = 32 * 1024;

pub(super) struct Making {
    app: Arc<App>,
    caller: Caller,
    by: By,
    span: Span,
    format: Format,
    pieces: Sender<Bytes, io::Error>,
    /// Gone once something was written.
    begun: Option<oneshot::Sender<Result<(), Problem>>>,
    lines: BTreeMap<Line, Sum>,
    /// Lines of what was refused, which are still to be added.
    refused: BTreeMap<Line, u64>,
    counted: Counted,
    written: usize,
    text: Vec<u8>,
}

/// Why a report ends early.
enum Cut {
    Problem(Problem),
    /// Nobody reads it any more.
    Unread,
}

impl From<Problem> for Cut {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<HistoryError> for Cut {
    fn from(error: HistoryError) -> Self {
        Self::Problem(match error {
            HistoryError::Removed { .. } => Problem::from(error).with_parameter("from"),
            error => error.into(),
        })
    }
}

impl Making {
    pub(super) fn new(
        app: Arc<App>,
        caller: Caller,
        by: By,
        span: Span,
        format: Format,
        pieces: Sender<Bytes, io::Error>,
        begun: oneshot::Sender<Result<(), Problem>>,
    ) -> Result<Self, Problem> {
        let counted = app.engine.refusals()?.counted();
        let (begun, lines, refused) = (Some(begun), BTreeMap::new(), BTreeMap::new());
        let head = match format {
            Format::Json => "{\"data\":[",
            Format::Csv => CSV_HEAD,
        };
        let text = head.into();
        Ok(Self { app, caller, by, span, format, pieces, begun, lines, refused, counted, written: 0, text })
    }

    pub(super) fn run(mut self, handle: &Handle, scope: Scope) {
        match self.make(handle, scope) {
            Ok(()) | Err(Cut::Unread) => {}
            Err(Cut::Problem(problem)) => match self.begun.take() {
                Some(begun) => _ = begun.send(Err(problem)),
                None => self.pieces.abort(io::Error::other("the report cannot be finished")),
            },
        }
    }

    fn make(&mut self, handle: &Handle, scope: Scope) -> Result<(), Cut> {
        let history = self.app.engine.history().clone();
        let span = self.span.clone();
        let top = scope.top;
        self.refused = self.refusals(handle, top)?;
        match scope.accounts {
            Accounts::Few(heads) => {
                let mut sums = Sums::new();
                for (account, head) in &heads {
                    walk(&history, &span, *account, head, &mut sums)?;
                }
                self.add(handle, sums, None)?;
            }
            Accounts::Many => read_through(&history, &span, |sums, ends_day| {
                self.add(handle, sums, top)?;
                // By day, nothing is added to an earlier one.
                if !(self.by.day && ends_day) {
                    return Ok(());
                }
                if let Some(day) = self.lines.keys().filter_map(|line| line.day).max() {
                    self.add_refused(|line| line.day <= Some(day));
                }
                self.write(handle)
            })?,
        }
        self.add_refused(|_| true);
        self.write(handle)?;
        self.end(handle)
    }

    /// Takes up sums, as far as the caller may see them.
    fn add(&mut self, handle: &Handle, sums: Sums, top: Option<AccountIndex>) -> Result<(), Cut> {
        let accounts = sums.keys().map(|key| key.account);
        let seen = self.seen(handle, accounts.collect(), top)?;
        let sums = sums.into_iter().filter(|(key, _)| seen.contains(&key.account));
        let sums: Vec<(Key, Sum)> = sums.collect();
        let balances = sums.iter().map(|(key, _)| key.payer);
        let currencies = self
            .ask(handle, balances.collect(), |ledger, payer: BalanceIndex| ledger.balance(payer).currency)?;
        let charges = sums.iter().filter_map(|(key, _)| key.refund_of).map(|charge| charge.balance);
        let heads = self.ask(handle, charges.collect(), |ledger, balance: BalanceIndex| {
            Head::of(balance, ledger.balance(balance))
        })?;
        for (key, sum) in sums {
            let charged = key.refund_of.map(|charge| self.charged(charge, &heads[&charge.balance]));
            let (product, credential) = charged.transpose()?.unwrap_or((key.product, key.credential));
            let line = Line {
                day: Some(key.day),
                account: Some(key.account),
                currency: currencies[&key.payer],
                product,
                credential,
            };
            self.lines.entry(self.by.of(line)).or_default().add(&sum);
        }
        if self.lines.len() + self.written > LINES_MAX {
            let detail = format!("the report has more than {LINES_MAX} lines: ask for it in parts");
            return Err(Problem::parameter("by", detail).into());
        }
        Ok(())
    }

    /// What was refused in the days of the report, as far as the caller may see it.
    fn refusals(&self, handle: &Handle, top: Option<AccountIndex>) -> Result<BTreeMap<Line, u64>, Cut> {
        let last = Timestamp::from_micros(self.span.to.as_micros().saturating_sub(1));
        let (from, to) = (self.span.zone.day(self.span.from), self.span.zone.day(last));
        let refusals = self.app.engine.refusals().map_err(Problem::from)?.of_days(from, to);
        let accounts = refusals.iter().map(|(key, _)| key.account);
        let seen = self.seen(handle, accounts.collect(), top)?;
        let mut lines = BTreeMap::new();
        for (key, count) in refusals.into_iter().filter(|(key, _)| seen.contains(&key.account)) {
            let line = Line {
                day: Some(key.day),
                account: Some(key.account),
                currency: key.currency,
                product: key.product,
                credential: key.credential,
            };
            *lines.entry(self.by.of(line)).or_default() += count;
        }
        Ok(lines)
    }

    fn add_refused(&mut self, is_wanted: impl Fn(&Line) -> bool) {
        for (line, refused) in std::mem::take(&mut self.refused) {
            if is_wanted(&line) {
                self.lines.entry(line).or_default().refused += refused;
            } else {
                self.refused.insert(line, refused);
            }
        }
    }

    /// Product and credential of a charge that was refunded, unless it was removed.
    fn charged(
        &self,
        charge: ChargeId,
        head: &Head,
    ) -> Result<(Option<NameIndex>, Option<CredentialIndex>), Cut> {
        let used = match self.app.engine.history().entry_number(head, charge.entry) {
            Err(HistoryError::Removed { .. }) => None,
            entry => entry?.and_then(|entry| entry.record.usage()),
        };
        Ok(used.map_or((None, None), |used| (used.product, used.credential)))
    }

    fn seen(
        &self,
        handle: &Handle,
        accounts: BTreeSet<AccountIndex>,
        top: Option<AccountIndex>,
    ) -> Result<BTreeSet<AccountIndex>, Cut> {
        let sight = Sight::of(&self.caller);
        let seen = self.ask(handle, accounts, move |ledger, account: AccountIndex| {
            let is_below = |top| ledger.lineage(account).any(|(above, _)| above == top);
            sight.reaches(ledger, account) && top.is_none_or(is_below)
        })?;
        Ok(seen.into_iter().filter(|(_, seen)| *seen).map(|(account, _)| account).collect())
    }

    /// Asks the state about objects, in slices, for as long as the caller's credential counts.
    fn ask<I: Copy + Ord + Send + 'static, T: Send + 'static>(
        &self,
        handle: &Handle,
        objects: BTreeSet<I>,
        of: impl Fn(&Ledger, I) -> T + Copy + Send + 'static,
    ) -> Result<BTreeMap<I, T>, Cut> {
        let objects: Vec<I> = objects.into_iter().collect();
        let mut found = BTreeMap::new();
        for slice in objects.chunks(SLICE) {
            let slice = slice.to_vec();
            let asked = look(&self.app, &self.caller, move |ledger, _, _| {
                Ok(slice.into_iter().map(|object| (object, of(ledger, object))).collect::<Vec<_>>())
            });
            found.extend(handle.block_on(asked)?);
        }
        Ok(found)
    }

    /// Writes the lines that there are.
    fn write(&mut self, handle: &Handle) -> Result<(), Cut> {
        let lines = std::mem::take(&mut self.lines);
        let texts = |names: BTreeSet<NameIndex>| {
            self.ask(handle, names, |ledger, name| string(&ledger.name(name).text))
        };
        let products = texts(lines.keys().filter_map(|line| line.product).collect())?;
        let accounts = self.ask(
            handle,
            lines.keys().filter_map(|line| line.account).collect(),
            |ledger, account: AccountIndex| string(&ledger.account(account).name),
        )?;
        let labels = self.ask(
            handle,
            lines.keys().filter_map(|line| line.credential).collect(),
            |ledger, credential: CredentialIndex| string(&ledger.credential(credential).label),
        )?;
        let seals = self.app.engine.seals().clone();
        for (line, sum) in lines {
            let row = Row {
                day: line.day.map(|day| day.to_string()),
                account: line.account.map(|account| ids::account(&seals, account)),
                account_name: line.account.and_then(|account| accounts[&account].clone()),
                product: line.product.and_then(|product| products[&product].clone()),
                credential: line.credential.map(|index| ids::print(&seals, Id::Credential(index))),
                credential_label: line.credential.and_then(|credential| labels[&credential].clone()),
                ..Row::new(line.currency, &sum)
            };
            self.put(handle, &row)?;
        }
        Ok(())
    }

    fn put(&mut self, handle: &Handle, row: &Row) -> Result<(), Cut> {
        match self.format {
            Format::Csv => row.csv(&mut self.text),
            Format::Json => {
                if self.written > 0 {
                    self.text.push(b',');
                }
                serde_json::to_writer(&mut self.text, row)
                    .map_err(|_| Problem::bug("a line cannot be printed"))?;
            }
        }
        self.written += 1;
        if self.text.len() >= PIECE_BYTES { self.send(handle) } else { Ok(()) }
    }

    fn end(&mut self, handle: &Handle) -> Result<(), Cut> {
        if self.format == Format::Json {
            let since = Time::from(self.counted.since);
            let since =
                serde_json::to_string(&since).map_err(|_| Problem::bug("a time cannot be printed"))?;
            let uncounted = self.counted.uncounted;
            let end = format!("],\"refusals_counted_since\":{since},\"refusals_uncounted\":{uncounted}}}");
            self.text.extend_from_slice(end.as_bytes());
        }
        self.send(handle)
    }

    fn send(&mut self, handle: &Handle) -> Result<(), Cut> {
        if let Some(begun) = self.begun.take() {
            begun.send(Ok(())).map_err(|_| Cut::Unread)?;
        }
        let piece = Bytes::from(std::mem::take(&mut self.text));
        handle.block_on(self.pieces.send_data(piece)).map_err(|_| Cut::Unread)
    }
}
