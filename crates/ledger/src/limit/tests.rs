//! What counts, exactly how much, and when it begins anew. Keys of accounts are in the simulation's model.

use domain::Currency;

use super::*;
use crate::decide::tests::{World, charge, charge_in, top_up};
use crate::{
    AccountIndex, Act, Actor, AllocationWay, Allowed, Command, Correction, CredentialIndex, ExcessPolicy,
    FormerScope, Funding, HoldId, Holder, NewAccount, OrganizationIndex, RoleCode, Usage, Verifier, decide,
};

const ALL: Allowed = Allowed::Operations(u64::MAX);

fn limit(flows: impl IntoIterator<Item = Flow>, amount: Nanos, span: Span) -> Limit {
    Limit { flows: Flows::of(flows), currency: Currency::EUR, amount, span }
}

fn scope(limits: impl IntoIterator<Item = Limit>) -> Scope {
    Scope { allowed: ALL, accounts: [].into(), below: false, limits: limits.into_iter().collect() }
}

/// A token of the seller's that is held to a scope.
fn issue(world: &mut World, scope: Scope) -> Result<Actor, Rejection> {
    let index = CredentialIndex::new(world.ledger.credentials().count());
    let act = Act::IssueCredential {
        holder: Holder::Organization(OrganizationIndex::new(0)),
        role: RoleCode(1),
        verifier: Verifier::Digest([7; 32]),
        label: None,
        expires_at: Timestamp::NEVER,
        live_max: None,
        scope: Some(Box::new(scope)),
    };
    world.by(Actor::System, act).map(|()| Actor::Credential(index))
}

fn spent(world: &World, actor: Actor) -> Vec<Nanos> {
    let Actor::Credential(index) = actor else { unreachable!() };
    world.ledger.credential(index).spent.iter().map(|spent| spent.amount).collect()
}

/// A parent with money and credit, and a child with both.
fn family() -> (World, AccountIndex, AccountIndex) {
    let mut world = World::new();
    let (parent, _) = world.open(None, Funding::Own, 1_000);
    let (child, _) = world.open(Some(0), Funding::Own, 0);
    for account in [parent, child] {
        world.done(top_up(account, None, Nanos::from_units(1_000)));
    }
    world.done(allocate(child, AllocationWay::Give, Nanos::from_units(100)));
    (world, parent, child)
}

fn allocate(child: AccountIndex, way: AllocationWay, amount: Nanos) -> Act {
    Act::Allocate { child, currency: None, way, amount, reference: None }
}

fn adjust(account: AccountIndex, amount: Nanos) -> Act {
    Act::Adjust { account, currency: None, amount, correction: Correction::Used, reference: None }
}

fn set_credit(account: AccountIndex, credit: Nanos) -> Act {
    Act::SetCredit { account, currency: None, credit, reference: None }
}

fn withdraw(account: AccountIndex, amount: Nanos) -> Act {
    Act::Withdraw { account, currency: None, amount, reference: None }
}

fn usage_credit(account: AccountIndex, amount: Nanos) -> Act {
    Act::GiveUsageCredit { account, currency: None, amount, reference: None }
}

fn transfer(from: AccountIndex, to: AccountIndex, amount: Nanos) -> Act {
    Act::Transfer { from, to, currency: None, amount, reference: None }
}

