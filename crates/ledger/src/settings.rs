//! What an account wants to be told, where, and how fast it may go. Kept for those who serve its calls:
//! nothing here is called or throttled.

use crate::account::Class;
use crate::draft::Draft;
use crate::event::Event;
use crate::{AccountIndex, EventRef, Ledger, Rejection, Text};

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Settings {
    /// Told of what comes in.
    pub inbound_url: Text,
    /// Told of what became of what went out.
    pub receipt_url: Text,
    pub forward: Forward,
    pub throughput: Throughput,
    pub last: EventRef,
}

/// How the URLs are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Forward {
    #[default]
    Unset,
    GetQuery,
    PostQuery,
    PostJson,
}

/// Requests a second, at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throughput {
    pub outbound: u32,
    pub inbound: u32,
    pub calls: u32,
}

impl Default for Throughput {
    fn default() -> Self {
        Self { outbound: 30, inbound: 30, calls: 30 }
    }
}

/// What is to be changed; the rest stays.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SettingsChange {
    /// `Some(None)` unsets it.
    pub inbound_url: Option<Text>,
    pub receipt_url: Option<Text>,
    pub forward: Option<Forward>,
    /// By the seller.
    pub throughput: Option<Throughput>,
}

impl Ledger {
    /// None for an account that never set any.
    pub fn settings_of(&self, account: AccountIndex) -> Option<&Settings> {
        self.settings.get(&account)
    }

    pub(crate) fn fold_settings(&mut self, account: AccountIndex, settings: &Settings, at: EventRef) {
        if self.settings.get(&account).is_none_or(|known| known.last < at) {
            self.settings.insert(account, Settings { last: at, ..settings.clone() });
        }
    }
}

pub(crate) fn set(
    draft: &mut Draft<'_>,
    account: AccountIndex,
    change: &SettingsChange,
) -> Result<(), Rejection> {
    draft.reach(account)?;
    if change.throughput.is_some() {
        draft.seller_of(account)?;
    }
    draft.ledger.allows(account, Class::Settings)?;
    let before = draft.ledger.settings_of(account).cloned().unwrap_or_default();
    let settings = Settings {
        inbound_url: change.inbound_url.clone().unwrap_or(before.inbound_url),
        receipt_url: change.receipt_url.clone().unwrap_or(before.receipt_url),
        forward: change.forward.unwrap_or(before.forward),
        throughput: change.throughput.unwrap_or(before.throughput),
        last: EventRef::NONE,
    };
    draft.push(Event::SettingsChanged { account, settings: Box::new(settings) });
    Ok(())
}
