//! Whole lives over a disk and a clock that fail. A failing seed is printed and replays exactly.
//!
//! More of them: `cargo run --release -p simulation -- lives --seeds 1000000`.

mod database;

use std::sync::Mutex;

use simulation::life::{self, Story};

#[test]
fn nothing_acknowledged_is_lost_whatever_fails() {
    let seeds =
        std::env::var("LIFE_SEEDS").map_or(10_000, |seeds| seeds.parse().expect("LIFE_SEEDS is a number"));
    let total = Mutex::new(Story::default());
    let lived = simulation::run_all(0..seeds, |seed| {
        let story = life::run(seed, 120)?;
        total.lock().unwrap().add(&story);
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}"));
    let total = total.into_inner().unwrap();
    println!("{seeds} lives: {total:?}");
    let Story {
        power_losses,
        faults,
        restarts_from_snapshot,
        repeats,
        repeats_sealed,
        in_flight_kept,
        clock_refusals,
        ..
    } = total;
    for count in [
        power_losses,
        faults,
        restarts_from_snapshot,
        repeats,
        repeats_sealed,
        in_flight_kept,
        clock_refusals,
    ] {
        assert!(count > seeds / 20, "everything that can happen happens: {total:?}");
    }
}
