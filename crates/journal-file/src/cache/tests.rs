use super::*;

fn key(block: u32) -> BlockKey {
    BlockKey { archive: 1, block }
}

fn filled(bytes_max: usize) -> Cache<()> {
    let mut cache = Cache::new(bytes_max);
    for block in 0..4 {
        cache.keep_block(key(block), &vec![block as u8; 100].into());
    }
    cache
}

#[test]
fn limit_of_bytes_is_kept() {
    let mut cache = filled(250);
    assert!(cache.block(key(0)).is_none() && cache.block(key(1)).is_none());
    assert_eq!(cache.block(key(3)).unwrap()[..], [3; 100]);
    assert_eq!(cache.bytes, 200);
}

#[test]
fn what_is_asked_for_outlives_what_is_not() {
    let mut cache = filled(400);
    cache.block(key(0)).unwrap();
    cache.keep_block(key(9), &vec![9; 100].into());
    assert!(cache.block(key(0)).is_some());
    assert!(cache.block(key(1)).is_none());
}

#[test]
fn block_kept_again_counts_once() {
    let mut cache = filled(400);
    cache.keep_block(key(0), &vec![7; 50].into());
    assert_eq!((cache.bytes, cache.queue.len()), (350, 4));
}
