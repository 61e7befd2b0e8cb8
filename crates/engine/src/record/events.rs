//! The kinds of events as they are stored. The meaning of a number never changes.

use std::sync::Arc;

use ledger::{
    Allowed, Charged, Credential, CredentialIndex, Event, Flows, FormerScope, Forward, HoldPlaced, Limit,
    NewAccount, Number, PerDay, Posting, Provider, ReloadLimits, ReloadPause, ReloadRequest, ReloadRule,
    ReloadTally, RoleCode, Scope, Settings, Span, Spent, Throughput, Verifier,
};

use super::codec::{Field, Malformed, Reader, Writer, fields, kinds};
use super::primitives::optional;

kinds!(Event {
    1 => OrganizationCreated { organization, name, time_zone, currency, first_period, boundaries, created_at },
    2 => CalendarExtended { organization, boundaries },
    3 => CurrencyDeclared { organization, currency, exponent },
    4 => NameInterned { organization, family, name, digest, text },
    5 => UserCreated { user, organization, role, email_digest, email, password, created_at },
    6 => CredentialIssued { index, credential },
    7 => CredentialRevoked { credential, revoked_at },
    8 => CredentialScoped { credential, scope },
    9 => CredentialSpent { credential, spent },
    10 => CredentialUsed { credential, day },
    11 => ScopeSet { credential, scope },
    12 => LimitCounted { credential, limit, spent },
    16 => AccountOpened { account, new, root, opened_at, credential },
    17 => AccountChanged { account, name, status, restrictions, funding, reason },
    18 => HandleSet { account, kind, digest, text },
    19 => BalanceOpened { balance, account, currency, family, period, period_end },
    20 => PeriodRolled { image, period, period_end },
    21 => SettingsChanged { account, settings },
    22 => NumberAssigned { digest, number },
    23 => NumberMoved { digest, from, number },
    24 => NumberReleased { digest, account },
    32 => CreditSet { image, change, reference },
    33 => Allocated { way, from, to, amount, reference },
    34 => Transferred { from, to, amount, reference },
    35 => Merged { from, to, posted, held, credit },
    36 => ToppedUp(posting),
    37 => Withdrawn(posting),
    38 => Adjusted { posting, correction },
    39 => UsageCredited(posting),
    40 => ReloadSet { account, balance, rule },
    41 => ReloadRequested { balance, request },
    42 => ReloadEnded { balance, approved },
    43 => ReloadRuled { account, balance, rule, limits },
    44 => ReloadStarted { balance, request, started },
    45 => ReloadPaused { balance, pause },
    48 => Charged(charged),
    49 => Refunded { charge, posting, refunded },
    64 => HoldPlaced(placed),
    65 => HoldExtended { hold, payer, user, expires_at },
    66 => HoldCaptured { hold, left, released, within, charged },
    67 => HoldEnded { hold, payer, user, released, end },
    80 => People(event),
    81 => Audited(audited),
});

fields!(Posting { account, payer, user, amount, reference });
fields!(HoldPlaced { hold, account, payer, user, amount, placed_at, expires_at, usage });
fields!(NewAccount {
    organization,
    parent,
    currency,
    funding,
    managed,
    may_open_children,
    allows_overruns,
    name,
    credit,
    credential,
});
fields!(FormerScope { actions, accounts, per_day });
fields!(PerDay { currency, amount });
fields!(Spent { span, amount });
fields!(Scope { allowed, accounts, below, limits });
fields!(Limit { flows, currency, amount, span });
kinds!(Allowed { 0 => Actions(bits), 1 => Operations(bits) });
kinds!(Span { 0 => Day, 1 => Month, 2 => Total });
fields!(Settings { inbound_url, receipt_url, forward, throughput, last });
fields!(Throughput { outbound, inbound, calls });
fields!(Number { account, country, digits, last });
fields!(ReloadRule { provider, enabled, amount, threshold, digest, reference });
fields!(ReloadRequest { amount, requested_at });
fields!(ReloadLimits { count, amount });
fields!(ReloadTally { period, count, amount });
fields!(ReloadPause { failures, until });
kinds!(Forward { 0 => Unset, 1 => GetQuery, 2 => PostQuery, 3 => PostJson });
kinds!(Provider { 0 => Manual, 1 => Test });

