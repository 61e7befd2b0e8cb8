use super::*;
use crate::Actions;

#[test]
fn every_operation_is_in_its_own_row() {
    for (row, (operation, roles)) in TABLE.iter().enumerate() {
        assert_eq!(*operation as usize, row, "{operation:?}");
        assert!(roles.contains(&Role::Owner), "the owner may {}", operation.text());
    }
}

/// What a buyer may do never makes money or credit, whatever the table says elsewhere.
#[test]
fn an_account_never_makes_money_or_credit() {
    use Operation::*;
    for operation in [
        TopUp,
        Refund,
        Adjust,
        GiveUsageCredit,
        Withdraw,
        SetCredit,
        ForceCharge,
        FreezeAccount,
        CloseAccount,
        SetReload,
        SetThroughput,
        AssignNumber,
        OpenAccount,
        ManageTokens,
        ManageUsers,
        ManageOrganization,
        Operate,
    ] {
        assert!(!Role::Account.may(operation), "an account must not {}", operation.text());
        assert_eq!(operation.side(), Side::Seller);
    }
}

#[test]
fn a_reader_only_reads() {
    let may: Vec<_> =
        TABLE.iter().filter(|(_, roles)| roles.contains(&Role::ReadOnly)).map(|(it, _)| *it).collect();
    assert_eq!(may, [Operation::ReadAccounts, Operation::ReadEntries]);
}

#[test]
fn roles_come_back_from_their_codes_and_names() {
    for role in Role::ALL {
        assert_eq!(Role::from_code(role.code()), Some(role));
    }
    assert_eq!(Role::parse("finance"), Some(Role::Finance));
    assert_eq!(Role::parse("account"), None, "no user and no token has an account's role");
    assert_eq!(Role::from_code(RoleCode(0)), None);
}

/// Whoever is held to a scope cannot make anything that is held to none.
#[test]
fn no_scope_makes_accounts_or_secrets_and_every_action_does_something() {
    use Operation::*;
    for operation in [OpenAccount, OpenSubaccount, ManageSecrets, ManageTokens, ManageUsers, Operate] {
        assert_eq!(operation.action(), None, "{operation:?}");
    }
    for action in Action::ALL {
        let by_it = TABLE.iter().filter(|(operation, _)| operation.action() == Some(action));
        assert!(by_it.count() > 0, "{action:?}");
        assert!(Actions::all().has(action) && Actions::all().is_scoped());
    }
    for (operation, roles) in TABLE {
        assert!(operation.action().is_none() || roles.contains(&Role::Account), "{operation:?}");
    }
}
