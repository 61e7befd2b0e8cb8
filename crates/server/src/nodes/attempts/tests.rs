use super::Next::*;
use super::Tried::*;
use super::*;

/// The caller waits for so long, in milliseconds.
const PATIENCE: u64 = 30_000;

/// When, what came of an attempt, and what is done about it.
type Step = (u64, Tried<&'static str>, Next<&'static str>);

#[test]
fn every_result_of_an_attempt_leads_somewhere() {
    let (once, never) = (true, false);
    let named = |name: &str| name.to_owned();
    // Whether it may be repeated, and one attempt after the other.
    let table: &[(bool, &[Step])] = &[
        (once, &[(1, Answered("yes"), Answer("yes"))]),
        (never, &[(1, Answered("yes"), Answer("yes"))]),
        // In doubt, only what is done once is asked for again.
        (once, &[(1, InDoubt, Again), (2, Answered("yes"), Answer("yes"))]),
        (never, &[(1, InDoubt, Unknown)]),
        (once, &[(1, Undecided("stopped"), Again), (2, Answered("yes"), Answer("yes"))]),
        (never, &[(1, Undecided("stopped"), Answer("stopped"))]),
        // What was not done is asked for again in any case.
        (
            never,
            &[(1, NotDone, Again), (60, Misdirected(None), Again), (120, Answered("yes"), Answer("yes"))],
        ),
        // One redirect, then whoever leads is asked.
        (
            never,
            &[
                (1, Misdirected(Some(named("b"))), Ask(named("b"))),
                (2, Misdirected(Some(named("c"))), Again),
                (60, Misdirected(Some(named("c"))), Ask(named("c"))),
                (61, Answered("yes"), Answer("yes")),
            ],
        ),
        (once, &[(1, Misdirected(Some(named("b"))), Ask(named("b"))), (2, NotDone, Again)]),
        (never, &[(1, Misdirected(Some(named("b"))), Ask(named("b"))), (2, InDoubt, Unknown)]),
        // Nobody leads for too long.
        (once, &[(9_999, NotDone, Again), (10_000, NotDone, Leaderless)]),
        (never, &[(10_000, Misdirected(None), Leaderless)]),
        // Too long counts anew from the last doubt; and a doubt stays.
        (once, &[(9_000, InDoubt, Again), (18_999, NotDone, Again), (19_000, NotDone, Unknown)]),
        (once, &[(9_000, Undecided("stopped"), Again), (19_000, Misdirected(None), Unknown)]),
        // The caller's own time ends it.
        (once, &[(29_999, InDoubt, Again), (30_000, InDoubt, Unknown)]),
        (once, &[(30_000, Misdirected(Some(named("b"))), Leaderless)]),
        (never, &[(30_000, Answered("late"), Answer("late"))]),
    ];
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    for (is_repeatable, steps) in table {
        let mut attempts = Attempts::new(*is_repeatable, start, at(PATIENCE));
        for (millis, tried, next) in *steps {
            assert_eq!(
                attempts.next(tried.clone(), at(*millis)),
                *next,
                "{is_repeatable} {steps:?}, at {millis}"
            );
        }
    }
}
