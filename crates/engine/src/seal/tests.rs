use std::collections::HashSet;

use super::*;
use crate::BOOKS_MAX;

fn seals() -> Seals {
    of_book(0)
}

fn of_book(number: u8) -> Seals {
    Seals::new(&MasterKey([3; 32]), BookNumber::new(number).unwrap())
}

#[test]
fn account_keys_are_a_permutation() {
    let seals = seals();
    let mut seen = HashSet::new();
    for slot in (0..20_000).chain([1 << 20, ACCOUNTS_MAX - 1]) {
        let account = AccountIndex::new(slot);
        let key = seals.account_key(account);
        assert!(seen.insert(key), "two accounts share a key");
        assert_eq!(seals.account_of_key(key), Some(account));
    }
    let other = Seals::new(&MasterKey([4; 32]), BookNumber::FIRST);
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
fn names_say_their_book_to_whoever_has_the_key() {
    let (account, last) = (AccountIndex::new(7), AccountIndex::new(ACCOUNTS_MAX - 1));
    let all = BookNumber::all(BOOKS_MAX).map(|book| of_book(book.get()));
    let mut seen = HashSet::new();
    for seals in all.clone() {
        let (id, key) = (seals.seal(Id::Account(account)), seals.account_key(account));
        assert!(seen.insert(key) && seen.insert(seals.account_key(last)), "two books share a key");
        for other in all.clone() {
            let is_own = seals.book() == other.book();
            assert_eq!(other.book_of_id(id), Some(seals.book()));
            assert_eq!(other.book_of_key(key), seals.book());
            assert_eq!(other.unseal(id).is_some(), is_own);
            assert_eq!(other.account_of_key(key).is_some(), is_own);
        }
    }
    assert_eq!(seals().book_of_id([7; 16]), None);
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
