use domain::Timestamp;
use journal::{Journal, MemoryStore};
use ledger::{Actor, CredentialIndex, Event};

use super::*;
use crate::record::{Content, Envelope, Key, Links, Mark, Record};
use crate::seal::{Owner, TextKeys};

struct NoKeys;

impl TextKeys for NoKeys {
    fn text_key(&self, _owner: Owner) -> Option<journal::VaultKey> {
        None
    }
}

/// Appends a group of events under keys or without.
pub(crate) fn append(
    journal: &mut dyn Journal,
    keys: &[Option<u128>],
    time: Timestamp,
) -> Vec<(u128, EventRef)> {
    let tail = journal.tail();
    let mut buffer = Group::buffer();
    let mut stand = Vec::new();
    Mark::Barrier { epoch: 1, nonce: 2 }.write(&mut buffer);
    for hash in keys {
        let at = EventRef::new(tail.position + 1, buffer.len() - journal::HEADER_BYTES);
        stand.extend(hash.map(|hash| (hash, at)));
        let key = hash.map(|hash| (Key::new(hash), Content(1)));
        let envelope = Envelope { time, actor: Actor::Credential(CredentialIndex::new(70_000)), key };
        let event = Event::CredentialRevoked { credential: CredentialIndex::new(5), revoked_at: time };
        Record::write(&envelope, &event, &Links::default(), at, &NoKeys, &mut buffer);
    }
    journal.append(&Group::seal(buffer, &tail, time, keys.len() as u32)).unwrap();
    stand
}

/// Spread like the hashes that keys are.
pub(crate) fn key(number: u64) -> u128 {
    let hash = blake3::hash(&number.to_le_bytes());
    u128::from_le_bytes(hash.as_bytes()[..16].try_into().unwrap())
}

fn file(keys: u64) -> Vec<u8> {
    write(
        3,
        9,
        (0..keys).map(|number| (key(number), EventRef::new(3 + number % 7, number as usize))).collect(),
    )
}

fn archive() -> Archive {
    let (first_time, last_time) = Default::default();
    Archive { number: 1, first: 3, last: 9, first_time, last_time }
}

fn load(bytes: &[u8]) -> Option<(KeyFile, Filter)> {
    let piece = |offset: u64, length: usize| bytes.get(offset as usize..)?.get(..length).map(<[u8]>::to_vec);
    let (file, filter) = KeyFile::read(&archive(), piece)?;
    Some((KeyFile { rebuilt: Some(bytes.into()), ..file }, filter))
}

fn reader() -> Arc<dyn Reader> {
    MemoryStore::default().open().reader()
}

#[test]
fn every_key_is_found_and_no_other() {
    for keys in [0, 1, PAGE_ENTRIES as u64, PAGE_ENTRIES as u64 + 1, 5_000] {
        let (file, filter) = load(&file(keys)).unwrap();
        for number in 0..keys {
            let expected = EventRef::new(3 + number % 7, number as usize);
            assert!(filter.may_contain(key(number)));
            assert_eq!(file.find(&*reader(), key(number)).unwrap(), Some(expected));
        }
        for number in keys..keys + 500 {
            assert_eq!(file.find(&*reader(), key(number)).unwrap(), None);
        }
        let mut count = 0;
        file.for_each(&*reader(), |_| count += 1).unwrap();
        assert_eq!(count, keys);
    }
}

#[test]
fn a_key_used_again_stands_where_it_was_used_last() {
    let bytes =
        write(3, 9, vec![(7, EventRef::new(8, 1)), (7, EventRef::new(9, 1)), (7, EventRef::new(3, 1))]);
    let (file, _) = load(&bytes).unwrap();
    assert_eq!(file.find(&*reader(), 7).unwrap(), Some(EventRef::new(9, 1)));
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let whole = file(400);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let Some((file, _)) = load(&bytes) else { continue };
        let pages = file.first_keys.len();
        let damaged = file.pages(&*reader(), 0, pages, &mut Vec::new());
        assert!(matches!(damaged, Err(ReadError::Damaged { .. })), "byte {at}");
        // There are no groups to ask instead.
        file.for_each(&*reader(), |_| {}).unwrap_err();
    }
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let whole = file(400);
    let pages_at = load(&whole).unwrap().0.pages_at as usize;
    assert!((0..pages_at).all(|length| load(&whole[..length]).is_none()));
}

#[test]
fn keys_are_distilled_from_groups_and_a_missing_file_is_made_again() {
    let store = MemoryStore::default();
    let mut journal = store.open();
    let mut expected = Vec::new();
    for position in 1..=12 {
        expected.push(append(
            &mut journal,
            &[Some(key(position * 10)), None, Some(key(position * 10 + 1))],
            Timestamp::EPOCH,
        ));
    }
    // This journal has no sidecars.
    let (file, filter) = KeyFile::load(&journal.reader(), &archive()).unwrap();
    for (position, keys) in (1..).zip(&expected) {
        for (key, at) in keys {
            let inside = (3..=9).contains(&position).then_some(*at);
            assert_eq!(file.find(&*journal.reader(), *key).unwrap(), inside);
            assert!(inside.is_none() || filter.may_contain(*key));
        }
    }
    let groups = journal.reader().scan(3).unwrap().take(7).map(Result::unwrap).collect::<Vec<_>>();
    let bytes = KeySidecar.distil(&mut groups.into_iter());
    assert_eq!(Some(bytes.into()), file.rebuilt);
}
