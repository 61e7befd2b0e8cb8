//! Events as rows: what one transaction writes.

use std::collections::BTreeMap;

use access::{HandleKind, Role};
use domain::{Currency, Nanos, Timestamp};
use engine::{Envelope, Id, Record, Seals, UsageRecord};
use ledger::{
    AccountIndex, Actor, Amounts, BalanceIndex, Credential, CredentialIndex, EntryKind, Event, Funding,
    Holder, Image, NameIndex, NewAccount, OrganizationIndex, Posting, Restrictions, Status, Text, Usage,
};
use tokio_postgres::Transaction;
use uuid::Uuid;

use crate::ProjectionError;
use crate::catalog::{Catalog, Known};
use crate::row::{Rows, number, number_or_zero, string};
use crate::schema::{
    ACCOUNT, ACCOUNT_CHANGES, BALANCE, CREDENTIAL, CREDENTIAL_CHANGES, DAILY_USAGE, ENTRY, HANDLE, NAME,
    ORGANIZATION,
};

/// Refunds are counted where the charge was, as far as its entry is still in the tables.
const REFUNDED: &str = "SELECT row.day, row.account, row.currency, coalesce(charge.product, 0), \
    coalesce(charge.credential, 0), 0, 0, 0, 0, 0, \
    (sum(row.units) + div(sum(row.nanos), 1000000000))::int8, mod(sum(row.nanos), 1000000000)::int4 \
    FROM json_to_recordset($1::text::json) AS row(day date, account int8, currency text, balance int8, \
    number int8, units int8, nanos int4) \
    LEFT JOIN reporting.entry charge ON charge.balance = row.balance AND charge.number = row.number \
    GROUP BY 1, 2, 3, 4, 5";

pub(crate) struct Batch<'a> {
    catalog: &'a mut Catalog,
    seals: &'a Seals,
    organizations: Rows,
    names: Rows,
    accounts: Rows,
    account_changes: BTreeMap<AccountIndex, Changed>,
    handles: BTreeMap<(AccountIndex, u8), Option<String>>,
    credentials: Rows,
    revoked: BTreeMap<CredentialIndex, Timestamp>,
    balances: BTreeMap<BalanceIndex, (u64, Amounts)>,
    entries: Rows,
    usage: BTreeMap<UsageKey, UsageSum>,
    refunds: Rows,
}

struct Changed {
    name: Text,
    status: Status,
    restrictions: Restrictions,
    funding: Funding,
}

/// Day, whose, in what, for what, by whom.
type UsageKey = (String, AccountIndex, Currency, i64, i64);

#[derive(Default)]
struct UsageSum {
    calls: i64,
    quantity: Nanos,
    cost: Nanos,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(catalog: &'a mut Catalog, seals: &'a Seals) -> Self {
        Self {
            catalog,
            seals,
            organizations: Rows::default(),
            names: Rows::default(),
            accounts: Rows::default(),
            account_changes: BTreeMap::new(),
            handles: BTreeMap::new(),
            credentials: Rows::default(),
            revoked: BTreeMap::new(),
            balances: BTreeMap::new(),
            entries: Rows::default(),
            usage: BTreeMap::new(),
            refunds: Rows::default(),
        }
    }

    /// How much has gathered, in rows of the largest tables.
    pub(crate) fn rows(&self) -> usize {
        self.entries.len() + self.accounts.len() + self.names.len()
    }

    pub(crate) fn note(&mut self, record: &Record) -> Result<(), ProjectionError> {
        let event = &record.event;
        match event {
            Event::OrganizationCreated { organization, name, time_zone, currency, created_at, .. } => {
                self.organization(*organization, name, time_zone, *currency, *created_at)?;
            }
            Event::NameInterned { organization, name, text, .. } => {
                self.name(name.slot(), *organization, text);
            }
            Event::AccountOpened { account, new, root, opened_at, credential } => {
                self.account(*account, new, *root, *opened_at, (Status::Active, Restrictions::default()));
                if let Some((index, credential)) = credential {
                    self.credential(*index, credential);
                }
            }
            Event::AccountChanged { account, name, status, restrictions, funding, .. } => {
                let (status, restrictions, funding) = (*status, *restrictions, *funding);
                let changed = Changed { name: name.clone(), status, restrictions, funding };
                self.account_changes.insert(*account, changed);
            }
            Event::HandleSet { account, kind, text, .. } => {
                self.handle(*account, *kind, text);
            }
            Event::CredentialIssued { index, credential } => self.credential(*index, credential),
            Event::CredentialRevoked { credential, revoked_at } => {
                self.revoked.insert(*credential, *revoked_at);
            }
            Event::BalanceOpened { balance, account, currency, .. } => {
                self.balance(*balance, *account, *currency, 0, Amounts::default());
            }
            // Entries, and what the tables do not show.
            _ => {}
        }
        if let Some(used) = record.usage() {
            self.used(&used);
        }
        for image in event.images() {
            self.entry(&record.envelope, event, image);
        }
        Ok(())
    }

