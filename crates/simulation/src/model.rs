//! The same rules once more, as slowly and plainly as they can be written: plain integers, nothing shared
//! with the ledger. Every answer of the real one is held against it.

mod act;
mod ask;
mod belongings;
mod key;
mod reload;

use std::collections::BTreeMap;

pub use self::ask::{Ask, Excess, No, Way, Who};
pub use self::belongings::Settings;
pub use self::key::{Cap, Key, Lasts, Moves};
pub use self::reload::{Reload, Rule};

/// Nanos.
pub type Amount = i128;

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sheet {
    pub carried: Amount,
    pub funded: Amount,
    pub used: Amount,
    pub held: Amount,
    pub granted: Amount,
    pub received: Amount,
    pub given: Amount,
    pub usage: Amount,
    pub period: u32,
}

impl Sheet {
    pub fn posted(&self) -> Amount {
        self.carried + self.funded - self.used
    }
    pub fn credit(&self) -> Amount {
        self.granted + self.received - self.given
    }
    pub fn available(&self) -> Amount {
        self.posted() - self.held + self.credit()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub parent: Option<usize>,
    pub own: bool,
    pub suspended: bool,
    pub frozen: bool,
    pub closed: bool,
    pub overruns: bool,
    pub sheets: BTreeMap<&'static str, Sheet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub account: usize,
    pub payer: usize,
    pub currency: &'static str,
    pub amount: Amount,
    pub expires_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub account: usize,
    pub payer: usize,
    pub currency: &'static str,
    pub amount: Amount,
    pub refunded: Amount,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Model {
    pub accounts: Vec<Account>,
    pub holds: BTreeMap<u64, Hold>,
    pub charges: Vec<Charge>,
    pub holds_placed: u64,
    pub keys: Vec<Key>,
    pub reloads: BTreeMap<(usize, &'static str), Reload>,
    pub settings: BTreeMap<usize, Settings>,
    pub numbers: BTreeMap<u64, usize>,
    /// There is hardly any room left: nothing starts by itself.
    pub is_full: bool,
    /// The sheets that the ask at hand has touched, and whose money was short.
    touched: Vec<(usize, &'static str)>,
    short: Option<usize>,
    /// What the ask at hand moves: how, in which currency, and how much.
    moved: Option<(Moves, &'static str, Amount)>,
}

impl Model {
    /// Ends every hold that is due, first things first.
    pub fn expire(&mut self, now: i64, period: u32) {
        let due = self.holds.iter().filter(|(_, hold)| hold.expires_at <= now);
        let mut due: Vec<(i64, u64)> = due.map(|(id, hold)| (hold.expires_at, *id)).collect();
        due.sort_unstable();
        for (_, id) in due {
            self.touched.clear();
            self.release(id, period);
            self.begin_reloads(now, period);
        }
    }

    /// Ends a hold. False, where it was not due.
    pub fn expire_one(&mut self, id: u64, now: i64, period: u32) -> bool {
        let is_due = self.holds.get(&id).is_some_and(|hold| hold.expires_at <= now);
        if is_due {
            self.release(id, period);
        }
        is_due
    }

    fn release(&mut self, id: u64, period: u32) {
        let hold = self.holds.remove(&id).expect("the caller found it");
        self.touch(hold.payer, hold.currency, period).held -= hold.amount;
        self.touch(hold.account, hold.currency, period);
    }

    /// The sheet of an account, rolled into the open period.
    fn touch(&mut self, account: usize, currency: &'static str, period: u32) -> &mut Sheet {
        self.touched.push((account, currency));
        let sheet = self.accounts[account]
            .sheets
            .entry(currency)
            .or_insert_with(|| Sheet { period, ..Sheet::default() });
        if sheet.period < period {
            *sheet = Sheet { carried: sheet.posted(), funded: 0, used: 0, usage: 0, period, ..sheet.clone() };
        }
        sheet
    }

    fn look(&self, account: usize, currency: &'static str) -> Sheet {
        self.accounts[account].sheets.get(currency).cloned().unwrap_or_default()
    }

    pub fn payer(&self, mut account: usize) -> usize {
        while !self.accounts[account].own {
            account = self.accounts[account].parent.expect("only children share");
        }
        account
    }

    pub fn root(&self, mut account: usize) -> usize {
        while let Some(parent) = self.accounts[account].parent {
            account = parent;
        }
        account
    }

    fn ancestors(&self, account: usize) -> Vec<usize> {
        let mut all = Vec::new();
        let mut next = self.accounts[account].parent;
        while let Some(parent) = next {
            all.push(parent);
            next = self.accounts[parent].parent;
        }
        all
    }

    fn is_frozen(&self, account: usize) -> bool {
        self.accounts[account].frozen
            || self.ancestors(account).iter().any(|above| self.accounts[*above].frozen)
    }

    fn reach(&self, who: Who, account: usize) -> Result<(), No> {
        match who {
            Who::Seller => Ok(()),
            Who::Buyer(me) if me == account || self.ancestors(account).contains(&me) => Ok(()),
            Who::Buyer(_) | Who::Key(_) => Err(No::NotFound),
        }
    }

    fn seller(&self, who: Who, account: usize) -> Result<(), No> {
        self.reach(who, account)?;
        if who == Who::Seller { Ok(()) } else { Err(No::SellerOnly) }
    }

    fn manage(&self, who: Who, account: usize) -> Result<(), No> {
        self.reach(who, account)?;
        if who == Who::Buyer(account) { Err(No::SellerOnly) } else { Ok(()) }
    }

    fn open(&self, account: usize) -> Result<(), No> {
        if self.accounts[account].closed { Err(No::Closed) } else { Ok(()) }
    }

    fn may_spend(&self, account: usize) -> Result<(), No> {
        self.open(account)?;
        if self.is_frozen(account) {
            return Err(No::Frozen);
        }
        if self.accounts[account].suspended { Err(No::Suspended) } else { Ok(()) }
    }

    fn may_send(&self, who: Who, account: usize) -> Result<(), No> {
        self.open(account)?;
        if self.is_frozen(account) {
            return Err(No::Frozen);
        }
        let by_parent = matches!(who, Who::Buyer(me) if self.ancestors(account).contains(&me));
        if self.accounts[account].suspended && !by_parent { Err(No::Suspended) } else { Ok(()) }
    }

    fn own(&self, account: usize) -> Result<(), No> {
        if self.accounts[account].own { Ok(()) } else { Err(No::Shared) }
    }

    fn spender(&self, account: usize) -> Result<usize, No> {
        self.may_spend(account)?;
        let payer = self.payer(account);
        self.may_spend(payer)?;
        Ok(payer)
    }

    fn admit(&mut self, payer: usize, way: Way, cost: Amount, available: Amount) -> Result<(), No> {
        let admitted = match way {
            Way::Strict => cost <= available,
            Way::Served => available > 0,
            Way::Forced => true,
        };
        if admitted { Ok(()) } else { Err(self.short_of(payer, cost, available)) }
    }

    fn short_of(&mut self, account: usize, need: Amount, have: Amount) -> No {
        self.short = Some(account);
        No::Funds { need, have }
    }

    fn may_force(&self, who: Who, account: usize, way: Way) -> Result<(), No> {
        if way == Way::Forced { self.seller(who, account) } else { Ok(()) }
    }

    /// Does what is asked, or says why not and changes nothing. What it starts is for [`Self::begin_reloads`].
    pub fn ask(&mut self, who: Who, ask: &Ask, now: i64, period: u32) -> Result<(), No> {
        (self.moved, self.short) = (None, None);
        self.touched.clear();
        let Who::Key(key) = who else { return self.ask_unscoped(who, ask, now, period) };
        let before = self.clone();
        let done = self.ask_by_key(key, ask, now, period);
        if done.is_err() {
            let short = self.short;
            *self = Self { short, ..before };
        }
        done
    }
}
