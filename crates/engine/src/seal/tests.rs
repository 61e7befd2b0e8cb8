use std::collections::HashSet;

use super::*;

fn seals() -> Seals {
    Seals::new(&MasterKey([3; 32]))
}

#[test]
fn account_keys_are_a_permutation() {
    let seals = seals();
    let mut seen = HashSet::new();
    for slot in (0..20_000).chain([1 << 20, u32::MAX as usize - 1]) {
        let account = AccountIndex::new(slot);
        let key = seals.account_key(account);
        assert!(seen.insert(key), "two accounts share a key");
        assert_eq!(seals.account_of_key(key), Some(account));
    }
    let other = Seals::new(&MasterKey([4; 32]));
    assert_ne!(seals.account_key(AccountIndex::new(0)), other.account_key(AccountIndex::new(0)));
}

#[test]
fn ids_come_back_and_forgeries_do_not() {
    let seals = seals();
    let balance = BalanceIndex::new(7);
    for id in [
        Id::Account(AccountIndex::new(7)),
        Id::Entry { balance, entry: 1 },
        Id::Entry { balance, entry: u64::MAX },
        Id::Hold(HoldId(7)),
        Id::Credential(CredentialIndex::new(7)),
        Id::User(UserIndex::new(7)),
        Id::Organization(OrganizationIndex::new(7)),
    ] {
        let sealed = seals.seal(id);
        assert_eq!(seals.unseal(sealed), Some(id));
        for bit in 0..128 {
            let mut forged = sealed;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seals.unseal(forged), None, "one bit makes it nobody's");
        }
    }
}

#[test]
fn a_text_opens_only_where_it_was_sealed() {
    let key = VaultKey([9; 32]);
    let sealed = TextSeal::event(&key, EventRef::new(5, 100)).seal(b"Partner Ltd");
    let open = |key: &VaultKey, at| TextSeal::event(key, at).open(&sealed);
    assert_eq!(open(&key, EventRef::new(5, 100)).as_deref(), Some(b"Partner Ltd".as_slice()));
    assert_eq!(open(&key, EventRef::new(5, 101)), None, "moved to another place");
    assert_eq!(open(&VaultKey([8; 32]), EventRef::new(5, 100)), None, "under another key");
}

#[test]
fn digests_of_different_purposes_and_splits_differ() {
    let seals = seals();
    let digests = [
        seals.digest("token", &[b"ab"]),
        seals.digest("secret", &[b"ab"]),
        seals.digest("token", &[b"a", b"b"]),
        seals.digest("token", &[b"ab", b""]),
    ];
    assert_eq!(HashSet::from(digests).len(), digests.len());
}
