use super::*;
use crate::Role;

/// Whoever is held to a scope cannot make anything that is held to none.
#[test]
fn no_scope_makes_credentials_or_gives_rights() {
    use Operation::*;
    for operation in [ManageSecrets, ManageTokens, ManageUsers, ManageMembers, ManagePermissions, HandOver] {
        assert!(!Permissions::of_scopes().may(operation), "{operation:?}");
        let bits = Permissions::of([operation]).bits();
        assert_eq!(Permissions::allowed(Allowed::Operations(bits)), Permissions::NONE, "{operation:?}");
    }
}

#[test]
fn an_action_is_a_name_for_operations_of_accounts() {
    for action in Action::ALL {
        assert_eq!(Permissions::named(action.name()), Some(action.operations()), "{action:?}");
        assert!(action.operations().operations().count() > 0, "{action:?}");
        for operation in action.operations().operations() {
            assert!(Role::Account.may(operation) && operation.is_in_scopes(), "{operation:?}");
        }
    }
    for (operation, _) in TABLE {
        // An operation that is called like an action is the whole of it.
        assert_eq!(Permissions::named(&operation.name()), Some(Permissions::of([*operation])));
    }
    assert_eq!(Permissions::named("fly"), None);
}

/// Those that journals have from before scopes named operations.
#[test]
fn actions_by_their_bits_are_the_same_operations() {
    use Operation::*;
    let allowed = |bits| Permissions::allowed(Allowed::Actions(bits));
    assert_eq!(allowed(0b10_0010), Permissions::of([Charge, ModifyAccount, ChangeSettings, TransferNumber]));
    assert_eq!(allowed(1 << 7), Permissions::NONE);
    let all = Action::ALL.into_iter().fold(Permissions::NONE, |all, action| all.or(action.operations()));
    assert_eq!(allowed(u32::MAX >> 1), all);
}
