//! Who asks, and which account they mean.

use std::sync::Arc;

use access::{Caller, Operation, UnknownHandle, find_account};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use dialect::App;
use ledger::AccountIndex;

use crate::problem::{Kind, Problem};

/// A request whose caller proved who they are.
#[derive(Clone, Copy)]
pub(crate) struct Signed(pub(crate) Caller);

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(Self(app.caller(&parts.headers).await?))
    }
}

impl Signed {
    /// Asked before anything else is looked at.
    pub(crate) fn may(&self, operation: Operation) -> Result<(), Problem> {
        Ok(self.0.may(operation)?)
    }
}

/// The account that a text means to the caller. Whether the caller may see it is for the book to say, with the same
/// answer as for one that does not exist.
pub(crate) fn account(app: &App, caller: &Caller, text: &str) -> Result<AccountIndex, Problem> {
    find_account(&app.engine, caller.organization(), text).map_err(|unknown| match unknown {
        UnknownHandle::NotFound => Problem::new(Kind::AccountNotFound),
        // Which kinds of handles others have is nothing for a buyer to know.
        UnknownHandle::Ambiguous(_) if caller.account().is_some() => Problem::new(Kind::AccountNotFound),
        UnknownHandle::Ambiguous(_) => Problem::new(Kind::AmbiguousHandle).with_detail(unknown.to_string()),
    })
}
