//! What credit and balance transfers have in common: the body, the order of checks, the answer.

use dialect::{App, Body, Instant, NumberAmount};
use domain::{Nanos, Timestamp};
use engine::{Id, Receipt, Seals};
use ledger::{AccountIndex, Event, Image, Text};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::body::Links;
use crate::caller::{Primary, Side};
use crate::error::VonageError;
use crate::members::{Member, Problems, read_object};

/// Which of the two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    Credit,
    Balance,
}

impl Log {
    pub(crate) fn path(self, primary: &Primary) -> String {
        match self {
            Self::Credit => format!("/accounts/{}/credit-transfers", primary.key),
            Self::Balance => format!("/accounts/{}/balance-transfers", primary.key),
        }
    }
}

/// A transfer as it was asked for.
pub(crate) struct Asked {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) amount: Nanos,
    reference: String,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    from: Member<'a>,
    #[serde(borrow)]
    to: Member<'a>,
    #[serde(borrow)]
    amount: Member<'a>,
    #[serde(borrow)]
    reference: Member<'a>,
}

impl Asked {
    pub(crate) fn read(body: &Body) -> Result<Self, VonageError> {
        let request: Request<'_> = read_object(&body.bytes)?;
        let mut problems = Problems::default();
        let asked = Self {
            from: problems.required_text("from", request.from),
            to: problems.required_text("to", request.to),
            amount: problems.amount(request.amount),
            reference: problems.reference(request.reference),
        };
        problems.none_or_refuse()?;
        Ok(asked)
    }

    pub(crate) fn reference(&self) -> Text {
        (!self.reference.is_empty()).then(|| self.reference.as_bytes().into())
    }
}

/// Between whom: a primary and one of its subaccounts, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Down { to: AccountIndex },
    Up { from: AccountIndex },
}

impl Direction {
    /// Finds both accounts and sees that there may be a transfer between them.
    pub(crate) async fn find(app: &App, primary: &Primary, asked: &Asked) -> Result<Self, VonageError> {
        if asked.from == asked.to {
            return Err(VonageError::same_accounts());
        }
        let [(one, from), (other, to)] = primary.sides(app, &asked.from, &asked.to).await?;
        let direction = match (one, other) {
            (Side::Primary, Side::Subaccount(to)) => Self::Down { to },
            (Side::Subaccount(from), Side::Primary) => Self::Up { from },
            // One account by two of its names.
            (Side::Primary, Side::Primary) => return Err(VonageError::same_accounts()),
            (Side::Subaccount(one), Side::Subaccount(other)) if one == other => {
                return Err(VonageError::same_accounts());
            }
            (Side::Subaccount(_), Side::Subaccount(_)) => {
                return Err(VonageError::not_primary_and_subaccount());
            }
        };
        match (from.is_shared(), to.is_shared()) {
            (true, _) => Err(VonageError::shares_balance(&asked.from)),
            (_, true) => Err(VonageError::shares_balance(&asked.to)),
            (false, false) => Ok(direction),
        }
    }

    /// The key to name when the book refuses because of an account.
    pub(crate) fn about(self, asked: &Asked) -> &str {
        match self {
            Self::Down { .. } => &asked.to,
            Self::Up { .. } => &asked.from,
        }
    }
}

/// The answer to a transfer that was made.
#[derive(Serialize)]
pub(crate) struct Transfer {
    #[serde(rename = "masterAccountId")]
    primary: String,
    #[serde(rename = "_links")]
    links: Links,
    #[serde(flatten)]
    entry: Entry,
}

/// A transfer as lists show it.
#[derive(Serialize)]
pub(crate) struct Entry {
    from: String,
    to: String,
    amount: NumberAmount,
    reference: String,
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_transfer_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_transfer_id: Option<Uuid>,
    created_at: Instant<3>,
}

impl Transfer {
    pub(crate) fn new(
        log: Log,
        primary: &Primary,
        seals: &Seals,
        asked: Asked,
        receipt: &Receipt,
    ) -> Result<Self, VonageError> {
        let (Event::Transferred { from, .. } | Event::Allocated { from, .. }) = &receipt.event else {
            return Err(VonageError::internal("a transfer was answered by another event"));
        };
        let id = id(seals, from);
        Ok(Self {
            primary: primary.key.clone(),
            links: Links::to(format!("{}/{id}", log.path(primary))),
            entry: Entry::new(log, id, asked, receipt.time),
        })
    }
}

impl Entry {
    fn new(log: Log, id: Uuid, asked: Asked, time: Timestamp) -> Self {
        Self {
            from: asked.from,
            to: asked.to,
            amount: NumberAmount(asked.amount),
            reference: asked.reference,
            id,
            credit_transfer_id: (log == Log::Credit).then_some(id),
            balance_transfer_id: (log == Log::Balance).then_some(id),
            created_at: Instant(second(time)),
        }
    }

    /// From what the book recorded.
    pub(crate) fn recorded(
        log: Log,
        seals: &Seals,
        from: (&Image, String),
        to: String,
        amount: Nanos,
        reference: &Text,
        time: Timestamp,
    ) -> Self {
        // A text whose key was destroyed is gone: it reads as if there had been none.
        let reference = reference.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let asked = Asked { from: from.1, to, amount, reference: reference.into_owned() };
        Self::new(log, id(seals, from.0), asked, time)
    }
}

/// The entry on the balance that it left names a transfer.
fn id(seals: &Seals, from: &Image) -> Uuid {
    Uuid::from_bytes(seals.seal(Id::Entry { balance: from.balance, entry: from.entry }))
}

/// Transfers are told in whole seconds.
pub(crate) fn second(time: Timestamp) -> Timestamp {
    Timestamp::from_secs(time.as_micros().div_euclid(1_000_000))
}