    pub(crate) fn organization(
        &mut self,
        index: OrganizationIndex,
        name: &str,
        time_zone: &str,
        currency: Currency,
        created_at: Timestamp,
    ) -> Result<(), ProjectionError> {
        self.catalog.add_organization(time_zone)?;
        self.organizations.push(|row| {
            row.int("organization", number(index.slot())).text("name", name).text("time_zone", time_zone);
            row.text("currency", currency.as_str()).at("created_at", created_at);
        });
        Ok(())
    }

    pub(crate) fn name(&mut self, slot: usize, organization: OrganizationIndex, text: &Text) {
        self.names.push(|row| {
            row.int("name", number(slot)).int("organization", number(organization.slot()));
            row.text("text", string(text).as_deref());
        });
    }

    pub(crate) fn account(
        &mut self,
        index: AccountIndex,
        new: &NewAccount,
        root: AccountIndex,
        opened_at: Timestamp,
        (status, restrictions): (Status, Restrictions),
    ) {
        self.catalog.add_account(new.organization);
        let id = self.id(Id::Account(index));
        let key = format!("{:08x}", self.seals.account_key(index));
        self.accounts.push(|row| {
            row.int("account", number(index.slot())).text("id", &*id).text("api_key", &*key);
            row.int("organization", number(new.organization.slot()));
            row.int("parent", new.parent.map(|parent| number(parent.slot())));
            row.int("root", number(root.slot())).text("name", string(&new.name).as_deref());
            row.text("currency", new.currency.as_str()).flag("closed", status == Status::Closed);
            row.flag("suspended", restrictions.suspended).flag("frozen", restrictions.frozen);
            row.flag("shared", new.funding.is_shared()).at("opened_at", opened_at);
        });
    }

    pub(crate) fn handle(&mut self, account: AccountIndex, kind: u8, text: &Text) {
        self.handles.insert((account, kind), string(text));
    }

    pub(crate) fn credential(&mut self, index: CredentialIndex, credential: &Credential) {
        let id = self.id(Id::Credential(index));
        let (organization, account) = match credential.holder {
            Holder::Organization(organization) => (Some(number(organization.slot())), None),
            Holder::Account(account) => (None, Some(number(account.slot()))),
            // A person's: people are not in the tables.
            Holder::Member(_) => (None, None),
        };
        self.credentials.push(|row| {
            row.int("credential", number(index.slot())).text("id", &*id);
            row.int("organization", organization).int("account", account);
            row.text("role", Role::from_code(credential.role).map(Role::name));
            row.text("label", string(&credential.label).as_deref()).at("issued_at", credential.issued_at);
            row.at("expires_at", credential.expires_at).at("revoked_at", credential.revoked_at);
        });
    }

    pub(crate) fn balance(
        &mut self,
        index: BalanceIndex,
        account: AccountIndex,
        currency: Currency,
        entries: u64,
        amounts: Amounts,
    ) {
        self.catalog.add_balance(Known { account, currency, posted: amounts.posted() });
        self.balances.insert(index, (entries, amounts));
    }

    fn entry(&mut self, envelope: &Envelope, event: &Event, image: &Image) {
        let Some(kind) = EntryKind::of(event, image.balance) else { return };
        let (posted, credit) = (image.amounts.posted(), image.amounts.credit());
        let known = self.catalog.balance(image.balance);
        let amount = Nanos::new(posted.get() - known.posted.get());
        known.posted = posted;
        let facts = Facts::of(event);
        let account = facts.account.unwrap_or(known.account);
        self.balances.insert(image.balance, (image.entry, image.amounts));
        self.entries.push(|row| {
            row.int("balance", number(image.balance.slot())).int("number", image.entry as i64);
            row.at("at", envelope.time).text("kind", kind.name()).int("account", number(account.slot()));
            row.money("amount", amount).money("posted", posted).money("held", image.amounts.held);
            row.money("credit", credit);
            if let Some(usage) = facts.usage {
                row.int("product", usage.product.map(|name| number(name.slot())));
                row.int("used_by", usage.used_by.map(|name| number(name.slot())));
                if let Some(quantity) = usage.quantity {
                    row.money("quantity", quantity);
                }
            }
            row.text("reference", facts.reference.and_then(string).as_deref());
            row.int("credential", credential(envelope.actor));
        });
    }

    fn used(&mut self, used: &UsageRecord) {
        let day = self.catalog.zone(used.account).day(used.at).to_string();
        let currency = self.catalog.balance(used.payer).currency;
        if let Some(charge) = used.refund_of {
            let (units, nanos) = used.refunded.split().expect("amounts in the books are in range");
            self.refunds.push(|row| {
                row.text("day", &*day).int("account", number(used.account.slot()));
                row.text("currency", currency.as_str());
                row.int("balance", number(charge.balance.slot())).int("number", charge.entry as i64);
                row.int("units", units).int("nanos", i64::from(nanos));
            });
            return;
        }
        let product = number_or_zero(used.product.map(NameIndex::slot));
        let credential = number_or_zero(used.credential.map(CredentialIndex::slot));
        let sum = self.usage.entry((day, used.account, currency, product, credential)).or_default();
        sum.calls += 1;
        sum.quantity = Nanos::new(sum.quantity.get() + used.quantity.get());
        sum.cost = Nanos::new(sum.cost.get() + used.cost.get());
    }

