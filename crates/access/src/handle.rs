//! What an account is called: its id, its key, or a handle somebody gave it.

use engine::{Engine, Id, Seals};
use ledger::{AccountIndex, OrganizationIndex};
use uuid::Uuid;

use crate::Caller;

/// The kinds of handles an account may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleKind {
    Email,
    Company,
    Billing,
    /// A key from elsewhere.
    Key,
}

impl HandleKind {
    pub const ALL: [Self; 4] = [Self::Email, Self::Company, Self::Billing, Self::Key];

    pub fn code(self) -> u8 {
        match self {
            Self::Email => 1,
            Self::Company => 2,
            Self::Billing => 3,
            Self::Key => 4,
        }
    }

    pub fn prefix(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Company => "company",
            Self::Billing => "billing",
            Self::Key => "key",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownHandle {
    #[error("no such account")]
    NotFound,
    #[error("more than one account is called that; say which with one of the prefixes {}", .0.join(", "))]
    Ambiguous(Vec<&'static str>),
}

/// Handles are found by a keyed hash together with whose they are: what one seller calls a customer says
/// nothing of another's. Upper and lower case are the same.
pub fn handle_digest(seals: &Seals, organization: OrganizationIndex, kind: HandleKind, text: &str) -> u128 {
    let organization = (organization.slot() as u32).to_le_bytes();
    seals.short_digest("handle", &[&organization, &[kind.code()], text.to_lowercase().as_bytes()])
}

/// Numbers are found by a keyed hash together with whose they are, like handles.
pub fn number_digest(seals: &Seals, organization: OrganizationIndex, digits: &str) -> u128 {
    let organization = (organization.slot() as u32).to_le_bytes();
    seals.short_digest("number", &[&organization, digits.as_bytes()])
}

/// Of the reference that starts a reload, together with whose rule it is.
pub fn reload_digest(seals: &Seals, account: AccountIndex, reference: &str) -> u128 {
    let account = (account.slot() as u64).to_le_bytes();
    seals.short_digest("reload", &[&account, reference.as_bytes()])
}

/// Users are found by a keyed hash of their address; upper and lower case are the same.
pub fn email_digest(seals: &Seals, email: &str) -> u128 {
    seals.short_digest("email", &[email.to_lowercase().as_bytes()])
}

/// The account that a text means, whoever asks: our id, or an account key.
pub fn parse_account(engine: &Engine, text: &str) -> Result<AccountIndex, UnknownHandle> {
    let exists = |account: &AccountIndex| engine.directory().has_account(*account);
    let by_key = parse_key(text).and_then(|key| engine.seals().account_of_key(key));
    if let Some(account) = by_key.filter(exists) {
        return Ok(account);
    }
    if let Ok(uuid) = Uuid::try_parse(text)
        && let Some(Id::Account(account)) = engine.seals().unseal(*uuid.as_bytes())
        && exists(&account)
    {
        return Ok(account);
    }
    Err(UnknownHandle::NotFound)
}

/// The account that a text means to an organization: our id, an account key, or a handle it gave, bare or
/// with the prefix of its kind. An id or key may be another's: whether it is seen is for the book.
pub fn find_account(
    engine: &Engine,
    organization: OrganizationIndex,
    text: &str,
) -> Result<AccountIndex, UnknownHandle> {
    if let Ok(account) = parse_account(engine, text) {
        return Ok(account);
    }
    let given = |kind: HandleKind, text: &str| {
        engine.directory().handle(handle_digest(engine.seals(), organization, kind, text))
    };
    for kind in HandleKind::ALL {
        if let Some(rest) = text.strip_prefix(kind.prefix()).and_then(|rest| rest.strip_prefix(':')) {
            let own = if kind == HandleKind::Key { parse_account(engine, rest).ok() } else { None };
            return own.or_else(|| given(kind, rest)).ok_or(UnknownHandle::NotFound);
        }
    }
    let found: Vec<(&'static str, AccountIndex)> =
        HandleKind::ALL.into_iter().filter_map(|kind| Some((kind.prefix(), given(kind, text)?))).collect();
    match found.as_slice() {
        [] => Err(UnknownHandle::NotFound),
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => Ok(*first),
        _ => Err(UnknownHandle::Ambiguous(found.into_iter().map(|(prefix, _)| prefix).collect())),
    }
}

/// Whether an account is the caller's own tenant's: of its organization and, on the buyer's side, of its
/// family. The book need not be asked, so another tenant's account takes as many steps as none.
pub fn is_own(engine: &Engine, caller: &Caller, account: AccountIndex) -> bool {
    engine.directory().tenant_of(account).is_some_and(|(organization, root)| {
        organization == caller.organization() && caller.root().is_none_or(|own| own == root)
    })
}

/// The account that a text means, if it is the caller's own tenant's.
pub fn parse_own(engine: &Engine, caller: &Caller, text: &str) -> Result<AccountIndex, UnknownHandle> {
    let account = parse_account(engine, text)?;
    if is_own(engine, caller, account) { Ok(account) } else { Err(UnknownHandle::NotFound) }
}

/// Eight lower-case hex digits.
pub(crate) fn parse_key(text: &str) -> Option<u32> {
    let well_formed = text.len() == 8 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if well_formed { u32::from_str_radix(text, 16).ok() } else { None }
}