/// As it is issued: what came later stands in events of its own.
impl Field for Credential {
    fn put(&self, writer: &mut Writer<'_>) {
        let Self { holder, role, verifier, label, issued_at, expires_at, revoked_at, previous, last, .. } =
            self;
        holder.put(writer);
        role.put(writer);
        verifier.put(writer);
        label.put(writer);
        issued_at.put(writer);
        expires_at.put(writer);
        revoked_at.put(writer);
        previous.put(writer);
        last.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            holder: Field::take(reader)?,
            role: Field::take(reader)?,
            verifier: Field::take(reader)?,
            label: Field::take(reader)?,
            issued_at: Field::take(reader)?,
            expires_at: Field::take(reader)?,
            revoked_at: Field::take(reader)?,
            previous: Field::take(reader)?,
            scope: None,
            spent: Box::default(),
            used_on: 0,
            last: Field::take(reader)?,
        })
    }
}

/// Charges are nearly all there is: kind, admission and which parts are there share a byte, and grants
/// have their place (a count of funding parts, none so far).
impl Field for Charged {
    fn put(&self, writer: &mut Writer<'_>) {
        let Self { account, payer, user, amount, kind, admission, usage } = self;
        kind.put(writer);
        let kind = writer.bytes.pop().expect("a kind is one byte");
        admission.put(writer);
        let admission = writer.bytes.pop().expect("an admission is one byte");
        writer.bytes.push(kind | admission << 2 | u8::from(user.is_some()) << 4);
        account.put(writer);
        payer.put(writer);
        if let Some(user) = user {
            user.put(writer);
        }
        amount.put(writer);
        FUNDING_PARTS_NONE.put(writer);
        usage.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bits = reader.byte()?;
        if bits >> 5 != 0 {
            return Err(Malformed("an unknown part of a charge"));
        }
        let kind = Field::take(&mut Reader::new(&[bits & 3]))?;
        let admission = Field::take(&mut Reader::new(&[bits >> 2 & 3]))?;
        let account = Field::take(reader)?;
        let payer = Field::take(reader)?;
        let user = if bits & 16 != 0 { Some(Field::take(reader)?) } else { None };
        let amount = Field::take(reader)?;
        if u8::take(reader)? != FUNDING_PARTS_NONE {
            return Err(Malformed("funding parts of a newer release"));
        }
        Ok(Self { account, payer, user, amount, kind, admission, usage: Field::take(reader)? })
    }
}

const FUNDING_PARTS_NONE: u8 = 0;

impl<T: Field> Field for Arc<[T]> {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.varint(self.len() as u128);
        self.iter().for_each(|item| item.put(writer));
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length: u16 = reader.small()?;
        (0..length).map(|_| Field::take(reader)).collect()
    }
}

impl<T: Field> Field for Box<T> {
    fn put(&self, writer: &mut Writer<'_>) {
        T::put(self, writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::new(Field::take(reader)?))
    }
}

impl Field for (CredentialIndex, Box<Credential>) {
    fn put(&self, writer: &mut Writer<'_>) {
        self.0.put(writer);
        self.1.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((Field::take(reader)?, Field::take(reader)?))
    }
}

impl Field for (RoleCode, Verifier) {
    fn put(&self, writer: &mut Writer<'_>) {
        self.0.put(writer);
        self.1.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((Field::take(reader)?, Field::take(reader)?))
    }
}

impl Field for Flows {
    fn put(&self, writer: &mut Writer<'_>) {
        self.0.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(Field::take(reader)?))
    }
}

optional!(
    (CredentialIndex, Box<Credential>),
    (RoleCode, Verifier),
    FormerScope,
    PerDay,
    ReloadRequest,
    ReloadPause
);
