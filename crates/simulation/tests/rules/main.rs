//! Random commands against the model. A failure names its seed; the seed is enough to see it again.

use simulation::rules;

/// Many short lives reach more corners than one long one.
#[test]
fn the_ledger_agrees_with_the_model() {
    let (mut done, mut reloads) = (0, 0);
    for seed in 0..400 {
        match rules::run(seed, 2_500) {
            Ok(tally) => (done, reloads) = (done + tally.done, reloads + tally.reloads),
            Err(difference) => panic!("{difference}"),
        }
    }
    assert!(
        (300_000..900_000).contains(&done),
        "a workload that does or refuses nearly all tests little: {done}"
    );
    assert!(reloads > 10_000, "a workload that reloads little tests little of it: {reloads}");
}
