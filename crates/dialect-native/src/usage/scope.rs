//! Whose usage a report is of, and of when.

use std::collections::BTreeSet;

use access::Caller;
use dialect::App;
use domain::Timestamp;
use engine::{Head, Zone};
use jiff::ToSpan;
use jiff::civil::Date;
use ledger::{AccountIndex, Ledger};

use super::gather::Span;
use super::report::Asked;
use crate::look::{Sight, look};
use crate::problem::{Kind, Problem};

/// Of more accounts the journal is read through.
const FEW: usize = 256;
const DAYS_MAX: i32 = 400;

pub(super) struct Scope {
    pub(super) accounts: Accounts,
    /// The one that was named: the report is of it, with those below it.
    pub(super) top: Option<AccountIndex>,
    zone: Zone,
    today: Date,
}

pub(super) enum Accounts {
    /// All of them, each with where its history begins.
    Few(Vec<(AccountIndex, Head)>),
    /// Those that the caller sees, and that are at or below the top.
    Many,
}

impl Scope {
    pub(super) async fn find(
        app: &App,
        caller: &Caller,
        named: Option<AccountIndex>,
    ) -> Result<Self, Problem> {
        let organization = caller.organization();
        let (accounts, time_zone, now) = look(app, caller, move |ledger, now, sight| {
            if named.is_some_and(|top| !sight.reaches(ledger, top)) {
                return Err(Kind::AccountNotFound);
            }
            let tops = named.map(|top| vec![top]).or_else(|| sight.tops(ledger));
            let few = tops.and_then(|tops| few(ledger, sight, tops));
            let time_zone = ledger.organization(organization).time_zone.clone();
            Ok((few.map_or(Accounts::Many, Accounts::Few), time_zone, now))
        })
        .await?;
        let zone = Zone::named(&time_zone).map_err(|_| Problem::bug("an organization in no time zone"))?;
        let today = zone.day(now);
        Ok(Self { accounts, top: named, zone, today })
    }

    pub(super) fn span(&self, asked: &Asked) -> Result<Span, Problem> {
        let from = Asked::day("from", asked.from.as_ref())?.unwrap_or_else(|| self.today.first_of_month());
        let to = Asked::day("to", asked.to.as_ref())?.unwrap_or(self.today);
        if to < from {
            return Err(Problem::parameter("to", "is before from"));
        }
        let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
        if days >= DAYS_MAX {
            return Err(Problem::parameter("to", format!("is {DAYS_MAX} days or more behind from")));
        }
        let end = to.checked_add(1.day()).map_or(Timestamp::NEVER, |next| self.zone.begin(next));
        Ok(Span { zone: self.zone.clone(), from: self.zone.begin(from), to: end })
    }
}

/// Some accounts and all below them that the caller sees, each once; None, when they are many.
fn few(ledger: &Ledger, sight: Sight, tops: Vec<AccountIndex>) -> Option<Vec<(AccountIndex, Head)>> {
    let (mut heads, mut open, mut seen) = (Vec::new(), tops, BTreeSet::new());
    while let Some(account) = open.pop() {
        if !seen.insert(account) {
            continue;
        }
        if seen.len() + ledger.account(account).children as usize > FEW {
            return None;
        }
        let head = |balance| (account, Head::of(balance, ledger.balance(balance)));
        heads.extend(ledger.balances_of(account).map(head));
        let children = ledger.children(account, None).map(|(child, _)| child);
        open.extend(children.filter(|child| sight.reaches(ledger, *child)));
    }
    Some(heads)
}
