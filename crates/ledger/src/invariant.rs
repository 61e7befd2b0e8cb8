//! What is true after every step, as code.

use std::collections::BTreeMap;
use std::fmt;

use domain::{Currency, Nanos};

use crate::totals::sum;
use crate::{AccountIndex, Event, EventRef, Ledger};

/// An invariant that does not hold: which, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

macro_rules! hold {
    ($condition:expr, $($words:tt)*) => {
        if !$condition {
            return Err(Broken(format!($($words)*)));
        }
    };
}

/// Before `event` is applied: it changes what its kind says, by the amount it says, and nothing else.
pub fn check_event(before: &Ledger, event: &Event) -> Result<(), Broken> {
    if let Event::Audited(audited) = event {
        let next = before.audit_head(audited.organization).next();
        hold!(
            next == (audited.entry, audited.previous, audited.skips),
            "entry {} of the audit log of {:?} is not linked to the one before",
            audited.entry,
            audited.organization
        );
    }
    let mut posted = Nanos::ZERO;
    let mut held = Nanos::ZERO;
    let mut credit = Nanos::ZERO;
    for image in event.images() {
        let Some(balance) = before.balances.get(image.balance.slot()) else {
            return Err(Broken(format!("{:?} does not exist", image.balance)));
        };
        hold!(
            image.entry == balance.entries + 1,
            "entry {} of {:?} follows {}",
            image.entry,
            image.balance,
            balance.entries
        );
        let (old, new) = (&balance.amounts, &image.amounts);
        posted = sum(posted, Nanos::new(new.posted().get() - old.posted().get()));
        held = sum(held, Nanos::new(new.held.get() - old.held.get()));
        credit = sum(credit, Nanos::new(new.credit().get() - old.credit().get()));
        hold!(!new.credit().is_negative(), "the credit of {:?} is {}", image.balance, new.credit());
        hold!(!new.held.is_negative(), "{} is held of {:?}", new.held, image.balance);
        let takes = new.available() < old.available();
        hold!(
            !takes || !new.available().is_negative() || may_overrun(event),
            "{event:?} leaves {} available",
            new.available()
        );
    }
    let change = event.change();
    let (said_posted, said_held, said_credit) =
        change.map_or(Default::default(), |change| (change.posted, change.held, change.credit));
    hold!(posted == said_posted, "{event:?} posts {posted} instead of {said_posted}");
    hold!(held == said_held, "{event:?} sets {held} aside instead of {said_held}");
    hold!(credit == said_credit, "{event:?} makes credit {credit} instead of {said_credit}");
    Ok(())
}

/// The stated ways below zero; everything else that takes must leave something available.
fn may_overrun(event: &Event) -> bool {
    match event {
        Event::Charged(charged) => charged.admission != crate::Admission::Strict,
        Event::HoldCaptured { .. } | Event::CreditSet { .. } | Event::Adjusted { .. } => true,
        // Both balances of a merge are one afterwards; the sum was tested.
        Event::Merged { .. } => true,
        _ => false,
    }
}

