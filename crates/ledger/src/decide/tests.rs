//! The corners that the model of the simulation does not know: people, names, currencies, limits.

use domain::Currency;

use super::*;
use crate::invariant::{apply_checked, check};
use crate::{
    Actor, Admission, AllocationWay, BalanceIndex, ChargeKind, EventRef, ExcessPolicy, HoldId, RoleCode,
    Usage, Verifier,
};

const START: i64 = 1_772_000_000;
const MONTH: i64 = 31 * 24 * 3600;

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
    at: u64,
    events: Vec<Event>,
}

impl World {
    /// One organization with monthly boundaries for a year, whose seller holds credential 0.
    pub(crate) fn new() -> Self {
        let mut world =
            Self { ledger: Ledger::default(), now: Timestamp::from_secs(START), at: 0, events: Vec::new() };
        let boundaries = (1..=12).map(|month| Timestamp::from_secs(START + month * MONTH)).collect();
        world.done(Act::CreateOrganization {
            name: "seller".into(),
            time_zone: "UTC".into(),
            currency: Currency::EUR,
            first_period: 100,
            boundaries,
        });
        world.done(issue(Holder::Organization(OrganizationIndex::new(0)), None));
        world
    }

    pub(crate) fn by(&mut self, actor: Actor, act: Act) -> Result<(), Rejection> {
        self.events.clear();
        let before = self.events.len();
        let decided = decide(&self.ledger, &Command { actor, act }, self.now, &mut self.events);
        if decided.is_err() {
            assert_eq!(self.events.len(), before, "a rejection leaves nothing behind");
        }
        for event in std::mem::take(&mut self.events) {
            self.fold(&event);
        }
        check(&self.ledger).unwrap();
        decided
    }

    pub(crate) fn fold(&mut self, event: &Event) {
        self.at += 1;
        apply_checked(&mut self.ledger, event, EventRef::from_raw(self.at)).unwrap();
    }

    fn act(&mut self, act: Act) -> Result<(), Rejection> {
        self.by(Actor::System, act)
    }

    #[track_caller]
    pub(crate) fn done(&mut self, act: Act) {
        assert_eq!(self.act(act), Ok(()));
    }

    /// An account with a credential of its own; both by number.
    pub(crate) fn open(
        &mut self,
        parent: Option<usize>,
        funding: Funding,
        credit: i64,
    ) -> (AccountIndex, Actor) {
        let account = AccountIndex::new(self.ledger.accounts_len());
        let credential = CredentialIndex::new(self.ledger.credentials.len());
        self.done(Act::OpenAccount(Box::new(NewAccount {
            organization: OrganizationIndex::new(0),
            parent: parent.map(AccountIndex::new),
            currency: Currency::EUR,
            funding,
            managed: true,
            may_open_children: true,
            allows_overruns: false,
            name: None,
            credit: Nanos::from_units(credit),
            credential: Some((RoleCode(16), Verifier::Digest([1; 32]))),
        })));
        (account, Actor::Credential(credential))
    }

    fn posted(&self, account: AccountIndex) -> Nanos {
        let balance = self.ledger.balance_of(account, Currency::EUR);
        balance.map_or(Nanos::ZERO, |balance| self.ledger.balance(balance).amounts.posted())
    }
}

fn issue(holder: Holder, live_max: Option<u32>) -> Act {
    let verifier = Verifier::Digest([2; 32]);
    Act::IssueCredential {
        holder,
        role: RoleCode(1),
        verifier,
        label: None,
        expires_at: Timestamp::NEVER,
        live_max,
        scope: None,
    }
}

pub(crate) fn charge(account: AccountIndex, units: i64) -> Act {
    charge_in(account, None, Nanos::from_units(units))
}

pub(crate) fn charge_in(account: AccountIndex, currency: Option<Currency>, amount: Nanos) -> Act {
    let (kind, admission) = (ChargeKind::Metered, Admission::Strict);
    Act::Charge { account, currency, amount, kind, admission, usage: Usage::default() }
}

pub(crate) fn top_up(account: AccountIndex, currency: Option<Currency>, amount: Nanos) -> Act {
    Act::TopUp { account, currency, amount, reference: None }
}

#[test]
fn a_revoked_credential_does_nothing_from_the_next_command_on() {
    let mut world = World::new();
    let (account, key) = world.open(None, Funding::Own, 10);
    assert_eq!(world.by(key, charge(account, 1)), Ok(()));
    let Actor::Credential(credential) = key else { unreachable!() };
    let revoke = |live_min| Act::RevokeCredential { credential, live_min };
    assert_eq!(world.act(revoke(1)), Err(Rejection::LastCredential), "one has to stay");
    assert_eq!(world.act(issue(Holder::Account(account), Some(2))), Ok(()));
    assert_eq!(
        world.act(issue(Holder::Account(account), Some(2))),
        Err(Rejection::TooManyCredentials { live_max: 2 })
    );
    assert_eq!(world.act(revoke(1)), Ok(()));
    assert_eq!(world.by(key, charge(account, 1)), Err(Rejection::CredentialRevoked));
    assert_eq!(world.act(revoke(0)), Err(Rejection::CredentialNotFound), "it is gone already");
}

