//! Whose each account is. Appended by the book and read by everyone for every request: without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger::{AccountIndex, OrganizationIndex};

/// Accounts of the first chunk; each further one holds twice as many.
const FIRST: u64 = 1024;
/// Enough for every index there can be.
const CHUNKS: usize = 23;

/// An account's organization and the root of its family, which stay what they are.
#[derive(Debug, Default)]
pub(super) struct Tenants([OnceLock<Box<[AtomicU64]>>; CHUNKS]);

impl Tenants {
    pub(super) fn put(&self, account: AccountIndex, organization: OrganizationIndex, root: AccountIndex) {
        let (chunk, place) = place(account);
        let new = || (0..FIRST << chunk).map(|_| AtomicU64::new(0)).collect();
        let both = (organization.slot() as u64) << 32 | root.slot() as u64;
        self.0[chunk].get_or_init(new)[place].store(both, Ordering::Release);
    }

    /// Of an account that was put.
    pub(super) fn of(&self, account: AccountIndex) -> Option<(OrganizationIndex, AccountIndex)> {
        let (chunk, place) = place(account);
        let both = self.0.get(chunk)?.get()?[place].load(Ordering::Acquire);
        let root = AccountIndex::new((both & u64::from(u32::MAX)) as usize);
        Some((OrganizationIndex::new((both >> 32) as usize), root))
    }
}

fn place(account: AccountIndex) -> (usize, usize) {
    let number = account.slot() as u64 + FIRST;
    let chunk = (number / FIRST).ilog2();
    (chunk as usize, (number - (FIRST << chunk)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_has_a_place_of_its_own() {
        let tenants = Tenants::default();
        let slots = [0, 1, 1023, 1024, 3071, 3072, 100_000];
        for slot in slots {
            tenants.put(
                AccountIndex::new(slot),
                OrganizationIndex::new(slot % 7),
                AccountIndex::new(slot / 2),
            );
        }
        for slot in slots {
            let expected = (OrganizationIndex::new(slot % 7), AccountIndex::new(slot / 2));
            assert_eq!(tenants.of(AccountIndex::new(slot)), Some(expected), "{slot}");
        }
        let last = AccountIndex::new(u32::MAX as usize - 1);
        assert_eq!((place(last).0, tenants.of(last)), (CHUNKS - 1, None));
    }
}
