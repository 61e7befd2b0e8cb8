//! Whole lives over a disk and a clock that fail. A failing seed is printed and replays exactly.
//!
//! More of them: `cargo run --release -p simulation -- lives --seeds 1000000`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::life::{self, Story};

#[test]
fn nothing_acknowledged_is_lost_whatever_fails() {
    let seeds =
        std::env::var("LIFE_SEEDS").map_or(10_000, |seeds| seeds.parse().expect("LIFE_SEEDS is a number"));
    let (next, total) = (AtomicU64::new(0), Mutex::new(Story::default()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let story = life::run(seed, 120).unwrap_or_else(|error| panic!("{error}"));
                    total.lock().unwrap().add(&story);
                }
            });
        }
    });
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
