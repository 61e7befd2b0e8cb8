//! What a scope lets a credential do: a set of operations. An action is a name for some of them.

use ledger::Allowed;

use crate::operation::TABLE;
use crate::{Operation, Permissions};

/// What most programs are for. Everything that an action names is an account's own to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    Read,
    Charge,
    Hold,
    Transfer,
    Allocate,
    Modify,
    Reload,
}

impl Action {
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Charge, Self::Hold, Self::Transfer, Self::Allocate, Self::Modify, Self::Reload];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Charge => "charge",
            Self::Hold => "hold",
            Self::Transfer => "transfer",
            Self::Allocate => "allocate",
            Self::Modify => "modify",
            Self::Reload => "reload",
        }
    }

    pub fn operations(self) -> Permissions {
        let named = TABLE.iter().map(|(operation, _)| *operation);
        Permissions::of(named.filter(|operation| operation.action() == Some(self)))
    }

    /// Kept in journals, in scopes as they were before they named operations.
    fn bit(self) -> u32 {
        match self {
            Self::Read => 1 << 0,
            Self::Charge => 1 << 1,
            Self::Hold => 1 << 2,
            Self::Transfer => 1 << 3,
            Self::Allocate => 1 << 4,
            Self::Modify => 1 << 5,
            Self::Reload => 1 << 6,
        }
    }
}

impl Permissions {
    /// All that a scope can name.
    pub fn of_scopes() -> Self {
        let named = TABLE.iter().map(|(operation, _)| *operation);
        Self::of(named.filter(|operation| operation.is_in_scopes()))
    }

    /// Of an operation or an action by its name: `open-subaccount`, `read`.
    pub fn named(name: &str) -> Option<Self> {
        let action = Action::ALL.into_iter().find(|action| action.name() == name);
        action.map(Action::operations).or_else(|| Operation::parse(name).map(|it| Self::of([it])))
    }

    pub fn allowed(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Operations(bits) => Self::from_bits(bits).and(Self::of_scopes()),
            Allowed::Actions(bits) => {
                let actions = Action::ALL.into_iter().filter(|action| bits & action.bit() != 0);
                actions.fold(Self::NONE, |all, action| all.or(action.operations()))
            }
        }
    }
}

#[cfg(test)]
mod tests;
