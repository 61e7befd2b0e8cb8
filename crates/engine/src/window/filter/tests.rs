use super::*;

/// Spread like the hashes that keys are.
fn key(number: u64) -> u128 {
    let hash = blake3::hash(&number.to_le_bytes());
    u128::from_le_bytes(hash.as_bytes()[..16].try_into().unwrap())
}

#[test]
fn what_was_inserted_passes_and_hardly_anything_else_does() {
    for count in [1, 44, 45, 10_000] {
        let mut filter = Filter::for_keys(count);
        (0..count as u64).for_each(|number| filter.insert(key(number)));
        assert!((0..count as u64).all(|number| filter.may_contain(key(number))));
        let foreign = (0..20_000).filter(|number| filter.may_contain(key(1 << 32 | number))).count();
        assert!(foreign < 300, "{foreign} of 20000 foreign keys pass a filter of {count}");
    }
}

#[test]
fn costs_two_bytes_per_key() {
    assert!(Filter::for_keys(1_000_000).bytes() < 2_100_000);
}

#[test]
fn what_was_written_is_read() {
    let mut filter = Filter::for_keys(1_000);
    (0..1_000).for_each(|number| filter.insert(key(number)));
    let mut bytes = Vec::new();
    filter.write(&mut bytes);
    assert_eq!(Filter::read(&bytes), Some(filter));
    assert_eq!(Filter::read(&bytes[1..]), None);
    assert_eq!(Filter::read(&[]), None);
}
