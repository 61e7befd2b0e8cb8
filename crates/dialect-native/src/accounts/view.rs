//! An account as it is printed.

use access::Caller;
use dialect::App;
use engine::Seals;
use ledger::{AccountIndex, Act, Funding, Ledger, Status, Text};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::ids;
use crate::look::look_at;
use crate::problem::Problem;
use crate::submit::{Intent, submit};
use crate::values::Time;

/// What the state says of an account; taken on the book's thread, printed elsewhere.
pub(crate) struct View {
    index: AccountIndex,
    account: ledger::Account,
    organization: std::sync::Arc<str>,
    payer: AccountIndex,
    frozen: bool,
}

impl View {
    pub(crate) fn of(ledger: &Ledger, index: AccountIndex) -> Self {
        let account = ledger.account(index).clone();
        let organization = ledger.organization(account.organization).name.clone();
        let (payer, frozen) = (ledger.payer(index), ledger.is_frozen(index));
        Self { index, account, organization, payer, frozen }
    }

    pub(crate) fn print(self, seals: &Seals) -> Account {
        let Self { index, account, organization, payer, frozen } = self;
        let handle = |kind: access::HandleKind| {
            let known = account.handles.iter().rev().find(|(code, _)| *code == kind.code());
            known.and_then(|(_, text)| string(text))
        };
        Account {
            id: ids::account(seals, index),
            api_key: ids::api_key(seals, index),
            organization: organization.as_ref().to_owned(),
            name: string(&account.name),
            currency: account.currency.to_string(),
            parent: account.parent.map(|parent| ids::account(seals, parent)),
            root: ids::account(seals, account.root),
            children: account.children,
            funding: match account.funding {
                Funding::Own => FundingName::Own,
                Funding::Shared => FundingName::Shared,
                Funding::PaidBy(_) => FundingName::PaidBy,
            },
            payer: ids::account(seals, payer),
            status: match account.status {
                Status::Active => StatusName::Active,
                Status::Closed => StatusName::Closed,
            },
            suspended: account.restrictions.suspended,
            frozen,
            managed: account.managed,
            may_open_children: account.may_open_children,
            allows_overruns: account.allows_overruns,
            handles: Handles {
                email: handle(access::HandleKind::Email),
                company: handle(access::HandleKind::Company),
                billing: handle(access::HandleKind::Billing),
                key: handle(access::HandleKind::Key),
            },
            opened_at: account.opened_at.into(),
        }
    }
}

pub(crate) fn string(text: &Text) -> Option<String> {
    text.as_deref().map(|text| String::from_utf8_lossy(text).into_owned())
}

/// A customer: a root account, or a child of one.
#[derive(Serialize, ToSchema)]
pub(crate) struct Account {
    /// Never changes, and says nothing.
    id: String,
    /// Eight hex digits: the account's name in programs and at sign-in.
    api_key: String,
    organization: String,
    name: Option<String>,
    /// The home currency, fixed.
    currency: String,
    parent: Option<String>,
    /// The account at the top of the family; a root's own id.
    root: String,
    children: u32,
    funding: FundingName,
    /// The account whose balance pays: its own id when it has its own balance.
    payer: String,
    status: StatusName,
    /// By the parent or the seller.
    suspended: bool,
    /// By the seller, here or above.
    frozen: bool,
    /// Whether the parent may see and manage it.
    managed: bool,
    may_open_children: bool,
    /// Metered charges are admitted while anything is available.
    allows_overruns: bool,
    handles: Handles,
    opened_at: Time,
}

/// What else the account is called.
#[derive(Serialize, ToSchema)]
struct Handles {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// Whose balance pays.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Funding)]
pub(crate) enum FundingName {
    Own,
    /// The nearest ancestor's that has its own.
    Shared,
    /// Another account's, by mandate.
    PaidBy,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Status)]
pub(crate) enum StatusName {
    Active,
    Closed,
}

/// The account as it is now.
pub(crate) async fn show(app: &App, caller: &Caller, index: AccountIndex) -> Result<Account, Problem> {
    let view = look_at(app, caller, index, move |ledger, _| View::of(ledger, index)).await?;
    Ok(view.print(app.engine.seals()))
}

/// Does an act that changes an account, and shows the account after it.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    index: AccountIndex,
    act: Act,
    intent: Intent,
) -> Result<Answer<Account>, Problem> {
    let receipt = submit(app, caller, act, intent).await?;
    Ok(Answer::ok(show(app, caller, index).await?).replayed(receipt.repeated))
}
