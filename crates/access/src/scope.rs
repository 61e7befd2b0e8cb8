//! What a secret may be held to, in words: the actions that scopes name.

use engine::UNSCOPED;

/// A part of what an account may do. Making accounts and secrets is in no scope: whoever could, would be
/// held to none.
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

    /// Kept in journals: a number is never used again.
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

/// Some of the actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions(u32);

impl Actions {
    /// All that a scope can name.
    pub fn all() -> Self {
        Action::ALL.into_iter().collect()
    }

    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub fn bits(self) -> u32 {
        self.0
    }

    pub fn is_scoped(self) -> bool {
        self.0 != UNSCOPED
    }

    pub fn has(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| self.has(*action))
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(actions.into_iter().fold(0, |bits, action| bits | action.bit()))
    }
}
