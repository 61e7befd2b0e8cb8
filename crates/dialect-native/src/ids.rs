//! Ids as clients see them: sealed, printed as UUIDs.

use dialect::{Cursor, PagingError};
use engine::{Id, Seals};
use ledger::{AccountIndex, BalanceIndex, Charged, Event, HoldId, Image, Posting};
use uuid::Uuid;

const UUID_BYTES: usize = 36;

pub(crate) fn print(seals: &Seals, id: Id) -> String {
    Uuid::from_bytes(seals.seal(id)).hyphenated().to_string()
}

/// The same of a sealed id, straight into an answer.
pub(crate) fn push(sealed: [u8; 16], out: &mut Vec<u8>) {
    let mut buffer = [0; UUID_BYTES];
    let text = Uuid::from_bytes(sealed).hyphenated().encode_lower(&mut buffer);
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn account(seals: &Seals, account: AccountIndex) -> String {
    print(seals, Id::Account(account))
}

pub(crate) fn api_key(seals: &Seals, account: AccountIndex) -> String {
    format!("{:08x}", seals.account_key(account))
}

pub(crate) fn parse(seals: &Seals, text: &str) -> Option<Id> {
    // Only the one form that is printed: an id has one spelling.
    if text.len() != UUID_BYTES {
        return None;
    }
    let uuid = Uuid::try_parse(text).ok()?;
    seals.unseal(*uuid.as_bytes())
}

pub(crate) fn hold(seals: &Seals, text: &str) -> Option<HoldId> {
    match parse(seals, text) {
        Some(Id::Hold(hold)) => Some(hold),
        _ => None,
    }
}

pub(crate) fn entry(seals: &Seals, text: &str) -> Option<(BalanceIndex, u64)> {
    match parse(seals, text) {
        Some(Id::Entry { balance, entry }) => Some((balance, entry)),
        _ => None,
    }
}

fn of(image: &Image) -> Id {
    Id::Entry { balance: image.balance, entry: image.entry }
}

/// A charge is called by its entry on the balance of whoever used it, whoever pays.
pub(crate) fn of_charge(charged: &Charged) -> Id {
    of(charged.user.as_ref().unwrap_or(&charged.payer))
}

pub(crate) fn of_posting(posting: &Posting) -> Id {
    of(posting.user.as_ref().unwrap_or(&posting.payer))
}

/// What an event that answers a command about money is called.
pub(crate) fn of_event(event: &Event) -> Option<Id> {
    match event {
        Event::Charged(charged) | Event::HoldCaptured { charged, .. } => Some(of_charge(charged)),
        Event::ToppedUp(posting)
        | Event::Withdrawn(posting)
        | Event::UsageCredited(posting)
        | Event::Adjusted { posting, .. }
        | Event::Refunded { posting, .. } => Some(of_posting(posting)),
        Event::CreditSet { image, .. } => Some(of(image)),
        Event::Allocated { from, .. } | Event::Transferred { from, .. } => Some(of(from)),
        _ => None,
    }
}

/// A place in a list, as opaque as an id.
pub(crate) fn cursor(seals: &Seals, id: Id) -> String {
    Cursor::new(&seals.seal(id)).to_string()
}

/// What a list of ours put into its cursor.
pub(crate) fn of_cursor(seals: &Seals, cursor: &Cursor) -> Result<Id, PagingError> {
    let sealed = cursor.as_bytes().try_into().map_err(|_| PagingError::Cursor)?;
    seals.unseal(sealed).ok_or(PagingError::Cursor)
}

/// A cursor through the entries of one balance.
pub(crate) fn entry_of_cursor(seals: &Seals, cursor: &Cursor, of: BalanceIndex) -> Result<u64, PagingError> {
    match of_cursor(seals, cursor)? {
        Id::Entry { balance, entry } if balance == of && entry > 0 => Ok(entry),
        _ => Err(PagingError::Cursor),
    }
}
