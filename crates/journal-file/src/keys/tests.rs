use super::*;

/// Every owner once, in an order that is neither rising nor falling.
fn scattered(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |at| (at * 7_919) % count)
}

#[test]
fn keys_are_found_in_whatever_order_they_came() {
    let mut keys = Keys::default();
    for owner in scattered(5_000) {
        keys.set(owner, [owner as u8; 32], owner as u32);
    }
    for owner in 0..5_000 {
        let kept = keys.get(owner).unwrap();
        assert_eq!((kept.key, kept.record), ([owner as u8; 32], owner as u32));
    }
    assert!(keys.get(5_000).is_none());
}

#[test]
fn owners_in_order_fill_their_blocks() {
    let records = scattered(10_240).map(|owner| (owner, [1; 32], 0)).collect();
    assert_eq!(Keys::from_records(records).blocks.len(), 10_240 / BLOCK_ENTRIES);
}

#[test]
fn first_record_of_an_owner_counts() {
    let keys = Keys::from_records(vec![(4, [2; 32], 9), (4, [1; 32], 3)]);
    assert!(keys.get(4).unwrap() == Kept { key: [1; 32], record: 3 });
}
