//! An account as this API can tell of it, taken from the state in one look.

use domain::{Nanos, Timestamp};
use engine::Seals;
use ledger::{AccountIndex, Funding, Ledger, Status};

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) account: AccountIndex,
    pub(crate) name: String,
    /// None when it shares the primary's.
    pub(crate) own: Option<Own>,
    /// Any restriction, whoever set it.
    pub(crate) suspended: bool,
    pub(crate) opened_at: Timestamp,
}

/// Money of one's own, in the home currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) posted: Nanos,
    pub(crate) credit: Nanos,
}

impl View {
    pub(crate) fn of(ledger: &Ledger, index: AccountIndex) -> Self {
        let account = ledger.account(index);
        let name = account.name.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        Self {
            account: index,
            name: name.into_owned(),
            own: (account.funding != Funding::Shared).then(|| Own::of(ledger, index)),
            suspended: is_suspended(ledger, index),
            opened_at: account.opened_at,
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.own.is_none()
    }
}

impl Own {
    /// Zero for an account whose balance nothing has touched yet.
    pub(crate) fn of(ledger: &Ledger, account: AccountIndex) -> Self {
        let balance = ledger.balance_of(account, ledger.account(account).currency);
        let amounts = balance.map(|balance| &ledger.balance(balance).amounts);
        amounts
            .map_or_else(Self::default, |amounts| Self { posted: amounts.posted(), credit: amounts.credit() })
    }
}

pub(crate) fn is_suspended(ledger: &Ledger, index: AccountIndex) -> bool {
    let account = ledger.account(index);
    account.restrictions.suspended || account.status == Status::Closed || ledger.is_frozen(index)
}

/// An API key as it is printed.
pub(crate) fn key_of(seals: &Seals, account: AccountIndex) -> String {
    format!("{:08x}", seals.account_key(account))
}