/// The whole state: every total re-added, every link followed.
pub fn check(ledger: &Ledger) -> Result<(), Broken> {
    #[derive(Default, Clone, Copy)]
    struct Sums {
        posted: Nanos,
        held: Nanos,
        credit: Nanos,
        allocated: Nanos,
    }
    let mut families: BTreeMap<usize, Sums> = BTreeMap::new();
    let mut houses: BTreeMap<(usize, Currency), Nanos> = BTreeMap::new();
    let mut held: BTreeMap<usize, Nanos> = BTreeMap::new();
    let mut open_holds: BTreeMap<AccountIndex, u32> = BTreeMap::new();

    for (id, hold) in ledger.holds() {
        hold!(hold.amount.is_positive(), "{id:?} sets {} aside", hold.amount);
        let payer = ledger.merged_into(hold.payer, hold.payer_entry);
        let total = held.entry(payer.slot()).or_default();
        *total = sum(*total, hold.amount);
        *open_holds.entry(hold.account).or_default() += 1;
        hold!(ledger.due.contains(&(hold.expires_at, id)), "{id:?} is not due at its expiry");
    }
    hold!(
        ledger.due.len() == ledger.holds.len(),
        "{} due for {} holds",
        ledger.due.len(),
        ledger.holds.len()
    );

    for (index, balance) in ledger.balances() {
        let amounts = &balance.amounts;
        let account = ledger.account(balance.account);
        hold!(
            ledger.balance_of(balance.account, balance.currency) == Some(index),
            "{index:?} is not found by its account and currency"
        );
        hold!(!amounts.credit().is_negative(), "the credit of {index:?} is {}", amounts.credit());
        let in_holds = held.remove(&index.slot()).unwrap_or_default();
        hold!(amounts.held == in_holds, "{index:?} holds {} for holds of {in_holds}", amounts.held);
        if account.funding.is_shared() {
            let empty = amounts.posted().is_zero() && amounts.credit().is_zero() && amounts.held.is_zero();
            hold!(empty, "{index:?} shares another's balance and has {amounts:?} of its own");
        }
        let sums = families.entry(balance.family.slot()).or_default();
        sums.posted = sum(sums.posted, amounts.posted());
        sums.held = sum(sums.held, amounts.held);
        sums.credit = sum(sums.credit, amounts.credit());
        sums.allocated = sum(sums.allocated, Nanos::new(amounts.received.get() - amounts.given.get()));
        let house = houses.entry((account.organization.slot(), balance.currency)).or_default();
        *house = sum(*house, amounts.posted());
        let family = &ledger.families.get(balance.family.slot());
        hold!(
            family.is_some_and(|family| family.root == account.root && family.currency == balance.currency),
            "{index:?} is in another's family"
        );
    }
    hold!(held.is_empty(), "holds are pinned to balances that do not exist");

    for (slot, family) in ledger.families().enumerate() {
        let sums = families.remove(&slot).unwrap_or_default();
        hold!(family.posted == sums.posted, "family {slot} posted {} for {}", family.posted, sums.posted);
        hold!(family.held == sums.held, "family {slot} held {} for {}", family.held, sums.held);
        hold!(family.credit == sums.credit, "family {slot} credit {} for {}", family.credit, sums.credit);
        hold!(sums.allocated.is_zero(), "family {slot} received {} more than was given", sums.allocated);
    }
    for (index, organization) in ledger.organizations() {
        for house in &organization.houses {
            let accounts = houses.remove(&(index.slot(), house.currency)).unwrap_or_default();
            hold!(
                house.imbalance().is_zero(),
                "{index:?} {} is out by {}",
                house.currency,
                house.imbalance()
            );
            hold!(
                house.accounts == accounts,
                "{index:?} {} has {accounts} on its accounts and {} on its books",
                house.currency,
                house.accounts
            );
        }
    }
    hold!(houses.values().all(|posted| posted.is_zero()), "money is on accounts of no house");

    hold!(ledger.numbered.len() == ledger.numbers.len(), "numbers are found by another account");
    for (digest, number) in &ledger.numbers {
        hold!(ledger.numbered.contains(&(number.account, *digest)), "a number is not found by its account");
    }
    for (index, reload) in ledger.reloads.iter() {
        hold!(ledger.balance(index).account == reload.account, "the rule of {index:?} is another's");
    }
    for (index, _) in ledger.balances() {
        let watches = ledger.reloads.get(index).is_some_and(crate::Reload::watches);
        hold!(ledger.reloads.is_watched(index) == watches, "{index:?} is watched: {}", !watches);
    }
    for (index, account) in ledger.accounts_from(0) {
        let counted = open_holds.remove(&index).unwrap_or_default();
        hold!(account.open_holds == counted, "{index:?} counts {} of {counted} holds", account.open_holds);
        let children = ledger.children(index, None).count();
        hold!(account.children as usize == children, "{index:?} counts {} of {children}", account.children);
        if let Some(parent) = account.parent {
            hold!(
                ledger.account(parent).organization == account.organization,
                "{index:?} has a foreign parent"
            );
        }
    }
    Ok(())
}

/// Checks and applies: what tests, simulation and `verify` use in place of a bare apply.
pub fn apply_checked(ledger: &mut Ledger, event: &Event, at: EventRef) -> Result<(), Broken> {
    check_event(ledger, event)?;
    ledger.apply(event, at);
    Ok(())
}
