use super::*;

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
        ManageSignIn,
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
