//! Several nodes over one database and network that fail. A failing seed is printed and replays exactly.
//!
//! More of them: `cargo run --release -p simulation -- nodes --seeds 1000000`.

use std::sync::Mutex;

use simulation::nodes::{self, Story};

#[test]
fn several_nodes_are_one_ledger_whatever_fails() {
    let seeds =
        std::env::var("NODES_SEEDS").map_or(10_000, |seeds| seeds.parse().expect("NODES_SEEDS is a number"));
    let total = Mutex::new(Story::default());
    let lived = simulation::run_all(0..seeds, |seed| {
        let story = nodes::run(seed)?;
        total.lock().unwrap().add(&story);
        Ok(())
    });
    lived.unwrap_or_else(|failure| panic!("{failure}"));
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
        assert_eq!((one.chain, one.counts()), (other.chain, other.counts()), "seed {seed}");
    }
}
