//! The one table of who may do what.

use ledger::RoleCode;

use crate::Action;

/// The seller's roles, and that of an account's own credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything.
    Owner,
    /// Money, credit and corrections; no people, no credentials.
    Finance,
    /// Integrates: accounts, usage, holds; no money is made.
    Developer,
    /// Looks.
    ReadOnly,
    /// An account's own key and secret: acts inside its family, never makes money or credit.
    Account,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Finance, Self::Developer, Self::ReadOnly, Self::Account];

    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Finance => "finance",
            Self::Developer => "developer",
            Self::ReadOnly => "read-only",
            Self::Account => "account",
        }
    }

    /// A role of the seller's by its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name && *role != Self::Account)
    }

    pub fn code(self) -> RoleCode {
        RoleCode(match self {
            Self::Owner => 1,
            Self::Finance => 2,
            Self::Developer => 3,
            Self::ReadOnly => 4,
            Self::Account => 16,
        })
    }

    pub fn from_code(code: RoleCode) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    pub fn may(self, operation: Operation) -> bool {
        let (_, roles) = TABLE[operation as usize];
        roles.contains(&self)
    }
}

/// On which side of the counter an operation is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Seller,
    /// The seller, and a buyer inside its family.
    Both,
}

macro_rules! operations {
    ($($(#[$meta:meta])* $name:ident $text:literal $(by $action:ident)? [$($role:ident)*];)*) => {
        /// What can be done, as far as rights tell things apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Operation { $($(#[$meta])* $name),* }

        /// Role × operation: the source of checks, documentation and tests.
        pub const TABLE: &[(Operation, &[Role])] = &[$((Operation::$name, &[$(Role::$role),*])),*];

        impl Operation {
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The action by which a scope lets a secret do it; none for what no scope does.
            pub fn action(self) -> Option<Action> {
                match self { $(Self::$name => [$(Action::$action)?].first().copied()),* }
            }
        }
    };
}

operations! {
    ReadAccounts "read accounts and balances" by Read [Owner Finance Developer ReadOnly Account];
    ReadEntries "read entries, holds and transfers" by Read [Owner Finance Developer ReadOnly Account];
    OpenAccount "open a primary account" [Owner Finance Developer];
    OpenSubaccount "open a subaccount" [Owner Finance Developer Account];
    ModifyAccount "rename, suspend and reactivate, split and merge" by Modify [Owner Finance Developer Account];
    ChangeSettings "change an account's callbacks" by Modify [Owner Finance Developer Account];
    SetThroughput "set an account's throughput" [Owner Finance Developer];
    FreezeAccount "freeze and unfreeze" [Owner Finance];
    CloseAccount "close and reopen" [Owner Finance];
    Charge "charge" by Charge [Owner Finance Developer Account];
    /// Overrides funds.
    ForceCharge "charge with the forced admission" [Owner Finance];
    Hold "place, extend, capture and void holds" by Hold [Owner Finance Developer Account];
    Transfer "transfer money inside a family" by Transfer [Owner Finance Account];
    Allocate "allocate credit inside a family" by Allocate [Owner Finance Account];
    TopUp "record a payment" [Owner Finance];
    SetReload "set a reload rule, and say whether its money came" [Owner Finance];
    /// Pays through a provider: it makes no money.
    StartReload "start a reload by its rule" by Reload [Owner Finance Account];
    Refund "refund a charge" [Owner Finance];
    Adjust "adjust a balance" [Owner Finance];
    GiveUsageCredit "give usage credit" [Owner Finance];
    Withdraw "withdraw money" [Owner Finance];
    SetCredit "set a credit limit" [Owner Finance];
    AssignNumber "assign and release numbers" [Owner Developer];
    TransferNumber "transfer numbers inside a family" by Modify [Owner Developer Account];
    ManageSecrets "add and revoke an account's secrets" [Owner Developer Account];
    ManageTokens "issue and revoke the seller's tokens" [Owner];
    ManageUsers "create users" [Owner];
    ManageOrganization "declare currencies, found organizations" [Owner];
    Operate "take snapshots, confirm the clock, advance that of a sandbox" [Owner];
}

impl Operation {
    pub fn side(self) -> Side {
        if Role::Account.may(self) { Side::Both } else { Side::Seller }
    }
}

#[cfg(test)]
mod tests;
