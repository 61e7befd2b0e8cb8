use super::Cache;

#[test]
fn what_was_asked_for_outlives_what_was_not() {
    let cache = Cache::new(30);
    for position in 1..=3 {
        cache.keep(position, &[position as u8; 10]);
    }
    assert!(cache.find(1).is_some());
    cache.keep(4, &[4; 10]);
    cache.keep(5, &[5; 100]);
    let there: Vec<u64> = (1..=5).filter(|position| cache.find(*position).is_some()).collect();
    assert_eq!(there, [1, 3, 4], "2 went, and 5 is larger than all there may be");
    assert_eq!(*cache.find(4).unwrap(), [4; 10]);
}
