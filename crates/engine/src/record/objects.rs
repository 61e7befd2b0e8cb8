//! Objects as a snapshot stores them.

use domain::{Currency, Nanos};
use ledger::{
    Account, AccountIndex, Balance, BalanceIndex, Calendar, ChargeId, Credential, Cursor, EventRef, Family,
    FormerScope, Handle, Hold, HoldId, House, HouseLeg, Merge, Name, Object, Organization, OrganizationIndex,
    Refunded, Reload, ReloadLimits, ReloadTally, Scope, Spent, Text,
};

use super::codec::{Field, Malformed, Reader, Writer, fields, kinds};
use super::people::{Former, Known};

/// What a text of an object is sealed under: see [`crate::seal::Owner`].
pub fn write_object(writer: &mut Writer<'_>, object: &Object) {
    Stored(object.clone()).put(writer);
}

pub fn read_object(reader: &mut Reader<'_>) -> Result<Object, Malformed> {
    Stored::take(reader).map(|stored| stored.0)
}

struct Stored(Object);

impl Field for Stored {
    fn put(&self, writer: &mut Writer<'_>) {
        match &self.0 {
            Object::NextHold(it) => tagged(writer, 1, it),
            Object::Organization(it) => tagged(writer, 2, it),
            Object::User(it) if it.person.is_none() => tagged(writer, 3, &Former(it.clone())),
            Object::User(it) => tagged(writer, 20, &Known(it.clone())),
            Object::Credential(it) => put_credential(writer, it),
            Object::Name(it) => tagged(writer, 5, it),
            Object::Account(it) => tagged(writer, 6, it),
            Object::Family(it) => tagged(writer, 7, it),
            Object::Balance(it) => tagged(writer, 8, it),
            Object::Handle(digest, it) => {
                tagged(writer, 9, digest);
                it.put(writer);
            }
            Object::Refunded(charge, it) => {
                tagged(writer, 10, charge);
                it.put(writer);
            }
            Object::Merges(balance, it) => {
                tagged(writer, 11, balance);
                it.put(writer);
            }
            Object::Hold(id, it) => {
                tagged(writer, 12, id);
                it.put(writer);
            }
            Object::Settings(account, it) => {
                tagged(writer, 14, account);
                it.put(writer);
            }
            Object::Number(digest, it) => {
                tagged(writer, 15, digest);
                it.put(writer);
            }
            Object::Reload(balance, it) => {
                let has_more = has_started(it);
                tagged(writer, if has_more { 18 } else { 16 }, balance);
                it.put(writer);
                if has_more {
                    it.limits.put(writer);
                    it.started.put(writer);
                    it.pause.put(writer);
                }
            }
            Object::Membership(it) => tagged(writer, 21, it),
            Object::Invitation(it) => tagged(writer, 22, it),
            Object::PermissionSet(it) => tagged(writer, 23, it),
            Object::Session(it) => tagged(writer, 24, it),
            Object::AuditHead(organization, it) => {
                tagged(writer, 25, organization);
                it.put(writer);
            }
            Object::Letter(asked, it) => {
                tagged(writer, 33, asked);
                it.put(writer);
            }
            Object::Provider(organization, it) => {
                tagged(writer, 32, organization);
                it.put(writer);
            }
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(match reader.byte()? {
            1 => Object::NextHold(Field::take(reader)?),
            2 => Object::Organization(Field::take(reader)?),
            3 => Object::User(Former::take(reader)?.0),
            4 => Object::Credential(Field::take(reader)?),
            5 => Object::Name(Field::take(reader)?),
            6 => Object::Account(Field::take(reader)?),
            7 => Object::Family(Field::take(reader)?),
            8 => Object::Balance(Field::take(reader)?),
            9 => Object::Handle(u128::take(reader)?, Field::take(reader)?),
            10 => Object::Refunded(ChargeId::take(reader)?, Field::take(reader)?),
            11 => Object::Merges(BalanceIndex::take(reader)?, Field::take(reader)?),
            12 => Object::Hold(HoldId::take(reader)?, Field::take(reader)?),
            13 => {
                let issued: Credential = Field::take(reader)?;
                let scope = <Option<FormerScope> as Field>::take(reader)?.map(Scope::from);
                let spent = Spent::take(reader)?;
                let spent = scope.iter().flat_map(|scope| scope.limits.iter()).map(|_| spent).collect();
                let (scope, used_on) = (scope.map(Box::new), Field::take(reader)?);
                Object::Credential(Credential { scope, spent, used_on, ..issued })
            }
            14 => Object::Settings(AccountIndex::take(reader)?, Field::take(reader)?),
            15 => Object::Number(u128::take(reader)?, Field::take(reader)?),
            16 => Object::Reload(BalanceIndex::take(reader)?, Field::take(reader)?),
            17 => {
                let issued: Credential = Field::take(reader)?;
                let (scope, spent) = (Some(Field::take(reader)?), Vec::take(reader)?.into());
                Object::Credential(Credential { scope, spent, used_on: Field::take(reader)?, ..issued })
            }
            18 => {
                let (balance, rule): (BalanceIndex, Reload) = (Field::take(reader)?, Field::take(reader)?);
                let (limits, started) = (Field::take(reader)?, Field::take(reader)?);
                Object::Reload(balance, Reload { limits, started, pause: Field::take(reader)?, ..rule })
            }
            20 => Object::User(Known::take(reader)?.0),
            21 => Object::Membership(Field::take(reader)?),
            22 => Object::Invitation(Field::take(reader)?),
            23 => Object::PermissionSet(Field::take(reader)?),
            24 => Object::Session(Field::take(reader)?),
            25 => Object::AuditHead(OrganizationIndex::take(reader)?, Field::take(reader)?),
            33 => Object::Letter(EventRef::take(reader)?, Field::take(reader)?),
            32 => Object::Provider(OrganizationIndex::take(reader)?, Field::take(reader)?),
            _ => return Err(Malformed("an unknown kind of object")),
        }))
    }
}

