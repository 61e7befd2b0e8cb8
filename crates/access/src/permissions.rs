//! What somebody may do: a set of operations, whatever it came from.

use engine::KnownMember;
use ledger::{Rights, Within};

use crate::operation::{Side, TABLE};
use crate::{Operation, Role};

/// A bit per operation.
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
        Self(operations.into_iter().fold(0, |bits, operation| bits | bit(operation)))
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

    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn may(self, operation: Operation) -> bool {
        self.0 & bit(operation) != 0
    }

    /// Whether all of `other` is in here: nobody gives what they have not.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn operations(self) -> impl Iterator<Item = Operation> {
        TABLE.iter().map(|(operation, _)| *operation).filter(move |operation| self.may(*operation))
    }
}

/// Kept in journals, in sets of permissions: a number is never used again.
fn bit(operation: Operation) -> u64 {
    use Operation as O;
    1 << match operation {
        O::ReadAccounts => 0,
        O::ReadEntries => 1,
        O::OpenAccount => 2,
        O::OpenSubaccount => 3,
        O::ModifyAccount => 4,
        O::FreezeAccount => 5,
        O::CloseAccount => 6,
        O::Charge => 7,
        O::ForceCharge => 8,
        O::Hold => 9,
        O::Transfer => 10,
        O::Allocate => 11,
        O::TopUp => 12,
        O::Refund => 13,
        O::Adjust => 14,
        O::GiveUsageCredit => 15,
        O::Withdraw => 16,
        O::SetCredit => 17,
        O::ManageSecrets => 18,
        O::ManageTokens => 19,
        O::ManageUsers => 20,
        O::ManageMembers => 21,
        O::ManagePermissions => 22,
        O::HandOver => 23,
        O::ReadAudit => 24,
        O::ManageOrganization => 25,
        O::Operate => 26,
        O::ChangeSettings => 27,
        O::SetThroughput => 28,
        O::SetReload => 29,
        O::StartReload => 30,
        O::AssignNumber => 31,
        O::TransferNumber => 32,
        O::ManageSignIn => 40,
    }
}
