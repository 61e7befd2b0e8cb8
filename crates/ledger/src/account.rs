//! Accounts: who pays for whom, and what a status allows.
//!
//! | | active | suspended | frozen | closed |
//! |---|---|---|---|---|
//! | spend: charge, place and extend holds | yes | no | no | no |
//! | settle: capture, void, expire | yes | yes | yes | – |
//! | receive: top-up, refund, transfer in | yes | yes | yes | no |
//! | send: transfer and allocation out, withdraw | yes | by the parent | no | no |
//! | settings · adjustment by the seller | yes · yes | yes · yes | yes · yes | no · yes |

use domain::{Currency, Timestamp};

use crate::{
    AccountIndex, BalanceIndex, CredentialIndex, EventRef, Ledger, OrganizationIndex, Rejection, Text,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub organization: OrganizationIndex,
    pub parent: Option<AccountIndex>,
    pub root: AccountIndex,
    pub funding: Funding,
    pub status: Status,
    pub restrictions: Restrictions,
    pub terms: Terms,
    /// Whether its parent may see and manage it.
    pub managed: bool,
    /// Metered charges behave as served.
    pub allows_overruns: bool,
    /// May have children made by its own credentials.
    pub may_open_children: bool,
    /// Its home currency, fixed.
    pub currency: Currency,
    pub opened_at: Timestamp,
    pub name: Text,
    pub first_balance: Option<BalanceIndex>,
    pub first_child: Option<AccountIndex>,
    pub last_child: Option<AccountIndex>,
    pub next_sibling: Option<AccountIndex>,
    pub children: u32,
    pub last_credential: Option<CredentialIndex>,
    /// Holds that will be its usage.
    pub open_holds: u32,
    /// How many names its family has brought up; kept at the root.
    pub names: u32,
    /// What it is called besides its id: kind and sealed text, in the order they were set.
    pub handles: Vec<(u8, Text)>,
    pub last: EventRef,
}

/// Whose balance pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Funding {
    Own,
    /// The nearest ancestor with its own.
    Shared,
    /// Another account, by mandate.
    PaidBy(AccountIndex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Restrictions {
    /// By the parent or the seller; lifted by either.
    pub suspended: bool,
    /// By the seller; reaches descendants.
    pub frozen: bool,
}

/// What happens to debt at a period's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// It stays in posted until it is paid.
    Running,
    /// It moves to the root's receivable.
    Invoiced,
}

/// What an act does to an account, as far as its status is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Spend,
    Settle,
    Receive,
    Send { by_parent: bool },
    Settings,
    Adjust,
}

/// More generations than any customer has; bounds every walk to the root.
pub(crate) const DEPTH_MAX: usize = 8;
/// Accounts that one book may hold: their keys have so many values.
pub const ACCOUNTS_MAX: usize = 1 << 28;

impl Ledger {
    /// The account whose balance pays for `account`: the nearest ancestor with its own balance, then at
    /// most one hop by mandate.
    pub fn payer(&self, account: AccountIndex) -> AccountIndex {
        let mut index = account;
        loop {
            let account = self.account(index);
            match (account.funding, account.parent) {
                (Funding::Shared, Some(parent)) => index = parent,
                (Funding::PaidBy(payer), _) => return payer,
                (Funding::Own | Funding::Shared, _) => return index,
            }
        }
    }

    pub fn is_frozen(&self, account: AccountIndex) -> bool {
        self.lineage(account).any(|(_, account)| account.restrictions.frozen)
    }

    /// The account and its ancestors, nearest first.
    pub fn lineage(&self, account: AccountIndex) -> impl Iterator<Item = (AccountIndex, &Account)> {
        std::iter::successors(Some((account, self.account(account))), |(_, account)| {
            account.parent.map(|parent| (parent, self.account(parent)))
        })
    }

    /// Whether `ancestor` stands above `account` and every edge between them is managed.
    pub fn manages(&self, ancestor: AccountIndex, account: AccountIndex) -> bool {
        for (_, below) in self.lineage(account) {
            if !below.managed || below.parent.is_none() {
                return false;
            }
            if below.parent == Some(ancestor) {
                return true;
            }
        }
        false
    }

    /// The children of an account, oldest first, beginning behind `after`.
    pub fn children(
        &self,
        parent: AccountIndex,
        after: Option<AccountIndex>,
    ) -> impl Iterator<Item = (AccountIndex, &Account)> {
        let first = match after {
            Some(child) => self.account(child).next_sibling,
            None => self.account(parent).first_child,
        };
        std::iter::successors(first, |child| self.account(*child).next_sibling)
            .map(|child| (child, self.account(child)))
    }

    pub(crate) fn allows(&self, index: AccountIndex, class: Class) -> Result<(), Rejection> {
        let account = self.account(index);
        let closed = account.status == Status::Closed;
        match class {
            Class::Settle | Class::Adjust => Ok(()),
            Class::Receive | Class::Settings if closed => Err(Rejection::AccountClosed { account: index }),
            Class::Receive | Class::Settings => Ok(()),
            Class::Spend | Class::Send { .. } if closed => Err(Rejection::AccountClosed { account: index }),
            Class::Spend | Class::Send { .. } if self.is_frozen(index) => {
                Err(Rejection::AccountFrozen { account: index })
            }
            Class::Send { by_parent: true } => Ok(()),
            Class::Spend | Class::Send { by_parent: false } if account.restrictions.suspended => {
                Err(Rejection::AccountSuspended { account: index })
            }
            Class::Spend | Class::Send { by_parent: false } => Ok(()),
        }
    }
}
