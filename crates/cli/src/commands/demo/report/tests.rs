use std::time::Duration;

use super::{Span, at_point, millis, thousands};

#[test]
fn numbers_stand_below_their_points() {
    assert_eq!(at_point(&["1.5", "-20", "", "3.1415"]), ["  1.5   ", "-20     ", "        ", "  3.1415"]);
}

#[test]
fn numbers_read_well() {
    assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!([0, 9, 1234, 20_050].map(millis), ["0.00", "0.00", "1.23", "20.05"]);
    let spans = [5, 65, 3436, 7300].map(|seconds| Span(Duration::from_secs(seconds)).to_string());
    assert_eq!(spans, ["5 s", "1 min 5 s", "57 min 16 s", "2 h 1 min"]);
}
