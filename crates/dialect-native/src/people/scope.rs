//! What a secret may be held to, on the wire.

use access::{Action, Actions, Caller};
use dialect::App;
use engine::Seals;
use ledger::{AccountIndex, PerDay, SCOPE_ACCOUNTS_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids;
use crate::look::find_in_field;
use crate::problem::Problem;
use crate::values::{Amount, Currency};

/// What a secret is held to; whatever is absent is not restricted. Accounts and secrets are made by no secret
/// that is held to a scope.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Scope)]
pub(crate) struct ScopeBody {
    /// All it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<ActionName>>,
    /// The only accounts it may act on, by any of their handles; ids in answers. At most 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_day: Option<PerDayBody>,
}

/// The most that a secret may spend in a day of UTC: by charges, holds, transfers and allocations, in one
/// currency and no other. What a hold gives back, or a refund, frees nothing.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PerDay)]
struct PerDayBody {
    amount: Amount,
    /// The home currency when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Action)]
enum ActionName {
    /// Accounts, balances, entries, holds.
    Read,
    Charge,
    Hold,
    Transfer,
    Allocate,
    /// Names, suspensions, funding, callbacks, numbers.
    Modify,
    Reload,
}

impl ActionName {
    fn action(self) -> Action {
        match self {
            Self::Read => Action::Read,
            Self::Charge => Action::Charge,
            Self::Hold => Action::Hold,
            Self::Transfer => Action::Transfer,
            Self::Allocate => Action::Allocate,
            Self::Modify => Action::Modify,
            Self::Reload => Action::Reload,
        }
    }

    fn of(action: Action) -> Self {
        match action {
            Action::Read => Self::Read,
            Action::Charge => Self::Charge,
            Action::Hold => Self::Hold,
            Action::Transfer => Self::Transfer,
            Action::Allocate => Self::Allocate,
            Action::Modify => Self::Modify,
            Action::Reload => Self::Reload,
        }
    }
}

impl ScopeBody {
    /// As the ledger takes it, for a secret of an account that is kept in `home`.
    pub(super) async fn scope(
        &self,
        app: &App,
        caller: &Caller,
        home: domain::Currency,
    ) -> Result<ledger::Scope, Problem> {
        let actions = match self.actions.as_deref() {
            None => Actions::all(),
            Some([]) => return Err(Problem::field("scope", "actions: expected one at least")),
            Some(names) => names.iter().map(|name| name.action()).collect(),
        };
        let mut accounts: Vec<AccountIndex> = Vec::new();
        match self.accounts.as_deref() {
            Some([]) => return Err(Problem::field("scope", "accounts: expected one at least")),
            Some(names) if names.len() > SCOPE_ACCOUNTS_MAX => {
                return Err(Problem::field("scope", "accounts: expected 32 at most"));
            }
            names => {
                for name in names.unwrap_or_default() {
                    accounts.push(find_in_field(app, caller, "scope", name).await?);
                }
            }
        }
        let per_day = self.per_day.as_ref().map(|it| PerDay {
            currency: it.currency.map_or(home, |currency| currency.0),
            amount: it.amount.nanos(),
        });
        if per_day.is_some_and(|it| !it.amount.is_positive()) {
            return Err(Problem::field("scope", "per_day: the amount must be greater than zero"));
        }
        Ok(ledger::Scope { actions: actions.bits(), accounts: accounts.into(), per_day })
    }

    pub(super) fn of(seals: &Seals, scope: &ledger::Scope) -> Self {
        let actions = Actions::from_bits(scope.actions);
        let accounts = scope.accounts.iter().map(|account| ids::account(seals, *account));
        Self {
            actions: (actions != Actions::all()).then(|| actions.iter().map(ActionName::of).collect()),
            accounts: (!scope.accounts.is_empty()).then(|| accounts.collect()),
            per_day: scope
                .per_day
                .map(|it| PerDayBody { amount: it.amount.into(), currency: Some(Currency(it.currency)) }),
        }
    }
}
