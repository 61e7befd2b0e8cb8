use super::*;
use crate::caller::made;

#[test]
fn only_a_uuid_of_version_7_says_when_it_was_made() {
    let made_at = Some(Timestamp::from_micros(1_645_557_742_000_000));
    assert_eq!(made("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), made_at);
    assert_eq!(made("017F22E279B07CC398C4DC0C0C07398F"), made_at);
    // Another version, another variant, not a UUID.
    assert_eq!(made("017f22e2-79b0-4cc3-98c4-dc0c0c07398f"), None);
    assert_eq!(made("017f22e2-79b0-7cc3-d8c4-dc0c0c07398f"), None);
    assert_eq!(made("invoice 7 of november"), None);
}