/// Each act that moves seven, in the limit of its own flow and in no other; exactly to the limit, and not a
/// nano past it.
#[test]
fn each_act_counts_as_one_flow_and_exactly() {
    let seven = Nanos::from_units(7);
    let (_, parent, child) = family();
    let place = |amount| Act::PlaceHold {
        account: child,
        currency: None,
        amount,
        expires_at: Timestamp::from_secs(1_772_000_000 + 3_600),
        usage: Usage::default(),
    };
    let capture = Act::CaptureHold {
        hold: HoldId(0),
        amount: Nanos::from_units(10),
        excess: ExcessPolicy::UpToAvailable,
        keep_open: false,
        quantity: None,
        reference: None,
    };
    let minus = Nanos::from_units(-7);
    let acts = [
        (charge_in(child, None, seven), Some(Flow::Charge)),
        (place(seven), Some(Flow::Charge)),
        (capture, Some(Flow::Charge)),
        (transfer(child, parent, seven), Some(Flow::Transfer)),
        (allocate(child, AllocationWay::Give, seven), Some(Flow::Allocate)),
        (allocate(child, AllocationWay::Return, seven), Some(Flow::Allocate)),
        (top_up(child, None, seven), Some(Flow::Pay)),
        (withdraw(child, seven), Some(Flow::Pay)),
        (usage_credit(child, seven), Some(Flow::Correct)),
        (adjust(child, seven), Some(Flow::Correct)),
        (adjust(child, minus), Some(Flow::Correct)),
        (set_credit(parent, Nanos::from_units(907)), Some(Flow::Credit)),
        (set_credit(parent, Nanos::from_units(800)), None),
    ];
    for (act, flow) in acts {
        let (mut world, _, _) = family();
        world.done(place(Nanos::from_units(3)));
        let of_each = |amount| scope(Flow::ALL.map(|flow| limit([flow], amount, Span::Total)));
        let below = issue(&mut world, of_each(Nanos::new(seven.get() - 1))).unwrap();
        if flow.is_some() {
            let refused = world.by(below, act.clone()).unwrap_err();
            let Rejection::ScopeExceeded { need, have, limit } = refused else {
                panic!("{act:?}: {refused:?}")
            };
            assert_eq!((need, have), (seven, Nanos::new(seven.get() - 1)), "{act:?}");
            assert_eq!(limit.flows, Flows::of(flow), "{act:?}");
        }
        let exactly = issue(&mut world, of_each(seven)).unwrap();
        assert_eq!(world.by(exactly, act.clone()), Ok(()), "{act:?}");
        let expected = Flow::ALL.map(|it| if Some(it) == flow { seven } else { Nanos::ZERO });
        assert_eq!(spent(&world, exactly), expected, "{act:?}");
    }
}

/// One random life after the other: what is let through is what a plain sum over all that happened lets
/// through, over days, months and currencies.
#[test]
fn running_totals_are_the_sums_of_what_happened() {
    let (mut let_through, mut held_back) = (0, 0);
    for seed in 1..=60 {
        let mut random = Random(seed);
        let (mut world, parent, child) = family();
        let limits: Vec<Limit> = (0..1 + random.below(4)).map(|_| some_limit(&mut random)).collect();
        let actor = issue(&mut world, scope(limits.clone())).unwrap();
        let mut past: Vec<(Timestamp, Flow, Nanos)> = Vec::new();
        for step in 0..120 {
            world.now = world.now.plus_secs(random.below(40) as i64 * 3_600);
            let (act, flow, amount) = some_act(&mut random, parent, child);
            let command = Command { actor: Actor::Credential(CredentialIndex::new(0)), act: act.clone() };
            let free = decide(&world.ledger, &command, world.now, &mut Vec::new());
            let is_spoken_of = limits.iter().any(|limit| limit.flows.has(flow));
            let over = limits.iter().find_map(|limit| {
                let is_now = |then| limit.span.number(then) == limit.span.number(world.now);
                let counted = past.iter().filter(|(then, flow, _)| limit.flows.has(*flow) && is_now(*then));
                let before: i128 = counted.map(|(.., amount)| amount.get()).sum();
                let have = Nanos::new(limit.amount.get() - before);
                let passes = limit.flows.has(flow) && amount > have;
                passes.then_some(Rejection::ScopeExceeded { need: amount, have, limit: *limit })
            });
            let within = if is_spoken_of { over.map_or(Ok(()), Err) } else { Err(Rejection::OutOfScope) };
            let expected = free.and(within);
            assert_eq!(world.by(actor, act.clone()), expected, "seed {seed} step {step}: {act:?}");
            if expected.is_ok() {
                past.push((world.now, flow, amount));
                let_through += 1;
            } else {
                held_back += 1;
            }
        }
    }
    assert!(let_through > 1_000 && held_back > 1_000, "{let_through} {held_back}");
}

