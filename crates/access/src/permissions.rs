//! What somebody may do: a set of operations, whatever it came from.

use engine::KnownMember;
use ledger::{Rights, Within};

use crate::operation::{Side, TABLE};
use crate::{Operation, Role};

/// A bit per operation of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    pub const NONE: Self = Self(0);

    /// Bits that mean nothing here are dropped.
    pub fn from_bits(bits: u64) -> Self {
        Self::of(TABLE.iter().map(|(operation, _)| *operation)).and(Self(bits))
    }

    pub fn bits(self) -> u64 {
        self.0
    }

    pub fn of(operations: impl IntoIterator<Item = Operation>) -> Self {
        Self(operations.into_iter().fold(0, |bits, operation| bits | 1 << operation as u32))
    }

    pub fn of_role(role: Role) -> Self {
        Self::of(TABLE.iter().filter(|(_, roles)| roles.contains(&role)).map(|(operation, _)| *operation))
    }

    /// What can be done inside a family.
    pub fn of_buyers() -> Self {
        let both = TABLE.iter().filter(|(operation, _)| operation.side() == Side::Both);
        Self::of(both.map(|(operation, _)| *operation))
    }

    /// Of a membership: what its rights say, as far as it goes on that side.
    pub(crate) fn of_member(known: &KnownMember) -> Self {
        Self::of_rights(known.rights, known.operations, known.within)
    }

    /// Of rights on one side; `operations` are those of a set.
    pub fn of_rights(rights: Rights, operations: u64, within: Within) -> Self {
        let own = match rights {
            Rights::Role(code) => Role::from_code(code).map_or(Self::NONE, Self::of_role),
            Rights::Set(_) => Self::from_bits(operations),
        };
        match within {
            Within::Organization(_) => own,
            Within::Family(_) => own.and(Self::of_buyers()),
        }
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn may(self, operation: Operation) -> bool {
        self.0 & 1 << operation as u32 != 0
    }

    /// Whether all of `other` is in here: nobody gives what they have not.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn operations(self) -> impl Iterator<Item = Operation> {
        TABLE.iter().map(|(operation, _)| *operation).filter(move |operation| self.may(*operation))
    }
}
