use proptest::prelude::*;

use super::*;

fn group(tail: &Tail, body: &[u8]) -> Group {
    let mut bytes = Group::buffer();
    bytes.extend_from_slice(body);
    Group::seal(bytes, tail, Timestamp::from_secs(7), 3)
}

#[test]
fn header_says_what_was_sealed() {
    let tail = Tail { position: 41, chain: Chain([9; 32]) };
    let header = group(&tail, b"body").header();
    assert_eq!(header.position, 42);
    assert_eq!(header.time, Timestamp::from_secs(7));
    assert_eq!((header.events, header.body_bytes), (3, 4));
    assert_eq!(header.previous, tail.chain);
    assert!(header.follows(&tail));
}

#[test]
fn group_follows_one_history_only() {
    let first = group(&Tail::default(), b"one");
    let second = group(&first.tail(), b"two").header();
    assert!(second.follows(&first.tail()));
    assert!(!second.follows(&Tail::default()));
    assert!(!second.follows(&Tail { chain: Chain([1; 32]), ..first.tail() }));
    assert!(!second.follows(&Tail { position: 7, ..first.tail() }));
}

#[test]
fn chain_covers_all_of_history() {
    let one = group(&group(&Tail::default(), b"a").tail(), b"same");
    let other = group(&group(&Tail::default(), b"b").tail(), b"same");
    assert_ne!(one.tail().chain, other.tail().chain);
}

#[test]
fn buffer_is_used_again() {
    let group = group(&Tail::default(), b"some body");
    assert_eq!(group.into_buffer().len(), HEADER_BYTES);
}

#[test]
fn largest_group_is_sealed_and_parsed() {
    let group = group(&Tail::default(), &vec![5; GROUP_BYTES_MAX - HEADER_BYTES]);
    assert_eq!(group.bytes().len(), GROUP_BYTES_MAX);
    assert_eq!(Group::parse(group.bytes().to_vec()), Ok(group));
}

#[test]
#[should_panic(expected = "bounded before it is sealed")]
fn larger_group_is_a_bug() {
    group(&Tail::default(), &vec![5; GROUP_BYTES_MAX - HEADER_BYTES + 1]);
}

#[test]
fn what_is_no_group_is_told_apart() {
    let bytes = group(&Tail::default(), b"body").bytes().to_vec();
    let with = |at: usize, field: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + field.len()].copy_from_slice(field);
        Group::parse(bytes).unwrap_err()
    };
    assert_eq!(Group::parse(vec![]), Err(GroupError::NoMagic));
    assert_eq!(Group::parse(vec![0; 4096]), Err(GroupError::NoMagic));
    assert_eq!(Group::parse(bytes[..100].to_vec()), Err(GroupError::Short));
    assert_eq!(Group::parse(bytes[..bytes.len() - 1].to_vec()), Err(GroupError::Short));
    assert_eq!(with(4, &2u32.to_le_bytes()), GroupError::Version(2));
    assert_eq!(with(32, &u64::MAX.to_le_bytes()), GroupError::TooLarge);
    assert_eq!(with(24, &u64::MAX.to_le_bytes()), GroupError::TooLarge);
    assert_eq!(with(130, b"x"), GroupError::Hash);
}

proptest! {
    #[test]
    fn sealed_group_is_parsed_back(body: Vec<u8>, behind: Vec<u8>, position in 0..u64::MAX) {
        let sealed = group(&Tail { position, chain: Chain([3; 32]) }, &body);
        let mut bytes = sealed.bytes().to_vec();
        bytes.extend_from_slice(&behind);
        let parsed = Group::parse(bytes).unwrap();
        prop_assert_eq!(parsed.body(), &body[..]);
        prop_assert_eq!(parsed, sealed);
    }

    #[test]
    fn no_flipped_bit_goes_unseen(body: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
        let mut bytes = group(&Tail::default(), &body).bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Group::parse(bytes).is_err());
    }

    #[test]
    fn noise_is_no_group(bytes: Vec<u8>) {
        prop_assert!(Group::parse(bytes).is_err());
    }
}
