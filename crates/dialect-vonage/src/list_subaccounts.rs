//! `GET /accounts/{api_key}/subaccounts`: the primary, all its subaccounts, and what all owe together.

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::{App, NumberAmount};
use domain::Nanos;
use ledger::{AccountIndex, Actor, Funding, Ledger};
use serde::Serialize;

use crate::body::{Answer, Links, PrimaryAccount, Subaccount, balance, credit_limit};
use crate::caller::{Primary, look};
use crate::choices::SUBACCOUNTS_PER_LOOK;
use crate::error::VonageError;
use crate::view::{Own, View};

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
) -> Result<Answer<List>, VonageError> {
    primary.may(Operation::ReadAccounts)?;
    let (account, actor) = (primary.account, primary.caller.actor());
    let (view, mut total) =
        look(&app, &primary.caller, move |ledger, _| (View::of(ledger, account), family(ledger, account)))
            .await?;
    let seals = app.engine.seals();
    let mut subaccounts = Vec::new();
    let mut after = None;
    loop {
        let slice =
            look(&app, &primary.caller, move |ledger, _| Slice::look(ledger, actor, account, after)).await?;
        total = minus(total, slice.unseen);
        subaccounts.extend(slice.children.into_iter().map(|child| Subaccount::new(seals, &primary, child)));
        match slice.last {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    Ok(Answer(List {
        links: Links::to(format!("/accounts/{}/subaccounts", primary.key)),
        total_balance: balance(total),
        total_credit_limit: credit_limit(total),
        embedded: Embedded { primary_account: PrimaryAccount::new(seals, view), subaccounts },
    }))
}

/// What the whole family has: the running totals of the books, so that a long list adds up to what was
/// true at one moment. Shared children have nothing, and so add nothing.
fn family(ledger: &Ledger, primary: AccountIndex) -> Own {
    let balance = ledger.balance_of(primary, ledger.account(primary).currency);
    let family = balance.and_then(|balance| ledger.family_of(balance));
    family.map_or_else(Own::default, |family| Own { posted: family.posted, credit: family.credit })
}

/// Some of the children, oldest first.
struct Slice {
    children: Vec<View>,
    /// What unmanaged children have, and those outside of the scope of who asks: they are not listed, so they
    /// are not added up.
    unseen: Own,
    /// Where to go on.
    last: Option<AccountIndex>,
}

impl Slice {
    fn look(ledger: &Ledger, actor: Actor, primary: AccountIndex, after: Option<AccountIndex>) -> Self {
        let mut slice = Self { children: Vec::new(), unseen: Own::default(), last: None };
        let children = ledger.children(primary, after).take(SUBACCOUNTS_PER_LOOK);
        for (seen, (index, child)) in children.enumerate() {
            if child.managed && ledger.is_open_to(actor, index) {
                slice.children.push(View::of(ledger, index));
            } else if child.funding != Funding::Shared {
                slice.unseen = plus(slice.unseen, Own::of(ledger, index));
            }
            if seen + 1 == SUBACCOUNTS_PER_LOOK {
                slice.last = Some(index);
            }
        }
        slice
    }
}

/// Sums of amounts in range: far from the ends of 128 bits.
fn plus(a: Own, b: Own) -> Own {
    Own {
        posted: Nanos::new(a.posted.get() + b.posted.get()),
        credit: Nanos::new(a.credit.get() + b.credit.get()),
    }
}

fn minus(a: Own, b: Own) -> Own {
    Own {
        posted: Nanos::new(a.posted.get() - b.posted.get()),
        credit: Nanos::new(a.credit.get() - b.credit.get()),
    }
}

#[derive(Serialize)]
pub(crate) struct List {
    #[serde(rename = "_links")]
    links: Links,
    total_balance: NumberAmount,
    total_credit_limit: NumberAmount,
    #[serde(rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Serialize)]
struct Embedded {
    primary_account: PrimaryAccount,
    subaccounts: Vec<Subaccount>,
}
