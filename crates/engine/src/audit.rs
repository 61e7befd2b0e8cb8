//! The audit log: written behind each administrative act, and read backwards along its links.

use domain::Timestamp;
use ledger::{
    Actor, AuditHead, Audited, Before, Event, EventRef, Funding, Ledger, ReloadLimits, ReloadTerms,
    Restrictions, Sealed, Settings, Status, Text,
};

use crate::history::{History, HistoryError};
use crate::origin::Origin;
use crate::record::Record;
use crate::seal::{Owner, TextKeys, TextSeal};

/// One act, as it is read.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub number: u64,
    pub time: Timestamp,
    pub actor: Actor,
    pub event: Event,
    pub before: Was,
    /// None where it was not known, or was erased with whoever acted.
    pub origin: Option<Origin>,
}

/// What was there before, as far as the event does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Was {
    Nothing,
    Account { name: Text, status: Status, restrictions: Restrictions, funding: Funding },
    Credit { credit: domain::Nanos },
    Settings(Settings),
    Reload { rule: ReloadTerms, limits: ReloadLimits, reference: Text },
}

const ORIGIN: u8 = 0x80;
const NAME: u8 = 0x81;
const INBOUND_URL: u8 = 0x82;
const RECEIPT_URL: u8 = 0x83;
const REFERENCE: u8 = 0x84;

/// What was there before `event`, which is about to be folded.
pub(crate) fn before(ledger: &Ledger, event: &Event) -> Was {
    match event {
        Event::AccountChanged { account, .. } => {
            let was = ledger.account(*account);
            Was::Account {
                name: was.name.clone(),
                status: was.status,
                restrictions: was.restrictions,
                funding: was.funding,
            }
        }
        Event::CreditSet { image, .. } => {
            Was::Credit { credit: ledger.balance(image.balance).amounts.credit() }
        }
        Event::SettingsChanged { account, .. } => {
            Was::Settings(ledger.settings_of(*account).cloned().unwrap_or_default())
        }
        Event::ReloadRuled { balance, .. } => match ledger.reload(*balance) {
            None => Was::Nothing,
            Some(reload) => Was::Reload {
                rule: ReloadTerms::from(&reload.rule),
                limits: reload.limits,
                reference: reload.rule.reference.clone(),
            },
        },
        _ => Was::Nothing,
    }
}

/// Whose texts are in what was before.
pub(crate) fn owner_before(event: &Event, was: &Was) -> Option<Owner> {
    match (event, was) {
        (Event::AccountChanged { account, name, .. }, Was::Account { name: before, .. })
            if before.is_some() && before != name =>
        {
            Some(Owner::account(*account))
        }
        (Event::SettingsChanged { account, .. }, Was::Settings(was))
            if was.inbound_url.is_some() || was.receipt_url.is_some() =>
        {
            Some(Owner::account(*account))
        }
        (Event::ReloadRuled { account, .. }, Was::Reload { reference: Some(_), .. }) => {
            Some(Owner::account(*account))
        }
        _ => None,
    }
}

/// The same, as it is stored at `at`. A name that did not change is not written again.
pub(crate) fn stored(was: Was, owner: Option<Owner>, at: EventRef, keys: &dyn TextKeys) -> Before {
    let sealed =
        |text: Text, within| owner.zip(text).and_then(|(owner, text)| seal(owner, &text, at, within, keys));
    match was {
        Was::Nothing => Before::Nothing,
        Was::Account { name, status, restrictions, funding } => {
            Before::Account { name: sealed(name, NAME), status, restrictions, funding }
        }
        Was::Credit { credit } => Before::Credit { credit },
        Was::Settings(Settings { inbound_url, receipt_url, forward, throughput, .. }) => Before::Settings {
            inbound_url: sealed(inbound_url, INBOUND_URL),
            receipt_url: sealed(receipt_url, RECEIPT_URL),
            forward,
            throughput,
        },
        Was::Reload { rule, limits, reference } => {
            Before::Reload { rule, limits, reference: sealed(reference, REFERENCE) }
        }
    }
}

pub(crate) fn seal_origin(
    owner: Owner,
    origin: &Origin,
    at: EventRef,
    keys: &dyn TextKeys,
) -> Option<Sealed> {
    seal(owner, &origin.to_bytes(), at, ORIGIN, keys)
}

fn seal(owner: Owner, text: &[u8], at: EventRef, within: u8, keys: &dyn TextKeys) -> Option<Sealed> {
    let key = keys.text_key(owner)?;
    Some(Sealed { owner: owner.0, bytes: TextSeal::part(&key, at, within).seal(text).into() })
}

