//! The same rules once more, as slowly and plainly as they can be written: plain integers, nothing shared
//! with the ledger. Every answer of the real one is held against it.

mod belongings;
mod reload;

use std::collections::BTreeMap;

pub use self::belongings::Settings;
pub use self::reload::{Reload, Rule};
use jiff::tz::TimeZone;

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

/// A credential that has limits, in EUR; all it ever moved is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub account: usize,
    pub limits: Vec<Cap>,
    pub moved: Vec<(i64, Moves, Amount)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    pub moves: Vec<Moves>,
    pub amount: Amount,
    pub lasts: Lasts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    Day,
    Month,
    Ever,
}

/// How money moves by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    Charged,
    Transferred,
    Allocated,
    Paid,
}

/// Why not, in as few words as tell refusals apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    NotFound,
    SellerOnly,
    Suspended,
    Frozen,
    Closed,
    InUse,
    NotPositive,
    Negative,
    Funds { need: Amount, have: Amount },
    Credit { need: Amount, have: Amount },
    BelowGiven,
    MergeBelowZero,
    Same,
    Shared,
    NotAChild,
    NotOneFamily,
    MayNotOpenChildren,
    TooDeep,
    NoHold,
    HoldLife,
    AboveHold,
    AboveCharge,
    OutOfScope,
    Scope { need: Amount, have: Amount },
    ReloadOff,
    UnderWay,
    NotUnderWay,
    NumberTaken,
    NoNumber,
    NotOwned,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Seller,
    Buyer(usize),
    /// A buyer by a credential that is held to a scope.
    Key(usize),
}

