//! Several nodes over one database and network that fail. A failing seed is printed and replays exactly.
//!
//! More of them: `cargo run --release -p simulation -- nodes --seeds 1000000`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::nodes::{self, Story};

#[test]
fn several_nodes_are_one_ledger_whatever_fails() {
    let seeds =
        std::env::var("NODES_SEEDS").map_or(10_000, |seeds| seeds.parse().expect("NODES_SEEDS is a number"));
    let (next, total) = (AtomicU64::new(0), Mutex::new(Story::default()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let story = nodes::run(seed).unwrap_or_else(|error| panic!("{error}"));
                    total.lock().unwrap().add(&story);
                }
            });
        }
    });
    let total = total.into_inner().unwrap();
    println!("{seeds} lives: {total:?}");
    for (what, count) in total.counts() {
        assert!(count > seeds / 50, "{what}: everything that can happen happens: {total:?}");
    }
}

#[test]
fn a_seed_is_lived_the_same_again() {
    for seed in 0..20 {
        let [one, other] = [(); 2].map(|()| nodes::run(seed).unwrap_or_else(|error| panic!("{error}")));
        assert_eq!(one.counts(), other.counts(), "seed {seed}");
    }
}
