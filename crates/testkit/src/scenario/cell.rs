//! What a column shows of an account.

use domain::Timestamp;
use ledger::{AccountIndex, Amounts, Funding, Ledger, Status};

/// `sub1`, `sub1.held/available`, or `total`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Posted,
    Credit,
    Held,
    Available,
    Carried,
    Funded,
    Used,
    /// What it used itself, whoever paid.
    Usage,
    /// What whoever pays for it has available.
    Spendable,
    Transferable,
    Allocatable,
    Status,
}

const FIELDS: &[(&str, Field)] = &[
    ("posted", Field::Posted),
    ("credit", Field::Credit),
    ("held", Field::Held),
    ("available", Field::Available),
    ("carried", Field::Carried),
    ("funded", Field::Funded),
    ("used", Field::Used),
    ("usage", Field::Usage),
    ("spendable", Field::Spendable),
    ("transferable", Field::Transferable),
    ("allocatable", Field::Allocatable),
    ("status", Field::Status),
];

impl Column {
    pub fn parse(heading: &str) -> Self {
        let (name, fields) = heading.split_once('.').unwrap_or((heading, "posted/credit"));
        Self { name: name.to_owned(), fields: fields.split('/').map(Field::parse).collect() }
    }

    /// The whole family instead of one account.
    pub fn is_total(&self) -> bool {
        self.name == "total"
    }

    pub fn is_posted_and_credit(&self) -> bool {
        self.fields == [Field::Posted, Field::Credit]
    }

    /// Told of every account, also of one that another pays for.
    pub fn is_of_any_funding(&self) -> bool {
        self.fields.iter().all(|field| matches!(field, Field::Usage | Field::Spendable | Field::Status))
    }
}

impl Field {
    fn parse(name: &str) -> Self {
        let known = FIELDS.iter().find(|(known, _)| *known == name);
        known.unwrap_or_else(|| panic!("no field is called {name}")).1
    }
}

/// The cell of an account as the ledger has it.
pub(super) fn show(ledger: &Ledger, index: AccountIndex, column: &Column, now: Timestamp) -> String {
    if ledger.account(index).funding == Funding::Shared && !column.is_of_any_funding() {
        return "shared".to_owned();
    }
    let fields = column.fields.iter().map(|field| field.show(ledger, index, now));
    fields.collect::<Vec<_>>().join("/")
}

/// The amounts of an account's home balance. A period rolls when it is next touched; whoever looks sees it
/// rolled already.
fn amounts(ledger: &Ledger, index: AccountIndex, now: Timestamp) -> Amounts {
    match ledger.balance_of(index, ledger.account(index).currency) {
        None => Amounts::default(),
        Some(balance) => {
            let balance = ledger.balance(balance);
            if now >= balance.period_end { balance.amounts.rolled() } else { balance.amounts }
        }
    }
}

/// The sums over the family of `root`, in its home currency.
pub(super) fn show_total(ledger: &Ledger, root: AccountIndex) -> String {
    let balance = ledger.balance_of(root, ledger.account(root).currency);
    match balance.and_then(|balance| ledger.family_of(balance)) {
        Some(family) => format!("{}/{}", family.posted, family.credit),
        None => "0/0".to_owned(),
    }
}

impl Field {
    fn show(self, ledger: &Ledger, index: AccountIndex, now: Timestamp) -> String {
        let amounts = amounts(ledger, index, now);
        let amount = match self {
            Self::Posted => amounts.posted(),
            Self::Credit => amounts.credit(),
            Self::Held => amounts.held,
            Self::Available => amounts.available(),
            Self::Carried => amounts.carried,
            Self::Funded => amounts.funded,
            Self::Used => amounts.used,
            Self::Usage => amounts.usage,
            Self::Spendable => self::amounts(ledger, ledger.payer(index), now).available(),
            Self::Transferable => amounts.transferable(),
            Self::Allocatable => amounts.allocatable(),
            Self::Status => return status(ledger, index).to_owned(),
        };
        amount.to_string()
    }
}

fn status(ledger: &Ledger, index: AccountIndex) -> &'static str {
    let account = ledger.account(index);
    match account.status {
        Status::Closed => "closed",
        Status::Active if ledger.is_frozen(index) => "frozen",
        Status::Active if account.restrictions.suspended => "suspended",
        Status::Active => "active",
    }
}