fn some_limit(random: &mut Random) -> Limit {
    let flows = Flow::ALL.into_iter().filter(|_| random.below(2) == 0).collect::<Vec<_>>();
    let flows = if flows.is_empty() { vec![Flow::Charge] } else { flows };
    let span = [Span::Day, Span::Month, Span::Total][random.below(3) as usize];
    limit(flows, Nanos::new(i128::from(1 + random.below(400_000_000_000))), span)
}

/// An act, and what it moves if it is done.
fn some_act(random: &mut Random, parent: AccountIndex, child: AccountIndex) -> (Act, Flow, Nanos) {
    let amount = Nanos::new(i128::from(1 + random.below(60_000_000_000)));
    let way = if random.below(2) == 0 { AllocationWay::Give } else { AllocationWay::Return };
    match random.below(8) {
        0 => (charge_in(child, None, amount), Flow::Charge, amount),
        1 => (transfer(parent, child, amount), Flow::Transfer, amount),
        2 => (transfer(child, parent, amount), Flow::Transfer, amount),
        3 => (allocate(child, way, amount), Flow::Allocate, amount),
        4 => (top_up(child, None, amount), Flow::Pay, amount),
        5 => (withdraw(parent, amount), Flow::Pay, amount),
        6 => (usage_credit(child, amount), Flow::Correct, amount),
        _ => (adjust(child, Nanos::new(-amount.get())), Flow::Correct, amount),
    }
}

/// Steele's splitmix: enough for a workload.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) % bound
    }
}

#[test]
fn whoever_has_limits_moves_money_only_as_they_say() {
    let (mut world, _, child) = family();
    let usd = |amount| charge_in(child, Some(Currency::USD), Nanos::from_units(amount));
    world.done(top_up(child, Some(Currency::USD), Nanos::from_units(9)));
    let euros = limit([Flow::Charge], Nanos::from_units(5), Span::Day);
    let dollars = Limit { currency: Currency::USD, amount: Nanos::from_units(2), ..euros };
    let one = issue(&mut world, scope([euros])).unwrap();
    assert_eq!(world.by(one, usd(1)), Err(Rejection::OutOfScope));
    assert_eq!(world.by(one, top_up(child, None, Nanos::from_units(1))), Err(Rejection::OutOfScope));
    let both = issue(&mut world, scope([euros, dollars])).unwrap();
    assert_eq!(world.by(both, usd(2)), Ok(()));
    assert!(matches!(world.by(both, usd(1)), Err(Rejection::ScopeExceeded { .. })));
    assert_eq!(world.by(both, charge(child, 5)), Ok(()));
}

#[test]
fn limits_are_few_and_of_something() {
    let (mut world, ..) = family();
    let day = limit([Flow::Charge], Nanos::from_units(1), Span::Day);
    let negative = Limit { amount: Nanos::new(-1), ..day };
    let nothing = Limit { flows: Flows::of([]), ..day };
    assert!(issue(&mut world, scope([day; LIMITS_MAX])).is_ok());
    assert_eq!(issue(&mut world, scope([day; LIMITS_MAX + 1])), Err(Rejection::OutOfScope));
    assert_eq!(issue(&mut world, scope([nothing])), Err(Rejection::OutOfScope));
    assert_eq!(issue(&mut world, scope([negative])), Err(Rejection::AmountNotPositive));
}