#[test]
fn a_buyer_reaches_its_own_family_and_nothing_else() {
    let mut world = World::new();
    let (mine, me) = world.open(None, Funding::Own, 10);
    let (child, _) = world.open(Some(0), Funding::Own, 0);
    let (theirs, _) = world.open(None, Funding::Own, 10);
    assert_eq!(world.by(me, charge(child, 0)), Err(Rejection::AmountNotPositive));
    assert_eq!(world.by(me, charge(theirs, 1)), Err(Rejection::AccountNotFound));
    let transfer =
        |from, to| Act::Transfer { from, to, currency: None, amount: Nanos::from_units(1), reference: None };
    assert_eq!(world.by(me, transfer(mine, theirs)), Err(Rejection::AccountNotFound));
    assert_eq!(world.act(transfer(mine, theirs)), Err(Rejection::NotOneFamily), "the seller sees both");
    assert_eq!(world.by(me, transfer(mine, child)), Ok(()));
    assert_eq!(world.by(me, top_up(mine, None, Nanos::from_units(1))), Err(Rejection::SellerOnly));
}

#[test]
fn an_unmanaged_child_is_absent_for_its_parent() {
    let mut world = World::new();
    let (parent, key) = world.open(None, Funding::Own, 10);
    let child = AccountIndex::new(1);
    world.done(Act::OpenAccount(Box::new(NewAccount {
        organization: OrganizationIndex::new(0),
        parent: Some(parent),
        currency: Currency::EUR,
        funding: Funding::Own,
        managed: false,
        may_open_children: false,
        allows_overruns: false,
        name: None,
        credit: Nanos::from_units(5),
        credential: None,
    })));
    assert_eq!(world.by(key, charge(child, 1)), Err(Rejection::AccountNotFound));
    let amount = Nanos::from_units(1);
    let transfer = Act::Transfer { from: parent, to: child, currency: None, amount, reference: None };
    assert_eq!(world.by(key, transfer), Err(Rejection::AccountNotFound));
    let allocate = Act::Allocate { child, currency: None, way: AllocationWay::Give, amount, reference: None };
    assert_eq!(world.by(key, allocate), Err(Rejection::AccountNotFound));
    assert_eq!(world.act(charge(child, 1)), Ok(()), "the seller sees it");
}

#[test]
fn a_payer_by_mandate_pays_and_never_the_payee_by_itself() {
    let mut world = World::new();
    let (payer, _) = world.open(None, Funding::Own, 10);
    let (payee, key) = world.open(None, Funding::PaidBy(payer), 100);
    assert_eq!(world.by(key, charge(payee, 10)), Ok(()));
    assert_eq!(world.posted(payer), Nanos::from_units(-10));
    assert_eq!(world.posted(payee), Nanos::ZERO);
    assert!(matches!(
        world.by(key, charge(payee, 1)),
        Err(Rejection::InsufficientFunds { account, .. }) if account == payer
    ));
}

#[test]
fn currencies_are_iso_or_declared() {
    let mut world = World::new();
    let (account, _) = world.open(None, Funding::Own, 0);
    let points = Currency::parse("POINTS").unwrap();
    let amount = Nanos::from_units(5);
    assert_eq!(
        world.act(top_up(account, Some(points), amount)),
        Err(Rejection::CurrencyUnknown { currency: points })
    );
    let declare =
        Act::DeclareCurrency { organization: OrganizationIndex::new(0), currency: points, exponent: 0 };
    assert_eq!(world.act(declare.clone()), Ok(()));
    assert_eq!(world.act(declare), Err(Rejection::CurrencyExists { currency: points }));
    assert_eq!(world.act(top_up(account, Some(points), amount)), Ok(()));
    assert!(
        matches!(world.act(charge(account, 1)), Err(Rejection::InsufficientFunds { .. })),
        "points pay for no euros"
    );
    assert_eq!(world.act(charge_in(account, Some(points), amount)), Ok(()));
}

#[test]
fn amounts_stay_in_the_range_that_every_api_can_carry() {
    let mut world = World::new();
    let (account, _) = world.open(None, Funding::Own, 0);
    world.done(top_up(account, None, Nanos::MAX));
    assert_eq!(world.act(top_up(account, None, Nanos::new(1))), Err(Rejection::AmountOutOfRange));
    let too_much = Nanos::new(Nanos::MAX.get() + 1);
    assert_eq!(world.act(top_up(account, None, too_much)), Err(Rejection::AmountOutOfRange));
    assert_eq!(world.posted(account), Nanos::MAX);
}

