//! One command on its way to becoming events: the state it sees, and what it has written so far.

use domain::{Currency, Nanos, Timestamp};

use crate::account::Class;
use crate::event::{Event, Image};
use crate::people::{Authority, Standing};
use crate::{
    AccountIndex, Actor, Admission, Amounts, BalanceIndex, CredentialIndex, FamilyIndex, Funding, Hold,
    HoldId, Ledger, OrganizationIndex, PeopleRejection, Rejection, Scope, UserIndex,
};

pub(crate) struct Draft<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) now: Timestamp,
    pub(crate) authority: Authority,
    /// The accounts that whoever acts is limited to; none: no such limit.
    pub(crate) chosen: &'a [AccountIndex],
    pub(crate) user: Option<UserIndex>,
    /// Whose word it is, where it is not the server's own.
    pub(crate) credential: Option<CredentialIndex>,
    events: &'a mut Vec<Event>,
    /// How many events were there before.
    before: usize,
    /// Balances opened by this very command.
    opened: Vec<(AccountIndex, Currency, Open, FamilyIndex)>,
    families_opened: usize,
}

/// A balance as this command sees it: rolled into the open period, ready to be changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub(crate) account: AccountIndex,
    pub(crate) balance: BalanceIndex,
    pub(crate) entry: u64,
    pub(crate) amounts: Amounts,
}

impl Open {
    pub(crate) fn image(self) -> Image {
        Image { balance: self.balance, entry: self.entry, amounts: self.amounts }
    }
}

impl<'a> Draft<'a> {
    pub(crate) fn new(
        ledger: &'a Ledger,
        standing: Standing<'a>,
        now: Timestamp,
        events: &'a mut Vec<Event>,
    ) -> Self {
        let Standing { authority, chosen, user } = standing;
        let before = events.len();
        Self {
            ledger,
            now,
            authority,
            chosen,
            user,
            credential: None,
            events,
            before,
            opened: Vec::new(),
            families_opened: 0,
        }
    }

    /// The same on the word of `actor`, whose credential may be held to a scope.
    pub(crate) fn of(mut self, actor: Actor) -> Self {
        self.credential = match actor {
            Actor::Credential(credential) => Some(credential),
            Actor::System | Actor::Session(_) | Actor::Member(_) => None,
        };
        self
    }

