use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

proptest! {
    /// Few keys that share their low halves, so that places collide and wrap around.
    #[test]
    fn says_what_a_map_says(inserted in prop::collection::vec((0_u64..40, 0_u64..6, 1_u64..1000), 0..400)) {
        let mut table = Table::default();
        let mut map = HashMap::new();
        for (low, high, at) in inserted {
            let key = [low.wrapping_mul(u64::MAX / 7), high];
            let is_new = table.insert(key, EventRef::from_raw(at));
            prop_assert_eq!(is_new, map.insert(key, EventRef::from_raw(at)).is_none());
        }
        for low in 0..40_u64 {
            for high in 0..6 {
                let key = [low.wrapping_mul(u64::MAX / 7), high];
                table.warm(key);
                prop_assert_eq!(table.find(key), map.get(&key).copied());
            }
        }
    }
}
