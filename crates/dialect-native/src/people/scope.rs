//! What a credential may be held to, on the wire.

use access::{Caller, Permissions};
use dialect::App;
use domain::Timestamp;
use engine::Seals;
use ledger::{AccountIndex, Allowed, Credential, LIMITS_MAX, SCOPE_ACCOUNTS_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::limit::{AskedLimit, Limit};
use super::member::names;
use crate::ids;
use crate::look::find_in_field;
use crate::problem::Problem;

/// What a credential is to be held to; whatever is absent is not restricted. None that is held to a scope makes
/// credentials or gives rights, and accounts that it opens have money of their own and admit no overruns.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedScope {
    /// All it may do: operations by their names, as `GET /me` lists them, and `read`, `modify` and `reload`,
    /// which stand for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<String>>,
    /// The only accounts it may act on, and what is below them, by any of their handles. At most 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<String>>,
    /// `false`: what is below those accounts is not meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<bool>,
    /// At most 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Vec<AskedLimit>>,
}

/// What a credential is held to; whatever is absent is not restricted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Scope {
    /// All it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<String>>,
    /// The only accounts it may act on, and what is below them.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<String>>,
    /// `false`: what is below those accounts is not meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Vec<Limit>>,
}

impl AskedScope {
    /// As the ledger takes it, for a credential that may `all` without it, where `home` is the currency.
    pub(super) async fn scope(
        &self,
        app: &App,
        caller: &Caller,
        all: Permissions,
        home: domain::Currency,
    ) -> Result<Box<ledger::Scope>, Problem> {
        let operations = operations(self.operations.as_deref(), all)?;
        let limits = few("limits", self.limits.as_deref(), LIMITS_MAX)?;
        let limits = limits.iter().map(|limit| limit.limit(home)).collect::<Result<_, _>>()?;
        let mut accounts: Vec<AccountIndex> = Vec::new();
        for name in few("accounts", self.accounts.as_deref(), SCOPE_ACCOUNTS_MAX)? {
            accounts.push(find_in_field(app, caller, "scope", name).await?);
        }
        if self.below.is_some() && accounts.is_empty() {
            return Err(Problem::field("scope", "below: stands beside accounts"));
        }
        let allowed = Allowed::Operations(operations.bits());
        Ok(Box::new(ledger::Scope {
            allowed,
            accounts: accounts.into(),
            below: self.below.unwrap_or(true),
            limits,
        }))
    }
}

impl AskedScope {
    /// As it was asked for, with operations and accounts by their own names.
    pub(crate) fn of(seals: &Seals, scope: &ledger::Scope) -> Self {
        let limits = scope.limits.iter().map(AskedLimit::of);
        Self {
            operations: operations_of(scope),
            accounts: accounts_of(seals, scope),
            below: below_of(scope),
            limits: (!scope.limits.is_empty()).then(|| limits.collect()),
        }
    }
}

impl Scope {
    /// Of a credential, if it is held to one, with what is left at `now`.
    pub(super) fn of(seals: &Seals, credential: &Credential, now: Timestamp) -> Option<Self> {
        let scope = credential.scope.as_deref()?;
        let counted = scope.limits.iter().zip(&credential.spent);
        let limits = counted.map(|(limit, spent)| Limit::of(limit, spent.of(limit.span.number(now))));
        Some(Self {
            operations: operations_of(scope),
            accounts: accounts_of(seals, scope),
            below: below_of(scope),
            limits: (!scope.limits.is_empty()).then(|| limits.collect()),
        })
    }
}

fn operations_of(scope: &ledger::Scope) -> Option<Vec<String>> {
    let operations = Permissions::allowed(scope.allowed);
    (operations != Permissions::of_scopes()).then(|| names(operations))
}

fn accounts_of(seals: &Seals, scope: &ledger::Scope) -> Option<Vec<String>> {
    let accounts = scope.accounts.iter().map(|account| ids::account(seals, *account));
    scope.is_limited().then(|| accounts.collect())
}

fn below_of(scope: &ledger::Scope) -> Option<bool> {
    (scope.is_limited() && !scope.below).then_some(false)
}

/// Nobody is told that a credential may what its holder may not.
fn operations(asked: Option<&[String]>, all: Permissions) -> Result<Permissions, Problem> {
    let Some(asked) = asked else { return Ok(Permissions::of_scopes()) };
    if asked.is_empty() {
        return Err(Problem::field("scope", "operations: expected one at least"));
    }
    let mut together = Permissions::NONE;
    for name in asked {
        let named = Permissions::named(name)
            .ok_or_else(|| Problem::field("scope", format!("operations: {} is none", name.escape_debug())))?;
        for operation in named.operations() {
            if !operation.is_in_scopes() {
                let what = format!("operations: no scope lets anybody {}", operation.text());
                return Err(Problem::field("scope", what));
            }
            if !all.may(operation) {
                let what = format!("operations: without it this credential could not {}", operation.text());
                return Err(Problem::field("scope", what));
            }
        }
        together = together.or(named);
    }
    Ok(together)
}

fn few<'a, T>(member: &str, list: Option<&'a [T]>, max: usize) -> Result<&'a [T], Problem> {
    match list {
        Some([]) => Err(Problem::field("scope", format!("{member}: expected one at least"))),
        Some(list) if list.len() > max => {
            Err(Problem::field("scope", format!("{member}: expected {max} at most")))
        }
        list => Ok(list.unwrap_or_default()),
    }
}
