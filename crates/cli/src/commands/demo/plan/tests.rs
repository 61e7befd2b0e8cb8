use domain::Nanos;

use super::{MEMBERS, Plan, Tally, Terms, Verdict, share_of};
use crate::commands::demo::trace::{Price, Trace};

fn trace(calls: usize) -> Trace {
    let mut text = "at,n\n".to_owned();
    for call in 0..calls {
        text.push_str(&format!("{call},{}\n", call % 7 + 1));
    }
    let prices = vec![Price::parse("n=0.25").unwrap()];
    Trace::read("t.csv", text.as_bytes(), "at", prices).unwrap()
}

#[test]
fn credit_runs_out_money_does_not_and_the_suspended_are_refused() {
    let trace = trace(2000);
    let plan = Plan::new(&trace, 2000, 1);
    let tallies = plan.expected();
    for (member, tally) in MEMBERS.iter().zip(&tallies) {
        let refusals = (tally.short_calls > 0, tally.suspended_calls > 0);
        let expected = match member.terms {
            Terms::Shared | Terms::Prepaid => (false, false),
            Terms::OwnCredit => (true, false),
            Terms::Suspended => (false, true),
        };
        assert_eq!(refusals, expected, "{}", member.name);
        assert_eq!(tally.calls, tally.charged_calls + tally.short_calls + tally.suspended_calls);
    }
    let total = Tally::total(&tallies);
    assert_eq!(total.calls, 2000);
    let all: Nanos = trace.calls.iter().map(|call| call.cost).sum();
    assert_eq!(total.charged.checked_add(total.refused), Some(all));
    assert_eq!(plan.charged_by_quantities(), Some(total.charged));
    assert!(tallies[3].charged <= plan.allocated);
}

#[test]
fn the_rule_is_the_seed() {
    let trace = trace(300);
    let members = |seed| Plan::new(&trace, 300, seed).calls.iter().map(|(of, _)| *of).collect::<Vec<_>>();
    assert_eq!(members(1), members(1));
    assert_ne!(members(1), members(2));
}

#[test]
fn a_prefix_of_the_calls_is_judged_alone() {
    let trace = trace(50);
    let plan = Plan::new(&trace, 10, 1);
    assert_eq!(plan.calls.len(), 10);
    assert!(
        plan.calls
            .iter()
            .all(|(_, verdict)| *verdict != Verdict::InsufficientFunds || plan.allocated > Nanos::ZERO)
    );
}

#[test]
fn given_amounts_have_two_digits() {
    for (amount, percent, expected) in
        [("58.241337", 125, "73"), ("4.1", 60, "2.5"), ("0", 60, "0.001"), ("1000", 100, "1000")]
    {
        assert_eq!(share_of(Nanos::parse(amount).unwrap(), percent), Nanos::parse(expected).unwrap());
    }
}