#[test]
fn a_period_rolls_once_when_it_is_touched_however_many_months_have_passed() {
    let mut world = World::new();
    let (account, _) = world.open(None, Funding::Own, 0);
    world.done(top_up(account, None, Nanos::from_units(10)));
    world.done(charge(account, 4));
    let balance = world.ledger.balance(BalanceIndex::new(0)).clone();
    assert_eq!((balance.period, balance.entries), (100, 2));
    world.now = Timestamp::from_secs(START + 3 * MONTH);
    assert_eq!(balance.amounts_at(world.now).carried, Nanos::from_units(6), "as a reader sees it");
    world.done(charge(account, 1));
    let balance = world.ledger.balance(BalanceIndex::new(0));
    assert_eq!((balance.period, balance.entries), (103, 4), "one roll and one charge");
    assert_eq!((balance.amounts.carried, balance.amounts.used), (Nanos::from_units(6), Nanos::from_units(1)));
    world.now = Timestamp::from_secs(START + 12 * MONTH);
    assert_eq!(world.act(charge(account, 1)), Err(Rejection::CalendarEnded), "boundaries are recorded ahead");
}

#[test]
fn names_and_handles_belong_to_one() {
    let mut world = World::new();
    let (first, _) = world.open(None, Funding::Own, 0);
    let (second, _) = world.open(None, Funding::Own, 0);
    let handle = |account| Act::SetHandle { account, kind: 1, digest: 42, text: None };
    assert_eq!(world.act(handle(first)), Ok(()));
    assert_eq!(world.act(handle(first)), Ok(()), "again is fine");
    assert_eq!(world.act(handle(second)), Err(Rejection::HandleTaken));
    assert_eq!(world.act(name(7, None)), Ok(()));
    assert_eq!(world.act(name(7, None)), Err(Rejection::AlreadyInterned { name: NameIndex::new(0) }));
}

fn name(digest: u128, family: Option<AccountIndex>) -> Act {
    Act::InternName { organization: OrganizationIndex::new(0), family, digest, text: None }
}

#[test]
fn a_family_cannot_use_up_the_names_of_its_seller() {
    let mut world = World::new();
    let (family, _) = world.open(None, Funding::Own, 0);
    let (other, _) = world.open(None, Funding::Own, 0);
    world.ledger.accounts.get_mut(family.slot()).unwrap().names = FAMILY_NAMES_MAX - 1;
    world.done(name(1, Some(family)));
    let too_many = |max| Err(Rejection::TooManyNames { max });
    assert_eq!(world.act(name(2, Some(family))), too_many(FAMILY_NAMES_MAX));
    world.done(name(2, Some(other)));
    world.done(name(3, None));
    assert_eq!(world.ledger.organization(OrganizationIndex::new(0)).names, 3);
    world.ledger.organizations.get_mut(0).unwrap().names = NAMES_MAX;
    assert_eq!(world.act(name(4, None)), too_many(NAMES_MAX));
}

#[test]
fn what_no_api_could_print_is_refused() {
    let mut world = World::new();
    let (account, _) = world.open(None, Funding::Own, 10);
    world.done(top_up(account, None, Nanos::from_units(1)));
    let credit = |amount| Act::GiveUsageCredit { account, currency: None, amount, reference: None };
    let whole = Nanos::MAX.checked_sub(Nanos::from_units(11)).unwrap();
    assert_eq!(world.act(credit(Nanos::MAX)), Err(Rejection::AmountOutOfRange), "posted");
    let above = whole.checked_add(Nanos::new(1)).unwrap();
    assert_eq!(world.act(credit(above)), Err(Rejection::AmountOutOfRange), "with the credit limit");
    world.done(credit(whole));
}

#[test]
fn a_closed_account_is_left_alone_until_it_is_reopened() {
    let mut world = World::new();
    let (account, key) = world.open(None, Funding::Own, 10);
    let place = Act::PlaceHold {
        account,
        currency: None,
        amount: Nanos::from_units(3),
        expires_at: world.now.plus_secs(60),
        usage: Usage::default(),
    };
    world.done(place);
    let close = |closed| Act::SetClosed { account, closed };
    assert_eq!(world.act(close(true)), Err(Rejection::AccountInUse { account }));
    let capture = Act::CaptureHold {
        hold: HoldId(0),
        amount: Nanos::from_units(1),
        excess: ExcessPolicy::Exact,
        keep_open: false,
        quantity: None,
        reference: None,
    };
    world.done(capture);
    world.done(close(true));
    let closed = Err(Rejection::AccountClosed { account });
    assert_eq!(world.by(key, charge(account, 1)), closed);
    assert_eq!(world.act(top_up(account, None, Nanos::from_units(1))), closed);
    world.done(close(false));
    assert_eq!(world.by(key, charge(account, 1)), Ok(()));
}
