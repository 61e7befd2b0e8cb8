//! Holds what the file says against what was answered and what the books hold.

use domain::Nanos;
use serde::Serialize;

use super::family::Balance;
use super::plan::{MEMBERS, Plan, Tally, plus};
use super::replay::Replayed;

/// A number that several sources must agree on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    pub(super) what: String,
    pub(super) holds: bool,
    /// Who says what.
    pub(super) sides: Vec<(&'static str, String)>,
}

impl Check {
    pub(super) fn new(what: impl Into<String>, sides: Vec<(&'static str, String)>) -> Self {
        let holds = sides.windows(2).all(|pair| pair[0].1 == pair[1].1);
        Self { what: what.into(), holds, sides }
    }

    fn of(what: impl Into<String>, sides: [(&'static str, Option<Nanos>); 2]) -> Self {
        let text = |amount: Option<Nanos>| amount.map_or("too large".to_owned(), |amount| amount.to_string());
        Self::new(what, sides.map(|(side, amount)| (side, text(amount))).to_vec())
    }

    fn count(what: impl Into<String>, file: usize, answers: usize) -> Self {
        Self::new(what, vec![("file", file.to_string()), ("answers", answers.to_string())])
    }
}

/// What must hold after a replay.
pub(super) fn checks(
    plan: &Plan<'_>,
    replayed: &Replayed,
    partner: &Balance,
    members: &[Balance],
) -> Vec<Check> {
    let expected = plan.expected();
    let answered = plan.tally(replayed.verdicts.iter().copied());
    let mut checks = Vec::new();
    for (((member, expected), answered), balance) in MEMBERS.iter().zip(&expected).zip(&answered).zip(members)
    {
        checks.push(charged(format!("charged to {}", member.name), expected, answered, balance.usage.0));
    }
    let usage = members.iter().map(|balance| balance.usage.0).sum();
    let (expected, answered) = (Tally::total(&expected), Tally::total(&answered));
    checks.push(charged("charged in all".to_owned(), &expected, &answered, usage));
    checks.push(Check::of(
        "the same from quantities",
        [("quantities × prices", plan.charged_by_quantities()), ("charges", Some(expected.charged))],
    ));
    checks.push(Check::count("refused for want of funds", expected.short_calls, answered.short_calls));
    checks.push(Check::count("refused as suspended", expected.suspended_calls, answered.suspended_calls));
    let differing = plan.calls.iter().zip(&replayed.verdicts).filter(|((_, must), is)| must != *is).count();
    checks.push(Check::new(
        "calls answered as the file says",
        vec![("file", plan.calls.len().to_string()), ("answers", (plan.calls.len() - differing).to_string())],
    ));
    checks.extend(conserved(plan, expected.charged, partner, members));
    checks
}

fn charged(what: String, expected: &Tally, answered: &Tally, usage: Nanos) -> Check {
    let sides = [("file", expected.charged), ("answers", answered.charged), ("books", usage)];
    Check::new(what, sides.map(|(side, amount)| (side, amount.to_string())).to_vec())
}

/// No money and no credit was made or lost in the family. Who shares the pool has zeros of its own.
fn conserved(plan: &Plan<'_>, charged: Nanos, partner: &Balance, members: &[Balance]) -> [Check; 4] {
    let sum =
        |of: fn(&Balance) -> Nanos| members.iter().fold(of(partner), |sum, balance| plus(sum, of(balance)));
    [
        Check::of(
            "money of the family",
            [
                ("paid in − charged", plan.prepaid.checked_sub(charged)),
                ("posted", Some(sum(|it| it.posted.0))),
            ],
        ),
        Check::new(
            "credit of the family",
            vec![
                ("set", plan.granted.to_string()),
                ("granted", sum(|it| it.granted.0).to_string()),
                ("limits", sum(|it| it.credit_limit.0).to_string()),
            ],
        ),
        Check::of(
            "credit passed on",
            [("given", Some(sum(|it| it.given.0))), ("received", Some(sum(|it| it.received.0)))],
        ),
        Check::of("held", [("nothing", Some(Nanos::ZERO)), ("books", Some(sum(|it| it.held.0)))]),
    ]
}
