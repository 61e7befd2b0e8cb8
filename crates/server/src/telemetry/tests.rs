use super::targets;

#[test]
fn levels_are_words_that_are_levels() {
    for levels in ["info", "off", "warn,server=debug", "server=trace"] {
        assert!(targets(levels).is_ok(), "{levels}");
    }
    for levels in ["", "loud", "server", "info,server", "server=loud"] {
        assert!(targets(levels).is_err(), "{levels}");
    }
}
