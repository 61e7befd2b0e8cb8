//! What a credential may not, though its holder may: other operations, other accounts, more than so much money.
//!
//! Which operations there are is known to the callers' table; accounts and money are decided here, in the
//! order of charges. The money is in `limit.rs`.

use std::sync::Arc;

use crate::draft::Draft;
use crate::{AccountIndex, Actor, Flow, Flows, Funding, Ledger, Limit, NewAccount, PerDay, Rejection, Span};

/// Accounts that one scope may name.
pub const SCOPE_ACCOUNTS_MAX: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub allowed: Allowed,
    /// The only accounts it may act on; none named is all that its holder reaches.
    pub accounts: Arc<[AccountIndex]>,
    /// Whether what is below those accounts is meant, too.
    pub below: bool,
    pub limits: Arc<[Limit]>,
}

/// What it may do, as the callers' table numbers it. Here it is only kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// As it was before scopes named operations; none is made any more.
    Actions(u32),
    Operations(u64),
}

/// A scope as it was before there were limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerScope {
    pub actions: u32,
    pub accounts: Arc<[AccountIndex]>,
    pub per_day: Option<PerDay>,
}

impl Scope {
    /// Whether it ends at chosen accounts.
    pub fn is_limited(&self) -> bool {
        !self.accounts.is_empty()
    }

    fn covers(&self, ledger: &Ledger, account: AccountIndex) -> bool {
        !self.is_limited()
            || self.accounts.contains(&account)
            || self.below && ledger.is_chosen(&self.accounts, account)
    }

    /// As its event and its object are stored, if it is one of those.
    pub fn former(&self) -> Option<FormerScope> {
        let Allowed::Actions(actions) = self.allowed else { return None };
        let per_day =
            self.limits.first().map(|limit| PerDay { currency: limit.currency, amount: limit.amount });
        Some(FormerScope { actions, accounts: self.accounts.clone(), per_day })
    }
}

impl From<FormerScope> for Scope {
    fn from(former: FormerScope) -> Self {
        let limit = |it: PerDay| Limit {
            flows: Flows::of([Flow::Charge, Flow::Transfer, Flow::Allocate]),
            currency: it.currency,
            amount: it.amount,
            span: Span::Day,
        };
        Self {
            allowed: Allowed::Actions(former.actions),
            accounts: former.accounts,
            below: false,
            limits: former.per_day.map(limit).into_iter().collect(),
        }
    }
}

impl Ledger {
    /// What the actor's credential is held to, if it is.
    pub fn scope(&self, actor: Actor) -> Option<&Scope> {
        match actor {
            Actor::System | Actor::Session(_) | Actor::Member(_) => None,
            Actor::Credential(index) => self.credential(index).scope.as_deref(),
        }
    }

    /// Whether the account is among those that the actor is limited to, by the scope of its credential and as a
    /// person; whoever is not limited is kept from none.
    pub fn is_open_to(&self, actor: Actor, account: AccountIndex) -> bool {
        self.scope(actor).is_none_or(|scope| scope.covers(self, account))
            && self.is_chosen(self.chosen(actor), account)
    }

    /// Whether the actor is limited to chosen accounts.
    pub fn is_limited(&self, actor: Actor) -> bool {
        self.scope(actor).is_some_and(Scope::is_limited) || !self.chosen(actor).is_empty()
    }
}

impl Draft<'_> {
    /// The account is among those that whoever acts is limited to, if there is such a limit: also asked of the
    /// other end of what moves, which may stand above the caller.
    pub(crate) fn open_to(&self, account: AccountIndex) -> Result<(), Rejection> {
        let is_covered = self.scope().is_none_or(|scope| scope.covers(self.ledger, account));
        if is_covered && self.ledger.is_chosen(self.chosen, account) {
            Ok(())
        } else {
            Err(Rejection::AccountNotFound)
        }
    }

    /// Whoever is held to a scope makes nobody who is not.
    pub(crate) fn unscoped(&self) -> Result<(), Rejection> {
        if self.scope().is_none() { Ok(()) } else { Err(Rejection::OutOfScope) }
    }

    /// An account has keys of its own, which are held to nothing: what is opened within a scope spends only what
    /// it was given, which was counted.
    pub(crate) fn confined(&self, new: &NewAccount) -> Result<(), Rejection> {
        let is_confined = new.funding == Funding::Own && !new.allows_overruns;
        if is_confined { Ok(()) } else { self.unscoped() }
    }
}
