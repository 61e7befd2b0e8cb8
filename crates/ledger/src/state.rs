//! Everything folded from the journal of one book.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Currency, Nanos, Timestamp};

use crate::people::People;
use crate::reload::Reloads;
use crate::{
    Account, AccountIndex, Act, Actor, Arena, AuditHead, Balance, BalanceIndex, ChargeId, Command,
    Credential, CredentialIndex, Event, EventRef, Family, Hold, HoldId, NameIndex, Number, Organization,
    OrganizationIndex, Settings, Text, User, UserIndex,
};

/// The state. Read through its methods; written by [`Ledger::apply`] alone.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(crate) organizations: Arena<Organization>,
    pub(crate) users: Arena<User>,
    pub(crate) credentials: Arena<Credential>,
    pub(crate) names: Arena<Name>,
    pub(crate) accounts: Arena<Account>,
    pub(crate) families: Arena<Family>,
    pub(crate) balances: Arena<Balance>,
    pub(crate) holds: BTreeMap<HoldId, Hold>,
    pub(crate) handles: BTreeMap<u128, Handle>,
    pub(crate) refunds: BTreeMap<ChargeId, Refunded>,
    pub(crate) merges: BTreeMap<BalanceIndex, Vec<Merge>>,
    pub(crate) settings: BTreeMap<AccountIndex, Settings>,
    pub(crate) numbers: BTreeMap<u128, Number>,
    pub(crate) reloads: Reloads,
    pub(crate) next_hold: HoldId,
    pub(crate) people: People,
    pub(crate) audits: BTreeMap<OrganizationIndex, AuditHead>,

    // Found again from the above: not stored.
    pub(crate) due: BTreeSet<(Timestamp, HoldId)>,
    pub(crate) interned: HashMap<u128, NameIndex>,
    /// The numbers of each account.
    pub(crate) numbered: BTreeSet<(AccountIndex, u128)>,

    /// Whether what approves everything may pay. Said by whoever opens the book: neither stored nor folded.
    pub sandbox: bool,
}

/// How many commands are worth fetching for together.
pub const WARM_MAX: usize = 16;

/// A product or a user of an account, interned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub organization: OrganizationIndex,
    pub digest: u128,
    pub text: Text,
}

/// What an account is called besides its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    pub account: AccountIndex,
    pub kind: u8,
    pub text: Text,
    pub last: EventRef,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    pub amount: Nanos,
    pub last: EventRef,
}

/// From this entry of a balance on, what was pinned to it before acts on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    pub entry: u64,
    pub into: BalanceIndex,
    pub into_entry: u64,
}

impl Ledger {
    pub fn organization(&self, index: OrganizationIndex) -> &Organization {
        self.organizations.get(index.slot()).expect("organization indices come from this ledger")
    }

    pub fn account(&self, index: AccountIndex) -> &Account {
        self.accounts.get(index.slot()).expect("account indices come from this ledger")
    }

    pub fn balance(&self, index: BalanceIndex) -> &Balance {
        self.balances.get(index.slot()).expect("balance indices come from this ledger")
    }

    pub fn credential(&self, index: CredentialIndex) -> &Credential {
        self.credentials.get(index.slot()).expect("credential indices come from this ledger")
    }

    pub fn hold(&self, id: HoldId) -> Option<&Hold> {
        self.holds.get(&id)
    }

    pub fn name(&self, index: NameIndex) -> &Name {
        self.names.get(index.slot()).expect("name indices come from this ledger")
    }

    pub fn organizations(&self) -> impl Iterator<Item = (OrganizationIndex, &Organization)> {
        self.organizations.iter().enumerate().map(|(slot, it)| (OrganizationIndex::new(slot), it))
    }

    pub fn users(&self) -> impl Iterator<Item = (UserIndex, &User)> {
        self.users.iter().enumerate().map(|(slot, it)| (UserIndex::new(slot), it))
    }

    pub fn credentials(&self) -> impl Iterator<Item = (CredentialIndex, &Credential)> {
        self.credentials.iter().enumerate().map(|(slot, it)| (CredentialIndex::new(slot), it))
    }

    pub fn names(&self) -> impl Iterator<Item = (NameIndex, &Name)> {
        self.names.iter().enumerate().map(|(slot, it)| (NameIndex::new(slot), it))
    }

    pub fn handles(&self) -> impl Iterator<Item = (u128, &Handle)> {
        self.handles.iter().map(|(digest, handle)| (*digest, handle))
    }

    pub fn accounts_len(&self) -> usize {
        self.accounts.len()
    }