/// Whoever texts in an entry of the log are sealed for.
pub(crate) fn owners(audited: &Audited) -> impl Iterator<Item = Owner> {
    let texts = match &audited.before {
        Before::Account { name, .. } => [name.as_ref(), None],
        Before::Settings { inbound_url, receipt_url, .. } => [inbound_url.as_ref(), receipt_url.as_ref()],
        Before::Reload { reference, .. } => [reference.as_ref(), None],
        Before::Nothing | Before::Credit { .. } => [None, None],
    };
    let origin = audited.origin.as_ref();
    texts.into_iter().flatten().chain(origin).map(|sealed| Owner(sealed.owner))
}

fn open(sealed: Option<&Sealed>, at: EventRef, within: u8, keys: &dyn TextKeys) -> Text {
    let sealed = sealed?;
    let key = keys.text_key(Owner(sealed.owner))?;
    TextSeal::part(&key, at, within).open(&sealed.bytes)
}

impl History {
    /// The log of an organization from its newest entry back, beginning with number `from`, or with the
    /// newest entry not later than `until`.
    pub fn audit(
        &self,
        head: &AuditHead,
        from: Option<u64>,
        until: Option<Timestamp>,
    ) -> Result<AuditWalk<'_>, HistoryError> {
        let reached = |record: &Record, audited: &Audited| {
            from.is_none_or(|from| audited.entry <= from)
                && until.is_none_or(|until| record.envelope.time <= until)
        };
        let next = match self.seek_audit(head, reached) {
            Err(HistoryError::Removed { until }) => Err(until),
            found => Ok(found?),
        };
        Ok(AuditWalk { history: self, next })
    }

    fn audited(&self, at: EventRef) -> Result<(Record, Audited), HistoryError> {
        let record = self.record(at)?;
        match &record.event {
            Event::Audited(audited) => {
                let audited = (**audited).clone();
                Ok((record, audited))
            }
            _ => Err(HistoryError::Broken),
        }
    }

    /// Skips as far as it can without passing the target, then hops.
    fn seek_audit(
        &self,
        head: &AuditHead,
        reached: impl Fn(&Record, &Audited) -> bool,
    ) -> Result<EventRef, HistoryError> {
        let (mut at, mut skips) = (head.last, head.skips);
        'hops: while !at.is_none() {
            let (record, audited) = self.audited(at)?;
            if reached(&record, &audited) {
                return Ok(at);
            }
            for skip in skips.into_iter().rev().filter(|skip| !skip.is_none() && *skip < at) {
                let (there, beyond) = match self.audited(skip) {
                    // Too far, whether it is the target or not.
                    Err(HistoryError::Removed { .. }) => continue,
                    found => found?,
                };
                if !reached(&there, &beyond) {
                    (at, skips) = (skip, beyond.skips);
                    continue 'hops;
                }
            }
            (at, skips) = (audited.previous, Default::default());
            if !at.is_none() {
                skips = self.audited(at)?.1.skips;
            }
        }
        Ok(EventRef::NONE)
    }
}

/// A walk towards the beginning. Where that was removed it ends with [`HistoryError::Removed`].
pub struct AuditWalk<'a> {
    history: &'a History,
    next: Result<EventRef, Timestamp>,
}

impl AuditWalk<'_> {
    fn read(&mut self, at: EventRef) -> Result<AuditEntry, HistoryError> {
        let (_, audited) = self.history.audited(at)?;
        self.next = Ok(audited.previous);
        let keys = self.history.keys();
        let of = self.history.record(audited.of)?;
        let before = match &audited.before {
            Before::Nothing => Was::Nothing,
            Before::Account { name, status, restrictions, funding } => Was::Account {
                name: open(name.as_ref(), at, NAME, keys),
                status: *status,
                restrictions: *restrictions,
                funding: *funding,
            },
            Before::Credit { credit } => Was::Credit { credit: *credit },
            Before::Settings { inbound_url, receipt_url, forward, throughput } => Was::Settings(Settings {
                inbound_url: open(inbound_url.as_ref(), at, INBOUND_URL, keys),
                receipt_url: open(receipt_url.as_ref(), at, RECEIPT_URL, keys),
                forward: *forward,
                throughput: *throughput,
                last: EventRef::NONE,
            }),
            Before::Reload { rule, limits, reference } => Was::Reload {
                rule: *rule,
                limits: *limits,
                reference: open(reference.as_ref(), at, REFERENCE, keys),
            },
        };
        let origin = open(audited.origin.as_ref(), at, ORIGIN, keys);
        Ok(AuditEntry {
            number: audited.entry,
            time: of.envelope.time,
            actor: of.envelope.actor,
            event: of.event,
            before,
            origin: origin.and_then(|bytes| Origin::from_bytes(&bytes)),
        })
    }
}

impl Iterator for AuditWalk<'_> {
    type Item = Result<AuditEntry, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        match std::mem::replace(&mut self.next, Ok(EventRef::NONE)) {
            Err(until) => Some(Err(HistoryError::Removed { until })),
            Ok(at) if at.is_none() => None,
            Ok(at) => Some(self.read(at)),
        }
    }
}