    fn id(&self, id: Id) -> String {
        Uuid::from_bytes(self.seals.seal(id)).hyphenated().to_string()
    }

    /// Writes all of it.
    pub(crate) async fn write(self, into: &Transaction<'_>) -> Result<(), ProjectionError> {
        let Self { catalog, account_changes, handles, revoked, balances, usage, .. } = self;
        let mut changed = Rows::default();
        for (account, change) in account_changes {
            changed.push(|row| {
                row.int("account", number(account.slot())).text("name", string(&change.name).as_deref());
                row.flag("closed", change.status == Status::Closed);
                row.flag("suspended", change.restrictions.suspended);
                row.flag("frozen", change.restrictions.frozen).flag("shared", change.funding.is_shared());
            });
        }
        let mut named = Rows::default();
        for ((account, kind), handle) in handles {
            let kind = HandleKind::ALL.into_iter().find(|known| known.code() == kind);
            named.push(|row| {
                row.int("account", number(account.slot())).text("handle", handle.as_deref());
                row.text("kind", kind.map_or("other", HandleKind::prefix));
            });
        }
        let mut ended = Rows::default();
        for (credential, at) in revoked {
            ended.push(|row| {
                row.int("credential", number(credential.slot())).at("revoked_at", at);
            });
        }
        let mut now = Rows::default();
        for (balance, (entries, amounts)) in balances {
            let known = *catalog.balance(balance);
            now.push(|row| {
                row.int("balance", number(balance.slot())).int("account", number(known.account.slot()));
                row.text("currency", known.currency.as_str()).int("entries", entries as i64);
                row.money("carried", amounts.carried).money("funded", amounts.funded);
                row.money("used", amounts.used).money("held", amounts.held);
                row.money("granted", amounts.granted).money("received", amounts.received);
                row.money("given", amounts.given).money("usage", amounts.usage);
            });
        }
        let mut used = Rows::default();
        for ((day, account, currency, product, credential), sum) in usage {
            used.push(|row| {
                row.text("day", &*day).int("account", number(account.slot()));
                row.text("currency", currency.as_str()).int("product", product);
                row.int("credential", credential).int("calls", sum.calls);
                row.money("quantity", sum.quantity).money("cost", sum.cost);
                row.money("refunded", Nanos::ZERO);
            });
        }
        let statements = [
            (ORGANIZATION.insert(), self.organizations),
            (NAME.insert(), self.names),
            (ACCOUNT.insert(), self.accounts),
            (ACCOUNT.update(&ACCOUNT_CHANGES), changed),
            (HANDLE.put(), named),
            (CREDENTIAL.insert(), self.credentials),
            (CREDENTIAL.update(&CREDENTIAL_CHANGES), ended),
            (BALANCE.put(), now),
            (ENTRY.insert(), self.entries),
            (DAILY_USAGE.add(&DAILY_USAGE.select()), used),
            (DAILY_USAGE.add(REFUNDED), self.refunds),
        ];
        for (sql, rows) in statements {
            if let Some(json) = rows.into_json() {
                into.execute(&sql, &[&json]).await?;
            }
        }
        Ok(())
    }
}

fn credential(actor: Actor) -> Option<i64> {
    match actor {
        Actor::System | Actor::Session(_) | Actor::Member(_) => None,
        Actor::Credential(credential) => Some(number(credential.slot())),
    }
}

/// What an entry says besides amounts.
#[derive(Default)]
struct Facts<'a> {
    account: Option<AccountIndex>,
    usage: Option<&'a Usage>,
    reference: Option<&'a Text>,
}

impl<'a> Facts<'a> {
    fn of(event: &'a Event) -> Self {
        let usage = |account: AccountIndex, usage: &'a Usage| Self {
            account: Some(account),
            usage: Some(usage),
            reference: Some(&usage.reference),
        };
        let posting =
            |it: &'a Posting| Self { account: Some(it.account), usage: None, reference: Some(&it.reference) };
        match event {
            Event::Charged(it) | Event::HoldCaptured { charged: it, .. } => usage(it.account, &it.usage),
            Event::HoldPlaced(it) => usage(it.account, &it.usage),
            Event::ToppedUp(it)
            | Event::Withdrawn(it)
            | Event::UsageCredited(it)
            | Event::Adjusted { posting: it, .. }
            | Event::Refunded { posting: it, .. } => posting(it),
            Event::Transferred { reference, .. }
            | Event::Allocated { reference, .. }
            | Event::CreditSet { reference, .. } => Self { reference: Some(reference), ..Self::default() },
            _ => Self::default(),
        }
    }
}