    pub(crate) fn scope(&self) -> Option<&'a Scope> {
        self.ledger.credential(self.credential?).scope.as_deref()
    }

    /// What this command has written so far.
    pub(crate) fn written(&self) -> &[Event] {
        &self.events[self.before..]
    }

    pub(crate) fn internal(ledger: &'a Ledger, now: Timestamp, events: &'a mut Vec<Event>) -> Self {
        let standing = Standing { authority: Authority::System, chosen: &[], user: None };
        Self::new(ledger, standing, now, events)
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    // who may

    /// The account is the caller's own, its descendant, or the seller's.
    pub(crate) fn reach(&self, account: AccountIndex) -> Result<(), Rejection> {
        let reached = match self.authority {
            Authority::System => true,
            Authority::Seller(organization) => self.ledger.account(account).organization == organization,
            Authority::Buyer(caller) => caller == account || self.ledger.manages(caller, account),
        };
        if reached { self.open_to(account) } else { Err(Rejection::AccountNotFound) }
    }

    /// The caller stands above the account: its parent, or the seller.
    pub(crate) fn manage(&self, account: AccountIndex) -> Result<(), Rejection> {
        self.reach(account)?;
        match self.authority {
            Authority::Buyer(caller) if caller == account => Err(Rejection::SellerOnly),
            _ => Ok(()),
        }
    }

    pub(crate) fn seller_of(&self, account: AccountIndex) -> Result<(), Rejection> {
        self.reach(account)?;
        self.seller(self.ledger.account(account).organization)
    }

    pub(crate) fn seller(&self, organization: OrganizationIndex) -> Result<(), Rejection> {
        match self.authority {
            authority if authority.is_seller_of(organization) => Ok(()),
            Authority::Seller(_) => Err(Rejection::OrganizationNotFound),
            _ => Err(Rejection::SellerOnly),
        }
    }

    /// The seller, not limited to chosen accounts.
    pub(crate) fn whole(&self, organization: OrganizationIndex) -> Result<(), Rejection> {
        self.seller(organization)?;
        if self.scope().is_some_and(Scope::is_limited) {
            Err(Rejection::OutOfScope)
        } else if !self.chosen.is_empty() {
            Err(PeopleRejection::LimitedToAccounts.into())
        } else {
            Ok(())
        }
    }

    pub(crate) fn may_force(&self, account: AccountIndex, admission: Admission) -> Result<(), Rejection> {
        match admission {
            Admission::Strict | Admission::Served => Ok(()),
            Admission::Forced => self.seller_of(account),
        }
    }

    /// How a transfer or allocation out of `source` is seen by the table of restrictions.
    pub(crate) fn sending(&self, source: AccountIndex) -> Class {
        let by_parent =
            matches!(self.authority, Authority::Buyer(caller) if self.ledger.manages(caller, source));
        Class::Send { by_parent }
    }

    /// Who pays when `account` spends, if both may.
    pub(crate) fn spender(&self, account: AccountIndex) -> Result<AccountIndex, Rejection> {
        self.ledger.allows(account, Class::Spend)?;
        let payer = self.ledger.payer(account);
        if payer != account {
            self.ledger.allows(payer, Class::Spend)?;
        }
        Ok(payer)
    }

    /// The account has money of its own.
    pub(crate) fn own(&self, account: AccountIndex) -> Result<(), Rejection> {
        match self.ledger.account(account).funding {
            Funding::Shared => Err(Rejection::FundingShared { account }),
            Funding::Own | Funding::PaidBy(_) => Ok(()),
        }
    }

    pub(crate) fn hold(&self, id: HoldId) -> Result<&'a Hold, Rejection> {
        let hold = self.ledger.hold(id).ok_or(Rejection::HoldNotFound)?;
        self.reach(hold.account).map_err(|_| Rejection::HoldNotFound)?;
        Ok(hold)
    }

    // balances

    pub(crate) fn currency(&self, account: AccountIndex, currency: Option<Currency>) -> Currency {
        currency.unwrap_or_else(|| self.ledger.account(account).currency)
    }

    /// Also of a balance that this command opens.
    pub(crate) fn currency_of(&self, balance: BalanceIndex) -> Option<Currency> {
        let known = self.ledger.balances.get(balance.slot()).map(|known| known.currency);
        known.or_else(|| {
            let opened = self.opened.iter().find(|(.., open, _)| open.balance == balance);
            opened.map(|(_, currency, ..)| *currency)
        })
    }

    /// The account's balance in `currency`, opened if it never was.
    pub(crate) fn balance(&mut self, account: AccountIndex, currency: Currency) -> Result<Open, Rejection> {
        match self.ledger.balance_of(account, currency) {
            Some(balance) => self.open(balance),
            None => match self.opened.iter().find(|(owner, code, ..)| (*owner, *code) == (account, currency))
            {
                Some((.., open, _)) => Ok(*open),
                None => Ok(self.open_new(account, currency)?.0),
            },
        }
    }

    /// The balance of `account` where `payer` is another's; nothing where it is the account's own.
    pub(crate) fn other(
        &mut self,
        payer: &Open,
        account: AccountIndex,
        currency: Currency,
    ) -> Result<Option<Open>, Rejection> {
        if payer.account == account { Ok(None) } else { self.balance(account, currency).map(Some) }
    }

    /// An existing balance, rolled into the open period.
    pub(crate) fn open(&mut self, index: BalanceIndex) -> Result<Open, Rejection> {
        let balance = self.ledger.balance(index);
        let mut open = Open {
            account: balance.account,
            balance: index,
            entry: balance.entries + 1,
            amounts: balance.amounts,
        };
        if self.now >= balance.period_end {
            let organization = self.ledger.organization(self.ledger.account(balance.account).organization);
            let (period, period_end) =
                organization.calendar.period_at(self.now).ok_or(Rejection::CalendarEnded)?;
            open.amounts = open.amounts.rolled();
            self.events.push(Event::PeriodRolled { image: open.image(), period, period_end });
            open.entry += 1;
        }
        Ok(open)
    }

    fn open_new(
        &mut self,
        account: AccountIndex,
        currency: Currency,
    ) -> Result<(Open, FamilyIndex), Rejection> {
        let owner = self.ledger.account(account);
        self.open_first(account, owner.root, owner.organization, currency)
    }

    /// Opens a balance for an account that the ledger may not know yet.
    pub(crate) fn open_first(
        &mut self,
        account: AccountIndex,
        root: AccountIndex,
        organization: OrganizationIndex,
        currency: Currency,
    ) -> Result<(Open, FamilyIndex), Rejection> {
        let organization = self.ledger.organization(organization);
        organization.exponent(currency).ok_or(Rejection::CurrencyUnknown { currency })?;
        let (period, period_end) =
            organization.calendar.period_at(self.now).ok_or(Rejection::CalendarEnded)?;
        let family = if root == account {
            self.families_opened += 1;
            FamilyIndex::new(self.ledger.families.len() + self.families_opened - 1)
        } else {
            self.family(root, currency)?
        };
        let balance = BalanceIndex::new(self.ledger.balances.len() + self.opened.len());
        let open = Open { account, balance, entry: 1, amounts: Amounts::default() };
        self.opened.push((account, currency, open, family));
        self.events.push(Event::BalanceOpened { balance, account, currency, family, period, period_end });
        Ok((open, family))
    }

    /// The family of a root in a currency; the root's own balance is opened with it.
    fn family(&mut self, root: AccountIndex, currency: Currency) -> Result<FamilyIndex, Rejection> {
        if let Some(balance) = self.ledger.balance_of(root, currency) {
            return Ok(self.ledger.balance(balance).family);
        }
        match self.opened.iter().find(|(owner, code, ..)| (*owner, *code) == (root, currency)) {
            Some((.., family)) => Ok(*family),
            None => Ok(self.open_new(root, currency)?.1),
        }
    }
}

/// Greater than zero, and not more than any API can carry.
pub(crate) fn positive(amount: Nanos) -> Result<(), Rejection> {
    if !amount.is_positive() {
        Err(Rejection::AmountNotPositive)
    } else if !amount.in_range() {
        Err(Rejection::AmountOutOfRange)
    } else {
        Ok(())
    }
}
