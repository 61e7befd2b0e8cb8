//! Numbers, amounts and the small types that records are made of.

use std::sync::Arc;

use domain::{Currency, Nanos, Timestamp};
use ledger::{
    AccountIndex, Actor, Admission, AllocationWay, Amounts, BalanceIndex, ChargeId, ChargeKind, Correction,
    CredentialIndex, EventRef, FamilyIndex, Funding, HoldEnd, HoldId, Holder, Image, InvitationIndex,
    MembershipIndex, NameIndex, OrganizationIndex, PermissionSetIndex, Restrictions, RoleCode, Status, Terms,
    Text, Usage, UserIndex, Verifier,
};

use super::codec::{Field, Malformed, Reader, Writer, fields, kinds};

/// Small magnitudes of either sign are short.
fn zigzag(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)) as u128
}

fn unzigzag(value: u128) -> i128 {
    (value >> 1) as i128 ^ -((value & 1) as i128)
}

impl Field for u8 {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.bytes.push(*self);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.byte()
    }
}

impl Field for bool {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.bytes.push(u8::from(*self));
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("neither true nor false")),
        }
    }
}

impl Field for u32 {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.varint(u128::from(*self));
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.small()
    }
}

impl Field for u64 {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.varint(u128::from(*self));
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.small()
    }
}

impl Field for usize {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.varint(*self as u128);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.small()
    }
}

/// Hashes: no shorter for being a number.
impl Field for u128 {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.raw(&self.to_le_bytes());
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::from_le_bytes(reader.raw(16)?.try_into().expect("sixteen bytes")))
    }
}

impl<const N: usize> Field for [u8; N] {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.raw(self);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(reader.raw(N)?.try_into().expect("as many bytes as asked for"))
    }
}

impl Field for Nanos {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.varint(zigzag(self.get()));
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::new(unzigzag(reader.varint()?)))
    }
}

impl Field for Timestamp {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.raw(&self.as_micros().to_le_bytes());
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::from_micros(i64::from_le_bytes(reader.raw(8)?.try_into().expect("eight bytes"))))
    }
}

impl Field for Currency {
    fn put(&self, writer: &mut Writer<'_>) {
        self.to_bytes().put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::from_bytes(Field::take(reader)?).map_err(|_| Malformed("not a currency"))
    }
}

impl Field for Arc<str> {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.varint(self.len() as u128);
        writer.raw(self.as_bytes());
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = reader.small()?;
        let bytes = reader.raw(length)?;
        Ok(std::str::from_utf8(bytes).map_err(|_| Malformed("not UTF-8"))?.into())
    }
}

/// Nothing, or sealed bytes.
impl Field for Text {
    fn put(&self, writer: &mut Writer<'_>) {
        match self {
            // An owner whose key was destroyed gets no other: nothing more is written of it.
            Some(text) if writer.seal.is_some() => {
                writer.bytes.push(1);
                writer.text(text);
            }
            _ => writer.bytes.push(0),
        }
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        if bool::take(reader)? { reader.text() } else { Ok(None) }
    }
}

macro_rules! optional {
    ($($name:ty),*) => {$(
        impl Field for Option<$name> {
            fn put(&self, writer: &mut Writer<'_>) {
                self.is_some().put(writer);
                if let Some(inner) = self {
                    inner.put(writer);
                }
            }
            fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                if bool::take(reader)? { Ok(Some(Field::take(reader)?)) } else { Ok(None) }
            }
        }
    )*};
}
pub(super) use optional;

optional!(Nanos, Timestamp, Image, u32, u128, HoldId, ChargeId, EventRef);

macro_rules! indices {
    ($($name:ident),*) => {$(
        impl Field for $name {
            fn put(&self, writer: &mut Writer<'_>) {
                writer.varint(self.slot() as u128);
            }
            fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                Ok(Self::new(reader.small::<u32>()? as usize))
            }
        }
        /// Zero is none.
        impl Field for Option<$name> {
            fn put(&self, writer: &mut Writer<'_>) {
                writer.varint(self.map_or(0, |index| index.slot() as u128 + 1));
            }
            fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                Ok(reader.small::<u32>()?.checked_sub(1).map(|slot| $name::new(slot as usize)))
            }
        }
    )*};
}