    /// The accounts from slot `from` on, in the order they were opened.
    pub fn accounts_from(&self, from: usize) -> impl Iterator<Item = (AccountIndex, &Account)> {
        (from..self.accounts.len()).map(|slot| {
            let index = AccountIndex::new(slot);
            (index, self.account(index))
        })
    }

    pub fn families(&self) -> impl Iterator<Item = &Family> {
        self.families.iter()
    }

    pub fn balances(&self) -> impl Iterator<Item = (BalanceIndex, &Balance)> {
        self.balances.iter().enumerate().map(|(slot, it)| (BalanceIndex::new(slot), it))
    }

    pub fn holds(&self) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.holds.iter().map(|(id, hold)| (*id, hold))
    }

    /// The open holds from `from` on, in the order they were placed.
    pub fn holds_from(&self, from: HoldId) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.holds.range(from..).map(|(id, hold)| (*id, hold))
    }

    pub fn open_holds(&self) -> usize {
        self.holds.len()
    }

    /// The account's balance in `currency`, if it ever had one.
    pub fn balance_of(&self, account: AccountIndex, currency: Currency) -> Option<BalanceIndex> {
        self.balances_of(account).find(|index| self.balance(*index).currency == currency)
    }

    /// The account's balances, home currency or whichever came first, first.
    pub fn balances_of(&self, account: AccountIndex) -> impl Iterator<Item = BalanceIndex> {
        let first = self.accounts.get(account.slot()).and_then(|account| account.first_balance);
        std::iter::successors(first, |index| self.balance(*index).next)
    }

    /// None for a balance that its command has only just opened.
    pub fn family_of(&self, balance: BalanceIndex) -> Option<&Family> {
        let family = self.balances.get(balance.slot())?.family;
        self.families.get(family.slot())
    }

    pub fn handle(&self, digest: u128) -> Option<AccountIndex> {
        self.handles.get(&digest).map(|handle| handle.account)
    }

    /// Reads what judging these charges and holds will read, and makes nothing of it: what one command
    /// needs first of all of them, then what that leads to. Memory is asked for all of it at once, which
    /// deciding one after the other cannot.
    pub fn warm<'a>(&self, commands: impl Iterator<Item = &'a Command>) -> u64 {
        let mut balances = [None; WARM_MAX];
        let mut touched = 0;
        for (command, balance) in commands.zip(&mut balances) {
            let (Act::Charge { account, .. } | Act::PlaceHold { account, .. }) = command.act else {
                continue;
            };
            let Some(account) = self.accounts.get(account.slot()) else { continue };
            *balance = account.first_balance;
            touched ^= account.last.raw();
            if let Actor::Credential(index) = command.actor {
                touched ^= self.credentials.get(index.slot()).map_or(0, |it| it.last.raw());
            }
        }
        let mut families = [None; WARM_MAX];
        for (balance, family) in balances.iter().zip(&mut families) {
            let Some(balance) = balance.and_then(|index| self.balances.get(index.slot())) else { continue };
            *family = Some(balance.family);
            let amounts = &balance.amounts;
            touched ^= (amounts.carried.get() ^ amounts.given.get() ^ amounts.usage.get()) as u64;
            touched ^= balance.entries ^ balance.skips[0].raw();
        }
        let families = families.iter().flatten().filter_map(|index| self.families.get(index.slot()));
        families.fold(touched, |touched, family| touched ^ family.last.raw() ^ family.posted.get() as u64)
    }

    /// The same for events that are about to be applied.
    pub fn warm_events<'a>(&self, events: impl Iterator<Item = &'a Event> + Clone) -> u64 {
        let balances =
            events.flat_map(Event::images).filter_map(|image| self.balances.get(image.balance.slot()));
        let last = balances.clone().fold(0, |touched, balance| touched ^ balance.last.raw());
        let families = balances.filter_map(|balance| self.families.get(balance.family.slot()));
        families.fold(last, |touched, family| touched ^ family.last.raw())
    }

    /// How much of a charge was given back.
    pub fn refunded(&self, charge: ChargeId) -> Nanos {
        self.refunds.get(&charge).map_or(Nanos::ZERO, |refunded| refunded.amount)
    }

    /// Where what entry number `entry` pinned on `balance` is by now.
    pub fn merged_into(&self, balance: BalanceIndex, entry: u64) -> BalanceIndex {
        let (mut balance, mut entry) = (balance, entry);
        while let Some(merge) =
            self.merges.get(&balance).and_then(|merges| merges.iter().find(|merge| merge.entry > entry))
        {
            (balance, entry) = (merge.into, merge.into_entry);
        }
        balance
    }
}