/// What is asked, by the numbers of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Open { parent: Option<usize>, shared: bool, credit: Amount, overruns: bool },
    Suspend { account: usize, suspended: bool },
    Share { account: usize, shared: bool },
    Freeze { account: usize, frozen: bool },
    Close { account: usize, closed: bool },
    SetCredit { account: usize, currency: &'static str, credit: Amount },
    Allocate { child: usize, currency: &'static str, give: bool, amount: Amount },
    Transfer { from: usize, to: usize, currency: &'static str, amount: Amount },
    TopUp { account: usize, currency: &'static str, amount: Amount },
    Withdraw { account: usize, currency: &'static str, amount: Amount },
    Adjust { account: usize, currency: &'static str, amount: Amount, used: bool },
    UsageCredit { account: usize, currency: &'static str, amount: Amount },
    Charge { account: usize, currency: &'static str, amount: Amount, way: Way },
    Refund { charge: usize, amount: Amount },
    Place { account: usize, currency: &'static str, amount: Amount, expires_at: i64 },
    Extend { hold: u64, expires_at: i64 },
    Capture { hold: u64, amount: Amount, excess: Excess, keep_open: bool },
    Void { hold: u64 },
    Issue { account: usize, limits: Vec<Cap> },
    SetReload { account: usize, currency: &'static str, rule: Rule },
    StartReload { account: usize, currency: &'static str },
    SettleReload { account: usize, currency: &'static str, approved: bool },
    SetSettings { account: usize, url: Option<Option<u32>>, posts: Option<bool>, calls: Option<u32> },
    Assign { account: usize, number: u64 },
    Release { account: usize, number: u64 },
    MoveNumber { from: usize, to: usize, number: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Strict,
    Served,
    Forced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    Exact,
    UpTo,
    Admit(Way),
}

impl Lasts {
    /// Whether both moments are in one span, by the calendar of UTC.
    fn is_same(self, then: i64, now: i64) -> bool {
        let date = |micros| {
            let instant = jiff::Timestamp::from_microsecond(micros).expect("lives end long before time does");
            instant.to_zoned(TimeZone::UTC).date()
        };
        let (then, now) = (date(then), date(now));
        match self {
            Self::Day => then == now,
            Self::Month => then.first_of_month() == now.first_of_month(),
            Self::Ever => true,
        }
    }
}

const DEPTH_MAX: usize = 8;
const LIFE_MAX: i64 = 30 * 24 * 3600 * 1_000_000;

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

    /// As its account could, and then counted.
    fn ask_by_key(&mut self, key: usize, ask: &Ask, now: i64, period: u32) -> Result<(), No> {
        let who = Who::Buyer(self.keys[key].account);
        if matches!(ask, Ask::Issue { .. }) {
            return Err(No::OutOfScope);
        }
        let merges = matches!(*ask, Ask::Share { account, shared: true } if self.accounts[account].own);
        self.ask_unscoped(who, ask, now, period)?;
        // What is made so could spend past every limit.
        if merges || matches!(ask, Ask::Open { shared: true, .. } | Ask::Open { overruns: true, .. }) {
            return Err(No::OutOfScope);
        }
        let Some((moves, currency, need)) = self.moved.take() else { return Ok(()) };
        let key = &mut self.keys[key];
        let limits: Vec<&Cap> = key.limits.iter().filter(|limit| limit.moves.contains(&moves)).collect();
        if limits.is_empty() || currency != "EUR" {
            return Err(No::OutOfScope);
        }
        for limit in limits {
            let counts = |(then, moved, _): &&(i64, Moves, Amount)| {
                limit.moves.contains(moved) && limit.lasts.is_same(*then, now)
            };
            let before: Amount = key.moved.iter().filter(counts).map(|(.., amount)| amount).sum();
            if need > 0 && before + need > limit.amount {
                return Err(No::Scope { need, have: limit.amount - before });
            }
        }
        key.moved.push((now, moves, need));
        Ok(())
    }

    fn ask_unscoped(&mut self, who: Who, ask: &Ask, now: i64, period: u32) -> Result<(), No> {
        match *ask {
            Ask::Issue { account, ref limits } => {
                self.reach(who, account)?;
                self.open(account)?;
                self.keys.push(Key { account, limits: limits.clone(), moved: Vec::new() });
            }
            Ask::SetReload { account, currency, rule } => {
                self.seller(who, account)?;
                self.own(account)?;
                self.open(account)?;
                if rule.amount <= 0 {
                    return Err(No::NotPositive);
                }
                self.set_reload(account, currency, rule, period);
            }
            Ask::StartReload { account, currency } => {
                self.reach(who, account)?;
                self.open(account)?;
                let reload = self.reloads.get(&(account, currency)).filter(|reload| reload.is_on());
                let reload = reload.cloned().ok_or(No::ReloadOff)?;
                if reload.requested.is_some() {
                    return Err(No::UnderWay);
                }
                if reload.rule.at_once {
                    self.receive(account, currency, reload.rule.amount, period)?;
                } else {
                    let reload = self.reloads.get_mut(&(account, currency)).expect("it was found");
                    reload.requested = Some(reload.rule.amount);
                }
            }
            Ask::SettleReload { account, currency, approved } => {
                self.seller(who, account)?;
                self.settle_reload(account, currency, approved, now, period)?;
            }
            Ask::SetSettings { account, url, posts, calls } => {
                self.set_settings(who, account, url, posts, calls)?;
            }
            Ask::Assign { account, number } => self.assign(who, account, number)?,
            Ask::Release { account, number } => self.release_number(who, account, number)?,
            Ask::MoveNumber { from, to, number } => self.move_number(who, from, to, number)?,
            Ask::Open { parent, shared, credit, overruns } => {
                match (who, parent) {
                    (Who::Seller, _) => {}
                    (Who::Buyer(_), None) => return Err(No::SellerOnly),
                    (Who::Buyer(me), Some(parent)) => self.reach(Who::Buyer(me), parent)?,
                    (Who::Key(_), _) => return Err(No::SellerOnly),
                }
                if let Some(parent) = parent {
                    self.open(parent)?;
                    if who != Who::Seller && self.accounts[parent].parent.is_some() {
                        return Err(No::MayNotOpenChildren);
                    }
                    if self.ancestors(parent).len() + 1 >= DEPTH_MAX {
                        return Err(No::TooDeep);
                    }
                }
                if shared && parent.is_none() {
                    return Err(No::NotAChild);
                }
                if credit != 0 && who != Who::Seller {
                    return Err(No::SellerOnly);
                }
                if credit != 0 && shared {
                    return Err(No::Shared);
                }
                let account = self.accounts.len();
                self.accounts.push(Account {
                    parent,
                    own: !shared,
                    suspended: false,
                    frozen: false,
                    closed: false,
                    overruns,
                    sheets: BTreeMap::new(),
                });
                if credit != 0 {
                    self.touch(account, "EUR", period).granted = credit;
                }
            }
            Ask::Suspend { account, suspended } => {
                self.reach(who, account)?;
                self.open(account)?;
                self.manage(who, account)?;
                if !suspended && who != Who::Seller && self.is_frozen(account) {
                    return Err(No::Frozen);
                }
                self.accounts[account].suspended = suspended;
            }
            Ask::Share { account, shared } => {
                self.reach(who, account)?;
                self.open(account)?;
                if self.accounts[account].own != shared {
                    return Ok(());
                }
                self.manage(who, account)?;
                if shared { self.merge(account, period)? } else { self.accounts[account].own = true }
            }
            Ask::Freeze { account, frozen } => {
                self.seller(who, account)?;
                self.open(account)?;
                self.accounts[account].frozen = frozen;
            }
            Ask::Close { account, closed } => {
                self.seller(who, account)?;
                let concerned = |hold: &Hold| hold.account == account || hold.payer == account;
                let busy = self.holds.values().any(concerned)
                    || self.accounts.iter().any(|child| child.parent == Some(account) && !child.closed);
                if closed && busy {
                    return Err(No::InUse);
                }
                self.accounts[account].closed = closed;
            }
            Ask::SetCredit { account, currency, credit } => {
                self.reach(who, account)?;
                self.own(account)?;
                self.open(account)?;
                if credit < 0 {
                    return Err(No::BelowGiven);
                }
                let change = credit - self.look(account, currency).credit();
                match who {
                    Who::Buyer(me) if change != 0 => {
                        if self.accounts[account].parent != Some(me) {
                            return Err(No::SellerOnly);
                        }
                        self.allocate(who, account, currency, change > 0, change.abs(), period)?;
                    }
                    _ => self.touch(account, currency, period).granted += change,
                }
            }
            Ask::Allocate { child, currency, give, amount } => {
                self.reach(who, child)?;
                if amount <= 0 {
                    return Err(No::NotPositive);
                }
                self.allocate(who, child, currency, give, amount, period)?;
            }
            Ask::Transfer { from, to, currency, amount } => {
                self.reach(who, from)?;
                if self.root(from) != self.root(to) {
                    return Err(if who == Who::Seller { No::NotOneFamily } else { No::NotFound });
                }
                if amount <= 0 {
                    return Err(No::NotPositive);
                }
                if from == to {
                    return Err(No::Same);
                }
                self.own(from)?;
                self.own(to)?;
                self.may_send(who, from)?;
                self.open(to)?;
                let have = self.look(from, currency).available().max(0);
                if amount > have {
                    return Err(self.short_of(from, amount, have));
                }
                self.touch(from, currency, period).funded -= amount;
                self.touch(to, currency, period).funded += amount;
                self.moved = Some((Moves::Transferred, currency, amount));
            }
            Ask::TopUp { account, currency, amount } => {
                self.seller(who, account)?;
                if amount <= 0 {
                    return Err(No::NotPositive);
                }
                self.receive(account, currency, amount, period)?;
            }
            Ask::Withdraw { account, currency, amount } => {
                self.seller(who, account)?;
                if amount <= 0 {
                    return Err(No::NotPositive);
                }
                self.own(account)?;
                self.may_send(who, account)?;
                let sheet = self.look(account, currency);
                let root = self.root(account);
                let family: Amount = (0..self.accounts.len())
                    .filter(|other| self.root(*other) == root)
                    .map(|other| self.look(other, currency))
                    .map(|sheet| sheet.posted() - sheet.held)
                    .sum();
                let have = (sheet.posted() - sheet.held).max(0).min(family.max(0));
                if amount > have {
                    return Err(self.short_of(account, amount, have));
                }
                self.touch(account, currency, period).funded -= amount;
            }
            Ask::Adjust { account, currency, amount, used } => {
                self.seller(who, account)?;
                if amount == 0 {
                    return Err(No::NotPositive);
                }
                let payer = self.payer(account);
                let sheet = self.touch(payer, currency, period);
                if used {
                    sheet.used -= amount;
                } else {
                    sheet.funded += amount;
                }
                self.touch(account, currency, period);
            }
            Ask::UsageCredit { account, currency, amount } => {
                self.seller(who, account)?;
                if amount <= 0 {
                    return Err(No::NotPositive);
                }
                let payer = self.receiver(account)?;
                self.touch(payer, currency, period).used -= amount;
                self.touch(account, currency, period);
            }
            Ask::Charge { account, currency, amount, way } => {
                self.reach(who, account)?;
                if amount < 0 {
                    return Err(No::Negative);
                }
                if amount == 0 {
                    return Err(No::NotPositive);
                }
                self.may_force(who, account, way)?;
                let payer = self.spender(account)?;
                let way =
                    if self.accounts[account].overruns && way == Way::Strict { Way::Served } else { way };
                self.admit(payer, way, amount, self.look(payer, currency).available())?;
                self.touch(payer, currency, period).used += amount;
                self.touch(account, currency, period).usage += amount;
                self.charges.push(Charge { account, payer, currency, amount, refunded: 0 });
                self.moved = Some((Moves::Charged, currency, amount));
            }
            Ask::Refund { charge, amount } => {
                let charge_of = self.charges[charge].clone();
                match (who, self.reach(who, charge_of.account)) {
                    (_, Err(_)) => return Err(No::NotFound),
                    (Who::Buyer(_) | Who::Key(_), Ok(())) => return Err(No::SellerOnly),
                    (Who::Seller, Ok(())) => {}
                }
                if amount <= 0 {
                    return Err(No::NotPositive);
                }
                self.open(charge_of.account)?;
                if amount > charge_of.amount - charge_of.refunded {
                    return Err(No::AboveCharge);
                }
                self.open(charge_of.payer)?;
                self.charges[charge].refunded += amount;
                self.touch(charge_of.payer, charge_of.currency, period).used -= amount;
                self.touch(charge_of.account, charge_of.currency, period).usage -= amount;
            }
            Ask::Place { account, currency, amount, expires_at } => {
                self.reach(who, account)?;
                if amount <= 0 {
                    return Err(No::NotPositive);
                }
                if expires_at <= now || expires_at > now + LIFE_MAX {
                    return Err(No::HoldLife);
                }
                let payer = self.spender(account)?;
                self.admit(payer, Way::Strict, amount, self.look(payer, currency).available())?;
                self.touch(payer, currency, period).held += amount;
                self.touch(account, currency, period);
                self.holds.insert(self.holds_placed, Hold { account, payer, currency, amount, expires_at });
                self.holds_placed += 1;
                self.moved = Some((Moves::Charged, currency, amount));
            }
            Ask::Extend { hold, expires_at } => {
                let of = self.hold(who, hold)?;
                self.may_spend(of.account)?;
                self.may_spend(of.payer)?;
                if expires_at <= now || expires_at > now + LIFE_MAX {
                    return Err(No::HoldLife);
                }
                self.touch(of.payer, of.currency, period);
                self.touch(of.account, of.currency, period);
                self.holds.get_mut(&hold).expect("it was found").expires_at = expires_at;
            }
            Ask::Capture { hold, amount, excess, keep_open } => {
                let of = self.hold(who, hold)?;
                if amount < 0 {
                    return Err(No::Negative);
                }
                let within = amount.min(of.amount);
                let left = of.amount - within;
                let stays = keep_open && left > 0;
                let released = if stays { 0 } else { left };
                let available = self.look(of.payer, of.currency).available() + released;
                let above = amount - within;
                let above = match excess {
                    _ if above == 0 => 0,
                    Excess::Exact => return Err(No::AboveHold),
                    Excess::UpTo => above.min(available.max(0)),
                    Excess::Admit(way) => {
                        self.may_force(who, of.account, way)?;
                        self.admit(of.payer, way, above, available)?;
                        above
                    }
                };
                let payer = self.touch(of.payer, of.currency, period);
                payer.held -= within + released;
                payer.used += within + above;
                self.touch(of.account, of.currency, period).usage += within + above;
                if stays {
                    self.holds.get_mut(&hold).expect("it was found").amount = left;
                } else {
                    self.holds.remove(&hold);
                }
                let (account, payer, currency) = (of.account, of.payer, of.currency);
                self.charges.push(Charge { account, payer, currency, amount: within + above, refunded: 0 });
                self.moved = Some((Moves::Charged, currency, above));
            }
            Ask::Void { hold } => {
                self.hold(who, hold)?;
                self.release(hold, period);
            }
        }
        Ok(())
    }

    fn hold(&self, who: Who, id: u64) -> Result<Hold, No> {
        let hold = self.holds.get(&id).ok_or(No::NoHold)?;
        self.reach(who, hold.account).map_err(|_| No::NoHold)?;
        Ok(hold.clone())
    }

    fn receive(
        &mut self,
        account: usize,
        currency: &'static str,
        amount: Amount,
        period: u32,
    ) -> Result<(), No> {
        let payer = self.receiver(account)?;
        self.touch(payer, currency, period).funded += amount;
        self.touch(account, currency, period);
        self.moved = Some((Moves::Paid, currency, amount));
        Ok(())
    }

    fn receiver(&self, account: usize) -> Result<usize, No> {
        self.open(account)?;
        let payer = self.payer(account);
        self.open(payer)?;
        Ok(payer)
    }

    fn allocate(
        &mut self,
        who: Who,
        child: usize,
        currency: &'static str,
        give: bool,
        amount: Amount,
        period: u32,
    ) -> Result<(), No> {
        self.reach(who, child)?;
        let parent = self.accounts[child].parent.ok_or(No::NotAChild)?;
        let (source, target) = if give { (parent, child) } else { (child, parent) };
        self.reach(who, source)?;
        self.own(source)?;
        self.own(target)?;
        self.may_send(who, source)?;
        self.open(target)?;
        let sheet = self.look(source, currency);
        let have = sheet.credit().min(sheet.available()).max(0);
        if amount > have {
            return Err(No::Credit { need: amount, have });
        }
        let signed = if give { amount } else { -amount };
        self.touch(parent, currency, period).given += signed;
        self.touch(child, currency, period).received += signed;
        self.moved = Some((Moves::Allocated, currency, amount));
        Ok(())
    }

    /// Everything the child has becomes its payer's: money, credit, and what was pinned to it.
    fn merge(&mut self, child: usize, period: u32) -> Result<(), No> {
        let parent = self.accounts[child].parent.ok_or(No::NotAChild)?;
        let target = self.payer(parent);
        let currencies: Vec<&'static str> = self.accounts[child].sheets.keys().copied().collect();
        for currency in &currencies {
            if self.look(child, currency).available() + self.look(target, currency).available() < 0 {
                return Err(No::MergeBelowZero);
            }
        }
        for currency in currencies {
            let from = self.touch(child, currency, period);
            let (posted, held, credit) = (from.posted(), from.held, from.credit());
            from.funded -= posted;
            from.held = 0;
            from.received -= credit;
            let to = self.touch(target, currency, period);
            to.funded += posted;
            to.held += held;
            to.given -= credit;
        }
        self.holds.values_mut().filter(|hold| hold.payer == child).for_each(|hold| hold.payer = target);
        self.charges
            .iter_mut()
            .filter(|charge| charge.payer == child)
            .for_each(|charge| charge.payer = target);
        self.accounts[child].own = false;
        Ok(())
    }
}
