//! What a column shows of an account.

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
}

impl Field {
    fn parse(name: &str) -> Self {
        let known = FIELDS.iter().find(|(known, _)| *known == name);
        known.unwrap_or_else(|| panic!("no field is called {name}")).1
    }

    /// Told of every account, also of one that another pays for.
    fn is_its_own(self) -> bool {
        matches!(self, Self::Usage | Self::Status)
    }
}

/// The cell of an account as the ledger has it.
pub(super) fn show(ledger: &Ledger, index: AccountIndex, column: &Column) -> String {
    let account = ledger.account(index);
    if account.funding == Funding::Shared && !column.fields.iter().all(|field| field.is_its_own()) {
        return "shared".to_owned();
    }
    let balance = ledger.balance_of(index, account.currency);
    let amounts = balance.map(|balance| ledger.balance(balance).amounts).unwrap_or_default();
    let fields = column.fields.iter().map(|field| field.show(ledger, index, &amounts));
    fields.collect::<Vec<_>>().join("/")
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
    fn show(self, ledger: &Ledger, index: AccountIndex, amounts: &Amounts) -> String {
        let amount = match self {
            Self::Posted => amounts.posted(),
            Self::Credit => amounts.credit(),
            Self::Held => amounts.held,
            Self::Available => amounts.available(),
            Self::Carried => amounts.carried,
            Self::Funded => amounts.funded,
            Self::Used => amounts.used,
            Self::Usage => amounts.usage,
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
