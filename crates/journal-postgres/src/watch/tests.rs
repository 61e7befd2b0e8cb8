use super::*;

fn at(begun: Instant, millis: u64) -> Instant {
    begun + Duration::from_millis(millis)
}

fn lead(node: Option<NodeId>, beats: i64) -> Lead {
    Lead { node, beats, address: None }
}

#[test]
fn a_leader_that_beats_is_left_alone_and_a_silent_one_is_not() {
    let begun = Instant::now();
    let mut watch = Watch::new(begun, 100);
    for beat in 0..20 {
        assert!(!watch.look(Some(&lead(Some([1; 16]), beat)), at(begun, beat as u64 * 50)));
    }
    let silent = lead(Some([1; 16]), 19);
    for poll in 20..33 {
        assert!(!watch.look(Some(&silent), at(begun, poll * 50)), "{poll}");
    }
    assert!(watch.look(Some(&silent), at(begun, 33 * 50)), "600 ms and 100 ms of jitter after the last beat");
}

#[test]
fn what_was_not_looked_at_is_not_silence() {
    let begun = Instant::now();
    let mut watch = Watch::new(begun, 0);
    let silent = lead(Some([1; 16]), 7);
    assert!(!watch.look(Some(&silent), begun));
    assert!(!watch.look(Some(&silent), at(begun, 60_000)), "this node slept");
    assert!(!watch.look(Some(&silent), at(begun, 60_250)));
    assert!(!watch.look(Some(&silent), at(begun, 60_500)));
    assert!(watch.look(Some(&silent), at(begun, 60_600)));
}

#[test]
fn a_lead_that_is_free_is_taken_at_once_but_by_those_who_back_off() {
    let begun = Instant::now();
    let mut watch = Watch::new(begun, 0);
    assert!(watch.look(None, begun));
    assert!(watch.look(Some(&lead(None, 3)), begun));
    for (after, waited) in [(0, 200), (1_000, 400), (2_000, 800), (4_000, 1_600)] {
        watch.lost(at(begun, after));
        assert!(!watch.look(None, at(begun, after + waited - 1)));
        assert!(watch.look(None, at(begun, after + waited)));
    }
    watch.won();
    watch.lost(at(begun, 9_000));
    assert!(watch.look(None, at(begun, 9_200)));
}

#[test]
fn races_are_forgotten_once_somebody_leads_for_a_while() {
    let begun = Instant::now();
    let mut watch = Watch::new(begun, 0);
    (0..6).for_each(|_| watch.lost(begun));
    for poll in 0..23 {
        assert!(!watch.look(Some(&lead(Some([1; 16]), poll)), at(begun, poll as u64 * 50)));
    }
    watch.lost(at(begun, 1_150));
    assert!(!watch.look(None, at(begun, 1_349)));
    assert!(watch.look(None, at(begun, 1_350)), "as after the first race");
}
