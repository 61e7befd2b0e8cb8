//! The two logs of transfers, read back from the history of the primary's balance.

use dialect::{App, read_instant};
use domain::Timestamp;
use engine::{Head, History, HistoryError};
use ledger::{AccountIndex, Event, Image, Ledger, Text};

use crate::caller::{Primary, look};
use crate::choices::TRANSFERS_LISTED_MAX;
use crate::error::VonageError;
use crate::members::Problems;
use crate::transfer::{Entry, Log, second};
use crate::view::key_of;

/// Which transfers are wanted.
pub(crate) struct Filter {
    start: Timestamp,
    end: Timestamp,
    /// Those with one of these; all when none is named. None is a key that nobody has.
    subaccounts: Vec<Option<AccountIndex>>,
}

impl Filter {
    /// Parameters that it does not know are ignored.
    pub(crate) fn read(app: &App, query: &[(String, String)]) -> Result<Self, VonageError> {
        let mut problems = Problems::default();
        let mut date = |name: &'static str, otherwise: Option<Timestamp>| {
            let given = query.iter().find(|(known, _)| known == name);
            let read = given.map_or(otherwise, |(_, text)| read_instant(text).ok());
            read.unwrap_or_else(|| {
                problems.add(name, "Malformed");
                Timestamp::EPOCH
            })
        };
        let (start, end) =
            (date("start_date", Some(Timestamp::EPOCH)), date("end_date", Some(Timestamp::NEVER)));
        problems.none_or_refuse()?;
        let subaccounts = query.iter().filter(|(known, _)| known == "subaccount");
        let subaccounts = subaccounts.map(|(_, key)| access::parse_account(&app.engine, key).ok());
        Ok(Self { start, end, subaccounts: subaccounts.collect() })
    }

    fn wants(&self, from: AccountIndex, to: AccountIndex) -> bool {
        self.subaccounts.is_empty()
            || self.subaccounts.contains(&Some(from))
            || self.subaccounts.contains(&Some(to))
    }
}

/// One transfer as the book recorded it.
struct Recorded {
    from: Image,
    to: Image,
    amount: domain::Nanos,
    reference: Text,
    time: Timestamp,
}

/// The transfers of one log, newest first.
pub(crate) async fn list(
    app: &App,
    primary: &Primary,
    log: Log,
    filter: Filter,
) -> Result<Vec<Entry>, VonageError> {
    let account = primary.account;
    let home = move |ledger: &Ledger, _| {
        let balance = ledger.balance_of(account, ledger.account(account).currency)?;
        Some(Head::of(balance, ledger.balance(balance)))
    };
    let Some(head) = look(app, &primary.caller, home).await? else { return Ok(Vec::new()) };
    let history = app.engine.history().clone();
    let (start, end) = (filter.start, filter.end);
    // Walking reads the journal: never on the book's thread, nor on one that serves requests.
    let walk = tokio::task::spawn_blocking(move || walk(&history, &head, log, start, end));
    let recorded = walk.await.map_err(|error| VonageError::internal(&error.to_string()))??;
    let recorded = of_accounts(app, primary, recorded).await?;
    let seals = app.engine.seals();
    let wanted = recorded.into_iter().filter(|(_, from, to)| filter.wants(*from, *to));
    Ok(wanted
        .map(|(it, from, to)| {
            let from = (&it.from, key_of(seals, from));
            Entry::recorded(log, seals, from, key_of(seals, to), it.amount, &it.reference, it.time)
        })
        .collect())
}

/// From the newest to the first that is older than `start`.
fn walk(
    history: &History,
    head: &Head,
    log: Log,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<Recorded>, VonageError> {
    let mut recorded = Vec::new();
    for entry in history.movements(head) {
        let entry = match entry {
            // Whatever was removed is older than what is asked for.
            Err(HistoryError::Removed { until }) if second(until) < start => break,
            entry => entry?,
        };
        let time = second(entry.time());
        if time < start {
            break;
        }
        let (from, to, amount, reference) = match (log, entry.record.event) {
            (Log::Credit, Event::Allocated { from, to, amount, reference, .. })
            | (Log::Balance, Event::Transferred { from, to, amount, reference }) => {
                (from, to, amount, reference)
            }
            _ => continue,
        };
        if time > end {
            continue;
        }
        if recorded.len() == TRANSFERS_LISTED_MAX {
            let reason = "More transfers than one list can hold: ask for a shorter time";
            return Err(VonageError::invalid_one("start_date", reason));
        }
        recorded.push(Recorded { from, to, amount, reference, time });
    }
    Ok(recorded)
}

/// Between whom they were, as far as who asks may see both.
async fn of_accounts(
    app: &App,
    primary: &Primary,
    recorded: Vec<Recorded>,
) -> Result<Vec<(Recorded, AccountIndex, AccountIndex)>, VonageError> {
    let actor = primary.caller.actor();
    let seen = move |ledger: &Ledger, _| {
        let owner = |image: &Image| ledger.balance(image.balance).account;
        let between = recorded.into_iter().map(|it| {
            let (from, to) = (owner(&it.from), owner(&it.to));
            (it, from, to)
        });
        let is_open = |account| ledger.is_open_to(actor, account);
        between.filter(|(_, from, to)| is_open(*from) && is_open(*to)).collect()
    };
    look(app, &primary.caller, seen).await
}