/// Chosen accounts, with or without what is below them, for one who would reach all of them.
#[test]
fn a_scope_ends_at_its_accounts() {
    let (mut world, parent, child) = family();
    let (other, _) = world.open(None, Funding::Own, 10);
    let foreign = Err(Rejection::AccountNotFound);
    let of = |accounts: &[AccountIndex], below| Scope { accounts: accounts.into(), below, ..scope([]) };
    for (accounts, below, to, expected) in [
        (&[parent][..], false, parent, Ok(())),
        (&[parent], false, child, foreign),
        (&[parent], true, child, Ok(())),
        (&[child], true, parent, foreign),
        (&[child, other], false, other, Ok(())),
        (&[parent], true, other, foreign),
    ] {
        let token = issue(&mut world, of(accounts, below)).unwrap();
        assert_eq!(world.by(token, charge(to, 1)), expected, "{accounts:?} {below} {to:?}");
        let currency = Act::DeclareCurrency {
            organization: OrganizationIndex::new(0),
            currency: "POINTS".parse().unwrap(),
            exponent: 0,
        };
        assert_eq!(world.by(token, currency), Err(Rejection::OutOfScope), "of the whole organization");
        let root = NewAccount { parent: None, ..account(parent) };
        assert_eq!(world.by(token, Act::OpenAccount(Box::new(root))), Err(Rejection::OutOfScope));
    }
}

fn account(parent: AccountIndex) -> NewAccount {
    NewAccount {
        organization: OrganizationIndex::new(0),
        parent: Some(parent),
        currency: Currency::EUR,
        funding: Funding::Own,
        managed: true,
        may_open_children: false,
        allows_overruns: false,
        name: None,
        credit: Nanos::ZERO,
        credential: Some((RoleCode(16), Verifier::Digest([5; 32]))),
    }
}

/// The keys of an account that was opened within a scope are held to nothing: it gets no way to money that
/// was not counted.
#[test]
fn what_is_opened_within_a_scope_spends_what_it_was_given() {
    let (mut world, parent, child) = family();
    let credit = limit([Flow::Credit], Nanos::from_units(5), Span::Total);
    let token = issue(&mut world, scope([credit])).unwrap();
    let (shared, overruns) = (Funding::Shared, true);
    let mut open = |new: NewAccount| world.by(token, Act::OpenAccount(Box::new(new)));
    assert_eq!(open(account(parent)), Ok(()));
    assert_eq!(open(NewAccount { funding: shared, ..account(parent) }), Err(Rejection::OutOfScope));
    assert_eq!(open(NewAccount { allows_overruns: overruns, ..account(parent) }), Err(Rejection::OutOfScope));
    assert_eq!(open(NewAccount { credit: Nanos::from_units(5), ..account(parent) }), Ok(()));
    let more = open(NewAccount { credit: Nanos::new(1), ..account(parent) });
    assert!(matches!(more, Err(Rejection::ScopeExceeded { .. })), "{more:?}");
    let share =
        |shared| Act::ModifyAccount { account: child, name: None, suspended: None, shared: Some(shared) };
    assert_eq!(world.by(token, share(true)), Err(Rejection::OutOfScope));
    assert_eq!(world.by(token, share(false)), Ok(()));
}

/// As journals have it from before there were limits: charges, transfers and allocations of a day.
#[test]
fn an_amount_a_day_of_former_times_still_holds() {
    let (mut world, _, child) = family();
    let token = issue(&mut world, scope([])).unwrap();
    let Actor::Credential(credential) = token else { unreachable!() };
    let per_day = Some(PerDay { currency: Currency::EUR, amount: Nanos::from_units(10) });
    let former = FormerScope { actions: 2, accounts: [child].into(), per_day };
    world.fold(&Event::CredentialScoped { credential, scope: Box::new(former) });
    let spent = Spent { span: day_of(world.now), amount: Nanos::from_units(8) };
    world.fold(&Event::CredentialSpent { credential, spent });
    assert!(matches!(world.by(token, charge(child, 3)), Err(Rejection::ScopeExceeded { .. })));
    assert_eq!(world.by(token, charge(child, 2)), Ok(()));
    world.now = world.now.plus_secs(24 * 3_600);
    assert_eq!(world.by(token, charge(child, 3)), Ok(()));
}

#[test]
fn months_are_those_of_the_calendar() {
    let (mut day, mut months) = (0, 0);
    for year in 1970..2500 {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for days in [31, 28 + u32::from(is_leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            assert_eq!((month_of(day), month_of(day + days - 1)), (months, months), "{year}");
            (day, months) = (day + days, months + 1);
        }
    }
}
