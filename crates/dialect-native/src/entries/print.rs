//! Entries as they are printed.

use std::collections::BTreeMap;

use dialect::App;
use domain::Nanos;
use engine::{Entry, Id, Seals};
use ledger::{
    AccountIndex, Actor, BalanceIndex, EntryKind, Event, HoldId, Ledger, NameIndex, Posting, Text, Usage,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::kind::KindName;
use crate::accounts::view::string;
use crate::ids;
use crate::money::posted::After;
use crate::problem::Problem;
use crate::values::{Amount, Time};

/// Prints entries of one balance. What only the state knows (names, whose balance another is) is asked
/// for once.
pub(crate) async fn print(app: &App, entries: &[Entry]) -> Result<Vec<Line>, Problem> {
    let mut wanted = Wanted::default();
    for entry in entries {
        wanted.note(entry);
    }
    let known = app.engine.read(move |ledger, _| Known::of(ledger, &wanted)).await?;
    entries.iter().map(|entry| line(app.engine.seals(), entry, &known)).collect()
}

/// An entry of a balance.
#[derive(Serialize, ToSchema)]
#[schema(as = BalanceEntry)]
pub(crate) struct Line {
    id: String,
    kind: KindName,
    /// How much was charged, paid, moved, held or released, or by how much a limit rose.
    amount: Amount,
    /// The balance after it.
    balance: After,
    /// Whose usage or money it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Of a transfer or allocation: the other account.
    #[serde(skip_serializing_if = "Option::is_none")]
    counterparty: Option<String>,
    /// The charge that a refund gave back, or that this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The credential that asked for it; absent when a person or the server itself did.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    /// The membership of the person who asked for it in a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<String>,
    time: Time,
}

#[derive(Default)]
struct Wanted {
    names: Vec<NameIndex>,
    balances: Vec<BalanceIndex>,
}

#[derive(Default)]
struct Known {
    names: BTreeMap<NameIndex, Text>,
    accounts: BTreeMap<BalanceIndex, AccountIndex>,
}

impl Wanted {
    fn note(&mut self, entry: &Entry) {
        if let Some(usage) = usage(&entry.record.event) {
            self.names.extend(usage.product.iter().chain(&usage.used_by));
        }
        self.balances.extend(entry.record.event.images().map(|image| image.balance));
    }
}

impl Known {
    fn of(ledger: &Ledger, wanted: &Wanted) -> Self {
        let name = |index: &NameIndex| (*index, ledger.name(*index).text.clone());
        let account = |index: &BalanceIndex| (*index, ledger.balance(*index).account);
        Self {
            names: wanted.names.iter().map(name).collect(),
            accounts: wanted.balances.iter().map(account).collect(),
        }
    }

    fn name(&self, name: Option<NameIndex>) -> Option<String> {
        self.names.get(&name?).and_then(string)
    }
}

fn usage(event: &Event) -> Option<&Usage> {
    match event {
        Event::Charged(charged) | Event::HoldCaptured { charged, .. } => Some(&charged.usage),
        Event::HoldPlaced(placed) => Some(&placed.usage),
        _ => None,
    }
}

/// What an event says of itself, whatever its kind.
#[derive(Default)]
struct Facts<'a> {
    amount: Nanos,
    account: Option<AccountIndex>,
    charge: Option<Id>,
    hold: Option<HoldId>,
    reference: Option<&'a Text>,
}

impl<'a> Facts<'a> {
    fn of(event: &'a Event) -> Self {
        let posting = |it: &'a Posting| Self {
            amount: it.amount,
            account: Some(it.account),
            reference: Some(&it.reference),
            ..Self::default()
        };
        match event {
            Event::Charged(it) => Self {
                amount: it.amount,
                account: Some(it.account),
                charge: Some(ids::of_charge(it)),
                reference: Some(&it.usage.reference),
                ..Self::default()
            },
            Event::HoldCaptured { hold, charged: it, .. } => Self {
                amount: it.amount,
                account: Some(it.account),
                charge: Some(ids::of_charge(it)),
                hold: Some(*hold),
                reference: Some(&it.usage.reference),
            },
            Event::ToppedUp(it) | Event::Withdrawn(it) | Event::UsageCredited(it) => posting(it),
            Event::Adjusted { posting: it, .. } => posting(it),
            Event::Refunded { charge, posting: it, .. } => {
                let charge = Id::Entry { balance: charge.balance, entry: charge.entry };
                Self { charge: Some(charge), ..posting(it) }
            }
            Event::Transferred { amount, reference, .. } | Event::Allocated { amount, reference, .. } => {
                Self { amount: *amount, reference: Some(reference), ..Self::default() }
            }
            Event::CreditSet { change, reference, .. } => {
                Self { amount: *change, reference: Some(reference), ..Self::default() }
            }
            Event::Merged { posted, .. } => Self { amount: *posted, ..Self::default() },
            Event::HoldPlaced(it) => Self {
                amount: it.amount,
                account: Some(it.account),
                hold: Some(it.hold),
                reference: Some(&it.usage.reference),
                ..Self::default()
            },
            Event::HoldExtended { hold, .. } => Self { hold: Some(*hold), ..Self::default() },
            Event::HoldEnded { hold, released, .. } => {
                Self { amount: *released, hold: Some(*hold), ..Self::default() }
            }
            _ => Self::default(),
        }
    }
}

fn line(seals: &Seals, entry: &Entry, known: &Known) -> Result<Line, Problem> {
    let (event, image) = (&entry.record.event, entry.image());
    let kind = EntryKind::of(event, image.balance);
    let kind = kind.ok_or_else(|| Problem::bug("an entry of no kind"))?;
    let facts = Facts::of(event);
    let usage = usage(event);
    let is_two_sided = matches!(
        kind,
        EntryKind::TransferIn
            | EntryKind::TransferOut
            | EntryKind::AllocationIn
            | EntryKind::AllocationOut
            | EntryKind::MergeIn
            | EntryKind::MergeOut
    );
    let counterparty = || event.images().find(|other| other.balance != image.balance);
    let counterparty = if is_two_sided { counterparty() } else { None };
    Ok(Line {
        id: ids::print(seals, Id::Entry { balance: image.balance, entry: image.entry }),
        kind: KindName(kind),
        amount: facts.amount.into(),
        balance: (&image.amounts).into(),
        account: facts.account.map(|account| ids::account(seals, account)),
        counterparty: counterparty
            .and_then(|other| known.accounts.get(&other.balance))
            .map(|account| ids::account(seals, *account)),
        charge: facts.charge.map(|charge| ids::print(seals, charge)),
        hold: facts.hold.map(|hold| ids::print(seals, Id::Hold(hold))),
        product: known.name(usage.and_then(|usage| usage.product)),
        used_by: known.name(usage.and_then(|usage| usage.used_by)),
        quantity: usage.and_then(|usage| usage.quantity).map(Into::into),
        reference: facts.reference.and_then(string),
        credential: match entry.record.envelope.actor {
            Actor::Credential(credential) => Some(ids::print(seals, Id::Credential(credential))),
            Actor::System | Actor::Session(_) | Actor::Member(_) => None,
        },
        membership: match entry.record.envelope.actor {
            Actor::Member(membership) => Some(ids::print(seals, Id::Membership(membership))),
            Actor::System | Actor::Session(_) | Actor::Credential(_) => None,
        },
        time: entry.time().into(),
    })
}
