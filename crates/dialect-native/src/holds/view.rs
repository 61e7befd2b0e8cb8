//! A hold as it is printed.

use std::sync::Arc;

use dialect::App;
use domain::Timestamp;
use engine::{Id, Seals};
use ledger::{AccountIndex, HoldId, Ledger, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::view::string;
use crate::ids;
use crate::problem::{Kind, Problem};
use crate::values::{Amount, Time};

/// An amount set aside.
#[derive(Serialize, ToSchema)]
pub(crate) struct Hold {
    pub(crate) id: String,
    pub(crate) account: String,
    /// What is still set aside.
    pub(crate) amount: Amount,
    /// What was captured of it so far.
    pub(crate) captured: Amount,
    /// What the payer has available after it; only where the hold was just placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<Amount>,
    pub(crate) placed_at: Time,
    pub(crate) expires_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) used_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quantity: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
}

/// What the state says of a hold; printed elsewhere.
pub(crate) struct View {
    id: HoldId,
    account: AccountIndex,
    hold: ledger::Hold,
    product: Text,
    used_by: Text,
}

impl View {
    pub(crate) fn of(ledger: &Ledger, id: HoldId, hold: &ledger::Hold) -> Self {
        let name = |name: Option<ledger::NameIndex>| -> Option<Arc<[u8]>> {
            name.and_then(|name| ledger.name(name).text.clone())
        };
        Self {
            id,
            account: hold.account,
            hold: hold.clone(),
            product: name(hold.usage.product),
            used_by: name(hold.usage.used_by),
        }
    }

    pub(crate) fn print(&self, seals: &Seals) -> Hold {
        let hold = &self.hold;
        Hold {
            id: ids::print(seals, Id::Hold(self.id)),
            account: ids::account(seals, self.account),
            amount: hold.amount.into(),
            captured: hold.captured.into(),
            available: None,
            placed_at: hold.placed_at.into(),
            expires_at: hold.expires_at.into(),
            product: string(&self.product),
            used_by: string(&self.used_by),
            quantity: hold.usage.quantity.map(Into::into),
            reference: string(&hold.usage.reference),
        }
    }
}

/// Until when: a number of seconds from now, or an instant; one of them at most.
#[derive(Clone, Copy, Default)]
pub(crate) struct Until {
    pub(crate) expires_in: Option<u32>,
    pub(crate) expires_at: Option<Time>,
}

const LIFE_DEFAULT_SECS: u32 = 3600;

impl Until {
    pub(crate) async fn resolve(self, app: &App) -> Result<Timestamp, Problem> {
        let secs = match (self.expires_in, self.expires_at) {
            (Some(_), Some(_)) => {
                return Err(Problem::field("expires_at", "stands beside expires_in: give one of them"));
            }
            (None, Some(expires_at)) => return Ok(expires_at.timestamp()),
            (secs, None) => secs.unwrap_or(LIFE_DEFAULT_SECS),
        };
        let now = app.engine.read(|_, now| now).await?;
        Ok(now.plus_secs(i64::from(secs)))
    }

    /// The rules speak of the instant; what is wrong is the field that was sent.
    pub(crate) fn name_field(self, problem: Problem) -> Problem {
        match problem.kind() {
            kind @ (Kind::HoldTooLong | Kind::HoldExpiryPast) if self.expires_in.is_some() => {
                Problem::new(kind).with_field("expires_in")
            }
            _ => problem,
        }
    }
}

/// What a capture above its hold may take.
#[derive(Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Excess {
    /// Nothing: it is refused.
    #[default]
    Exact,
    /// As much of it as is available.
    UpToAvailable,
    /// All of it, if a charge of the rest would be admitted.
    Strict,
    /// All of it, if anything is available.
    Served,
    /// All of it; only the seller may say so.
    Forced,
}

impl View {
    /// What is still set aside.
    pub(crate) fn amount(&self) -> domain::Nanos {
        self.hold.amount
    }
}
