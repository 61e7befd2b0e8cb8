//! Whole lives over a disk and a clock that fail. A failing seed is printed and replays exactly.
//!
//! More of them: `cargo run --release -p simulation -- lives --seeds 1000000`.

use simulation::life;

#[test]
fn nothing_acknowledged_is_lost_whatever_fails() {
    let mut total = life::Story::default();
    for seed in 0..seeds() {
        let story = life::run(seed, 120).unwrap_or_else(|error| panic!("{error}"));
        total.acknowledged += story.acknowledged;
        total.power_losses += story.power_losses;
        total.faults += story.faults;
        total.repeats += story.repeats;
        total.in_flight_kept += story.in_flight_kept;
        total.restarts_from_snapshot += story.restarts_from_snapshot;
        total.clock_refusals += story.clock_refusals;
    }
    println!("{total:?}");
    assert!(total.power_losses > 0 && total.faults > 0 && total.repeats > 0 && total.in_flight_kept > 0);
    assert!(total.restarts_from_snapshot > 0 && total.clock_refusals > 0);
}

fn seeds() -> u64 {
    std::env::var("LIFE_SEEDS").map_or(300, |seeds| seeds.parse().expect("LIFE_SEEDS is a number"))
}
