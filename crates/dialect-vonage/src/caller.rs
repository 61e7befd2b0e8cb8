//! Who asks, and whether the path is theirs: the order of checks that every operation shares.

use std::sync::Arc;

use access::{AccessError, Caller, Operation};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use dialect::App;
use domain::Timestamp;
use engine::{Outcome, Receipt};
use ledger::{AccountIndex, Act, Ledger};

use crate::error::VonageError;
use crate::once;
use crate::view::{View, key_of};

/// A provisioned primary account that asks at its own path.
pub(crate) struct Primary {
    pub(crate) caller: Caller,
    pub(crate) account: AccountIndex,
    pub(crate) key: String,
}

/// An account that a body or a path names, as the primary may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Primary,
    Subaccount(AccountIndex),
}

impl FromRequestParts<Arc<App>> for Primary {
    type Rejection = VonageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, VonageError> {
        let (caller, account) = account_caller(app, &parts.headers).await?;
        let path = path_param(parts, app, "api_key").await;
        if access::parse_account(&app.engine, &path) != Ok(account) {
            return Err(VonageError::invalid_api_key(&path));
        }
        let key = key_of(app.engine.seals(), account);
        let provisioned = move |ledger: &Ledger, _| {
            let account = ledger.account(account);
            account.parent.is_none() && account.may_open_children
        };
        if !look(app, &caller, provisioned).await? {
            return Err(VonageError::unprovisioned(&key));
        }
        Ok(Self { caller, account, key })
    }
}

/// Looks at the state, if the caller's credential still counts there.
pub(crate) async fn look<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    look: impl FnOnce(&Ledger, Timestamp) -> T + Send + 'static,
) -> Result<T, VonageError> {
    let caller = *caller;
    let seen = app.engine.read(move |ledger, now| caller.counts(ledger, now).then(|| look(ledger, now)));
    seen.await?.ok_or_else(|| AccessError::Unauthenticated.into())
}

/// Whoever proves to be an account. The seller's own tokens mean nothing to this API.
pub(crate) async fn account_caller(
    app: &App,
    headers: &HeaderMap,
) -> Result<(Caller, AccountIndex), VonageError> {
    let caller = app.caller(headers).await?;
    Ok((caller, own_account(app, &caller).await?))
}

/// Whose credential it is, if it is not limited to others: everything here begins at one's own account.
pub(crate) async fn own_account(app: &App, caller: &Caller) -> Result<AccountIndex, VonageError> {
    let account = caller.account().ok_or(AccessError::Unauthenticated)?;
    if !caller.is_limited() {
        return Ok(account);
    }
    let actor = caller.actor();
    let is_open = look(app, caller, move |ledger, _| ledger.is_open_to(actor, account)).await?;
    if is_open { Ok(account) } else { Err(VonageError::out_of_scope()) }
}

pub(crate) async fn path_param(parts: &mut Parts, app: &Arc<App>, name: &str) -> String {
    let params = RawPathParams::from_request_parts(parts, app).await;
    let found = params.ok().and_then(|params| {
        params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    });
    found.unwrap_or_default()
}

impl Primary {
    pub(crate) fn may(&self, operation: Operation) -> Result<(), VonageError> {
        Ok(self.caller.may(operation)?)
    }

    /// The subaccount of this key.
    pub(crate) async fn subaccount(&self, app: &App, key: &str) -> Result<View, VonageError> {
        let unknown = || VonageError::invalid_api_key(key);
        let account = access::parse_own(&app.engine, &self.caller, key).map_err(|_| unknown())?;
        let primary = self.account;
        let actor = self.caller.actor();
        let seen = move |ledger: &Ledger, _| match side(ledger, primary, account) {
            Some(Side::Subaccount(account)) => {
                ledger.is_open_to(actor, account).then(|| View::of(ledger, account))
            }
            Some(Side::Primary) | None => None,
        };
        look(app, &self.caller, seen).await?.ok_or_else(unknown)
    }

    /// What two keys mean, and how the accounts are; the first unknown one is named.
    pub(crate) async fn sides(
        &self,
        app: &App,
        from: &str,
        to: &str,
    ) -> Result<[(Side, View); 2], VonageError> {
        let accounts = [from, to].map(|key| access::parse_account(&app.engine, key).ok());
        let (primary, actor) = (self.account, self.caller.actor());
        let seen = move |ledger: &Ledger, _| {
            accounts.map(|account| {
                let account = account.filter(|account| ledger.is_open_to(actor, *account))?;
                Some((side(ledger, primary, account)?, View::of(ledger, account)))
            })
        };
        let [one, other] = look(app, &self.caller, seen).await?;
        let one = one.ok_or_else(|| VonageError::invalid_api_key(from))?;
        let other = other.ok_or_else(|| VonageError::invalid_api_key(to))?;
        Ok([one, other])
    }

    /// Has one act done. `about` is the key that is named when the book does not know the account.
    pub(crate) async fn submit(&self, app: &App, act: Act, about: &str) -> Result<Receipt, VonageError> {
        match once::submit(app, &self.caller, act).await? {
            Outcome::Done(receipt) => Ok(receipt),
            Outcome::Rejected(rejection) => Err(VonageError::rejected(app.engine.seals(), &rejection, about)),
            Outcome::Refused(refusal) => Err(VonageError::refused(refusal)),
            Outcome::Repeated(_) => Err(VonageError::internal("a request without a key was called repeated")),
        }
    }
}

/// Direct, managed children only: nothing else exists in this API.
pub(crate) fn side(ledger: &Ledger, primary: AccountIndex, account: AccountIndex) -> Option<Side> {
    if account == primary {
        return Some(Side::Primary);
    }
    let child = ledger.account(account);
    (child.parent == Some(primary) && child.managed).then_some(Side::Subaccount(account))
}
