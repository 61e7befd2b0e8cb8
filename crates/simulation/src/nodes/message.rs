//! What clients and nodes say to each other.

use domain::{Currency, Timestamp};
use engine::Receipt;
use ledger::{AccountIndex, Ledger, Rejection, Status};

use super::world::Micros;
use crate::model::{Model, Sheet};

/// One attempt of a client, on its way to a node.
#[derive(Clone, Debug)]
pub struct Request {
    pub client: usize,
    pub attempt: u64,
    /// How often something had been lost when it was first sent.
    pub losses: u64,
    /// What has to be there for it to be understood.
    pub named: Named,
    pub wanted: Wanted,
}

/// How much of what commands name there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named {
    accounts: usize,
    balances: usize,
    credentials: usize,
}

impl Named {
    pub fn in_ledger(ledger: &Ledger) -> Self {
        Self {
            accounts: ledger.accounts_len(),
            balances: ledger.balances().count(),
            credentials: ledger.credentials().count(),
        }
    }

    pub fn is_within(self, there: Self) -> bool {
        self.accounts <= there.accounts
            && self.balances <= there.balances
            && self.credentials <= there.credentials
    }
}

#[derive(Clone, Debug)]
pub enum Wanted {
    Write(Box<engine::Request>),
    /// Figures of an account, by its number.
    Read(usize),
    /// The same, and they may be so old.
    Near(usize, Micros),
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub client: usize,
    pub attempt: u64,
    pub said: Said,
}

#[derive(Clone, Debug)]
pub enum Said {
    Done(Box<Receipt>),
    /// And at what book time.
    Rejected(Rejection, Timestamp),
    Read(Option<Figures>),
    /// As they were at an instant not before this one.
    Near(Option<Figures>, Micros),
    /// The key stands for something else.
    Conflict,
    /// No answer: perhaps done, perhaps not. Ask again, or elsewhere.
    Nothing,
}

/// What a read shows of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    own: bool,
    suspended: bool,
    frozen: bool,
    closed: bool,
    amounts: [i128; 8],
}

const CURRENCY: &str = "EUR";

impl Figures {
    pub fn of_ledger(ledger: &Ledger, number: usize) -> Option<Self> {
        if number >= ledger.accounts_len() {
            return None;
        }
        let index = AccountIndex::new(number);
        let account = ledger.account(index);
        let currency = Currency::parse(CURRENCY).expect("it is a currency");
        let balance = ledger.balance_of(index, currency);
        let amounts = balance.map_or([0; 8], |balance| {
            let it = &ledger.balance(balance).amounts;
            [it.carried, it.funded, it.used, it.held, it.granted, it.received, it.given, it.usage]
                .map(domain::Nanos::get)
        });
        Some(Self {
            own: !account.funding.is_shared(),
            suspended: account.restrictions.suspended,
            frozen: account.restrictions.frozen,
            closed: account.status == Status::Closed,
            amounts,
        })
    }

    pub fn of_model(model: &Model, number: usize) -> Option<Self> {
        let account = model.accounts.get(number)?;
        let nothing = Sheet::default();
        let it = account.sheets.get(CURRENCY).unwrap_or(&nothing);
        let amounts = [it.carried, it.funded, it.used, it.held, it.granted, it.received, it.given, it.usage];
        Some(Self {
            own: account.own,
            suspended: account.suspended,
            frozen: account.frozen,
            closed: account.closed,
            amounts,
        })
    }
}