/// Most credentials are held to no scope, and were never seen used by this release: those stay as short as
/// they always were. So do those with a scope as it was before there were limits.
fn put_credential(writer: &mut Writer<'_>, credential: &Credential) {
    match &credential.scope {
        None if credential.used_on == 0 => tagged(writer, 4, credential),
        Some(scope) if scope.former().is_none() => {
            tagged(writer, 17, credential);
            scope.put(writer);
            writer.varint(credential.spent.len() as u128);
            credential.spent.iter().for_each(|spent| spent.put(writer));
            credential.used_on.put(writer);
        }
        scope => {
            tagged(writer, 13, credential);
            scope.as_ref().and_then(|scope| scope.former()).put(writer);
            credential.spent.first().copied().unwrap_or_default().put(writer);
            credential.used_on.put(writer);
        }
    }
}

/// The same of rules by which nothing has started, that limit nothing, and of which nothing has failed.
fn has_started(reload: &Reload) -> bool {
    reload.limits != ReloadLimits::default()
        || reload.started != ReloadTally::default()
        || reload.pause.is_some()
}

fn tagged(writer: &mut Writer<'_>, tag: u8, field: &impl Field) {
    writer.bytes.push(tag);
    field.put(writer);
}

/// The rule and the request; the rest stands behind them where there is any.
impl Field for Reload {
    fn put(&self, writer: &mut Writer<'_>) {
        let Self { account, rule, requested, last, .. } = self;
        account.put(writer);
        rule.put(writer);
        requested.put(writer);
        last.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            account: Field::take(reader)?,
            rule: Field::take(reader)?,
            requested: Field::take(reader)?,
            last: Field::take(reader)?,
            limits: ReloadLimits::default(),
            started: ReloadTally::default(),
            pause: None,
        })
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.varint(self.len() as u128);
        self.iter().for_each(|item| item.put(writer));
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length: u32 = reader.small()?;
        (0..length).map(|_| Field::take(reader)).collect()
    }
}

impl Field for (Currency, u8) {
    fn put(&self, writer: &mut Writer<'_>) {
        self.0.put(writer);
        self.1.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((Field::take(reader)?, Field::take(reader)?))
    }
}

impl Field for (u8, Text) {
    fn put(&self, writer: &mut Writer<'_>) {
        self.0.put(writer);
        self.1.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((Field::take(reader)?, Field::take(reader)?))
    }
}

impl Field for [Nanos; HouseLeg::COUNT] {
    fn put(&self, writer: &mut Writer<'_>) {
        self.iter().for_each(|amount| amount.put(writer));
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut legs = Self::default();
        for leg in &mut legs {
            *leg = Field::take(reader)?;
        }
        Ok(legs)
    }
}

impl Field for [EventRef; ledger::SKIP_LEVELS] {
    fn put(&self, writer: &mut Writer<'_>) {
        self.iter().for_each(|at| at.put(writer));
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut skips = Self::default();
        for skip in &mut skips {
            *skip = Field::take(reader)?;
        }
        Ok(skips)
    }
}

fields!(Calendar { first, boundaries });
fields!(House { currency, accounts, legs, last });
fields!(Organization { name, time_zone, currency, calendar, declared, houses, created_at, names, last });
fields!(Name { organization, digest, text });
fields!(Account {
    organization,
    parent,
    root,
    funding,
    status,
    restrictions,
    terms,
    managed,
    allows_overruns,
    may_open_children,
    currency,
    opened_at,
    name,
    first_balance,
    first_child,
    last_child,
    next_sibling,
    children,
    last_credential,
    open_holds,
    names,
    handles,
    last,
});
fields!(Family { root, currency, posted, held, credit, last });
fields!(Balance {
    amounts,
    account,
    family,
    currency,
    period,
    next,
    period_end,
    entries,
    last,
    last_movement,
    skips,
});
fields!(Handle { account, kind, text, last });
fields!(Refunded { amount, last });
fields!(Merge { entry, into, into_entry });
fields!(Hold { account, user, payer, payer_entry, amount, captured, placed_at, expires_at, usage, last });

kinds!(Cursor {
    0 => Start,
    1 => Organizations(slot),
    2 => Users(slot),
    3 => Credentials(slot),
    4 => Names(slot),
    5 => Accounts(slot),
    6 => Families(slot),
    7 => Balances(slot),
    8 => Handles(after),
    9 => Refunds(after),
    10 => Merges(after),
    11 => Holds(after),
    12 => End,
    13 => Settings(after),
    14 => Numbers(after),
    15 => Reloads(after),
    20 => Memberships(slot),
    21 => Invitations(slot),
    22 => PermissionSets(slot),
    23 => Sessions(after),
    24 => AuditHeads(after),
    32 => Providers(after),
    33 => Letters(after),
});
