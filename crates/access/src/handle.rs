//! What an account is called: its id, its api key, or a handle somebody gave it.

use engine::{Engine, Id, Seals};
use ledger::AccountIndex;
use uuid::Uuid;

/// The kinds of handles an account may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleKind {
    Email,
    Company,
    Billing,
    /// An api key from elsewhere.
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

/// Handles are found by a keyed hash; upper and lower case are the same.
pub fn handle_digest(seals: &Seals, kind: HandleKind, text: &str) -> u128 {
    seals.short_digest("handle", &[&[kind.code()], text.to_lowercase().as_bytes()])
}

/// Users are found by a keyed hash of their address; upper and lower case are the same.
pub fn email_digest(seals: &Seals, email: &str) -> u128 {
    seals.short_digest("email", &[email.to_lowercase().as_bytes()])
}

/// The account that a text means: our id, an api key, or a handle, bare or with the prefix of its kind.
pub fn parse_account(engine: &Engine, text: &str) -> Result<AccountIndex, UnknownHandle> {
    let directory = engine.directory();
    let exists = |account: &AccountIndex| directory.has_account(*account);
    if let Some(api_key) = parse_api_key(text)
        && let Some(account) = engine.seals().account_of_api_key(api_key).filter(exists)
    {
        return Ok(account);
    }
    if let Ok(uuid) = Uuid::try_parse(text)
        && let Some(Id::Account(account)) = engine.seals().unseal(*uuid.as_bytes())
        && exists(&account)
    {
        return Ok(account);
    }
    for kind in HandleKind::ALL {
        if let Some(rest) = text.strip_prefix(kind.prefix()).and_then(|rest| rest.strip_prefix(':')) {
            let own = if kind == HandleKind::Key { parse_api_key(rest) } else { None };
            let own = own.and_then(|key| engine.seals().account_of_api_key(key)).filter(exists);
            let given = || directory.handle(handle_digest(engine.seals(), kind, rest));
            return own.or_else(given).ok_or(UnknownHandle::NotFound);
        }
    }
    let found: Vec<(&'static str, AccountIndex)> = HandleKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let account = directory.handle(handle_digest(engine.seals(), kind, text))?;
            Some((kind.prefix(), account))
        })
        .collect();
    match found.as_slice() {
        [] => Err(UnknownHandle::NotFound),
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => Ok(*first),
        _ => Err(UnknownHandle::Ambiguous(found.into_iter().map(|(prefix, _)| prefix).collect())),
    }
}

/// Eight lower-case hex digits.
fn parse_api_key(text: &str) -> Option<u32> {
    let well_formed = text.len() == 8 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if well_formed { u32::from_str_radix(text, 16).ok() } else { None }
}
