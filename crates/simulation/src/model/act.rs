//! What is done, one ask after the other.

use std::collections::BTreeMap;

use super::{Account, Amount, Ask, Charge, Excess, Hold, Key, Model, Moves, No, Way, Who};

const DEPTH_MAX: usize = 8;
const LIFE_MAX: i64 = 30 * 24 * 3600 * 1_000_000;

impl Model {
    pub(super) fn ask_unscoped(&mut self, who: Who, ask: &Ask, now: i64, period: u32) -> Result<(), No> {
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

    pub(super) fn receive(
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
