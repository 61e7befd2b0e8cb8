//! The one table of who may do what.

use ledger::RoleCode;

use crate::Action;

/// The seller's roles, and that of an account's own credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but what makes or ends owners, organizations and servers.
    Admin,
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
    pub const ALL: [Self; 6] =
        [Self::Owner, Self::Admin, Self::Finance, Self::Developer, Self::ReadOnly, Self::Account];

    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Finance => "finance",
            Self::Developer => "developer",
            Self::ReadOnly => "read-only",
            Self::Account => "account",
        }
    }

    /// A role of people and of the seller's programs by its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name && *role != Self::Account)
    }

    pub fn code(self) -> RoleCode {
        RoleCode(match self {
            Self::Owner => 1,
            Self::Finance => 2,
            Self::Developer => 3,
            Self::ReadOnly => 4,
            Self::Admin => 5,
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

            /// The action that names it, with others; none for what is only called by its own name.
            pub fn action(self) -> Option<Action> {
                match self { $(Self::$name => [$(Action::$action)?].first().copied()),* }
            }
        }
    };
}

operations! {
    ReadAccounts "read accounts and balances" by Read [Owner Admin Finance Developer ReadOnly Account];
    ReadEntries "read entries, holds and transfers" by Read [Owner Admin Finance Developer ReadOnly Account];
    OpenAccount "open a primary account" [Owner Admin Finance Developer];
    OpenSubaccount "open a subaccount" [Owner Admin Finance Developer Account];
    ModifyAccount "rename, suspend and reactivate, split and merge" by Modify [Owner Admin Finance Developer Account];
    ChangeSettings "change an account's callbacks" by Modify [Owner Admin Finance Developer Account];
    SetThroughput "set an account's throughput" [Owner Admin Finance Developer];
    FreezeAccount "freeze and unfreeze" [Owner Admin Finance];
    CloseAccount "close and reopen" [Owner Admin Finance];
    Charge "charge" by Charge [Owner Admin Finance Developer Account];
    /// Overrides funds.
    ForceCharge "charge with the forced admission" [Owner Admin Finance];
    Hold "place, extend, capture and void holds" by Hold [Owner Admin Finance Developer Account];
    Transfer "transfer money inside a family" by Transfer [Owner Admin Finance Account];
    Allocate "allocate credit inside a family" by Allocate [Owner Admin Finance Account];
    TopUp "record a payment" [Owner Admin Finance];
    SetReload "set a reload rule, and say whether its money came" [Owner Admin Finance];
    /// Pays through a provider: it makes no money.
    StartReload "start a reload by its rule" by Reload [Owner Admin Finance Account];
    Refund "refund a charge" [Owner Admin Finance];
    Adjust "adjust a balance" [Owner Admin Finance];
    GiveUsageCredit "give usage credit" [Owner Admin Finance];
    Withdraw "withdraw money" [Owner Admin Finance];
    SetCredit "set a credit limit" [Owner Admin Finance];
    AssignNumber "assign and release numbers" [Owner Admin Developer];
    TransferNumber "transfer numbers inside a family" by Modify [Owner Admin Developer Account];
    ManageSecrets "add and revoke an account's secrets" [Owner Admin Developer Account];
    ManageTokens "issue and revoke the seller's tokens" [Owner Admin];
    ManageUsers "create and remove users" [Owner Admin];
    ManageMembers "invite people, and say what members may do" [Owner Admin];
    ManagePermissions "define sets of permissions" [Owner Admin];
    HandOver "hand over the role of the primary user" [Owner];
    ReadAudit "read the audit log" [Owner Admin];
    ManageOrganization "declare currencies, found organizations" [Owner];
    Operate "take snapshots, confirm the clock, advance that of a sandbox" [Owner];
    /// Whoever sets it can sign in as anybody it speaks for, owners among them.
    ManageSignIn "set the company's own sign-in" [Owner];
}

impl Operation {
    /// What an account's own key may do, and what its people may do among themselves.
    pub fn side(self) -> Side {
        let is_of_families = matches!(self, Self::ManageMembers | Self::HandOver);
        if Role::Account.may(self) || is_of_families { Side::Both } else { Side::Seller }
    }

    /// Whether a scope can name it: whoever makes credentials or gives rights could leave every scope.
    pub fn is_in_scopes(self) -> bool {
        !matches!(
            self,
            Self::ManageSecrets
                | Self::ManageTokens
                | Self::ManageUsers
                | Self::ManageMembers
                | Self::ManagePermissions
                | Self::HandOver
                | Self::ManageOrganization
                | Self::ManageSignIn
        )
    }

    /// Whether it is about the whole organization, whatever accounts there are.
    pub(crate) fn is_of_organization(self) -> bool {
        matches!(self, Self::OpenAccount | Self::ReadAudit | Self::Operate)
    }

    /// `manage-members`
    pub fn name(self) -> String {
        let mut name = String::new();
        for (place, character) in format!("{self:?}").char_indices() {
            if character.is_ascii_uppercase() && place > 0 {
                name.push('-');
            }
            name.push(character.to_ascii_lowercase());
        }
        name
    }

    pub fn parse(name: &str) -> Option<Self> {
        TABLE.iter().map(|(operation, _)| *operation).find(|operation| operation.name() == name)
    }
}

#[cfg(test)]
mod tests;