indices!(
    OrganizationIndex,
    UserIndex,
    CredentialIndex,
    NameIndex,
    AccountIndex,
    FamilyIndex,
    BalanceIndex,
    MembershipIndex,
    InvitationIndex,
    PermissionSetIndex
);

impl Field for HoldId {
    fn put(&self, writer: &mut Writer<'_>) {
        self.0.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(Field::take(reader)?))
    }
}

impl Field for RoleCode {
    fn put(&self, writer: &mut Writer<'_>) {
        self.0.put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(Field::take(reader)?))
    }
}

impl Field for EventRef {
    fn put(&self, writer: &mut Writer<'_>) {
        self.raw().put(writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::from_raw(Field::take(reader)?))
    }
}

/// Which amounts are not zero, then those.
impl Field for Amounts {
    fn put(&self, writer: &mut Writer<'_>) {
        let Self { carried, funded, used, held, granted, received, given, billed, usage, usage_by_grants } =
            self;
        let all = [carried, funded, used, held, granted, received, given, billed, usage, usage_by_grants];
        let present =
            all.iter().enumerate().fold(0_u16, |bits, (i, it)| bits | u16::from(!it.is_zero()) << i);
        writer.raw(&present.to_le_bytes());
        for amount in all.into_iter().filter(|amount| !amount.is_zero()) {
            amount.put(writer);
        }
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let present = u16::from_le_bytes(Field::take(reader)?);
        if present >> 10 != 0 {
            return Err(Malformed("an unknown amount"));
        }
        let mut amounts = Self::default();
        let Self { carried, funded, used, held, granted, received, given, billed, usage, usage_by_grants } =
            &mut amounts;
        let all = [carried, funded, used, held, granted, received, given, billed, usage, usage_by_grants];
        for (i, amount) in all.into_iter().enumerate() {
            if present & 1 << i != 0 {
                *amount = Field::take(reader)?;
            }
        }
        Ok(amounts)
    }
}

impl Field for Restrictions {
    fn put(&self, writer: &mut Writer<'_>) {
        let Self { suspended, frozen } = self;
        writer.bytes.push(u8::from(*suspended) | u8::from(*frozen) << 1);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bits = reader.byte()?;
        if bits > 3 {
            return Err(Malformed("an unknown restriction"));
        }
        Ok(Self { suspended: bits & 1 != 0, frozen: bits & 2 != 0 })
    }
}

/// Zero, a credential from one on, or a membership behind all credentials there can be.
impl Field for Actor {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.varint(match self {
            Self::System => 0,
            Self::Credential(credential) => credential.slot() as u128 + 1,
            Self::Member(membership) => FIRST_MEMBERSHIP + membership.slot() as u128,
            Self::Session(_) => unreachable!("a session stands in the journal as its membership"),
        });
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let number = reader.varint()?;
        let slot = |number| u32::try_from(number).map_err(|_| Malformed("a number is too large"));
        Ok(match (number.checked_sub(FIRST_MEMBERSHIP), number.checked_sub(1)) {
            (Some(membership), _) => Self::Member(MembershipIndex::new(slot(membership)? as usize)),
            (None, Some(credential)) => Self::Credential(CredentialIndex::new(slot(credential)? as usize)),
            (None, None) => Self::System,
        })
    }
}

const FIRST_MEMBERSHIP: u128 = 1 << 32;

fields!(Image { balance, entry, amounts });
fields!(ChargeId { balance, entry });
fields!(Usage { product, used_by, quantity, reference });
kinds!(Funding { 0 => Own, 1 => Shared, 2 => PaidBy(payer) });
kinds!(Status { 0 => Active, 1 => Closed });
kinds!(Terms { 0 => Running, 1 => Invoiced });
kinds!(Holder { 0 => Organization(organization), 1 => Account(account), 2 => Member(membership) });
kinds!(Verifier { 0 => Digest(digest), 1 => Password(text) });
kinds!(AllocationWay { 0 => Give, 1 => Return });
kinds!(Correction { 0 => Funded, 1 => Used });
kinds!(ChargeKind { 0 => Metered, 1 => Order, 2 => Fee });
kinds!(Admission { 0 => Strict, 1 => Served, 2 => Forced });
kinds!(HoldEnd { 0 => Voided, 1 => Expired });
