//! The audit log: one more event behind each administrative act, which says where the act stands, who asked
//! for it from where, and what an account was like before. An organization's are a chain: each points to
//! the one before, every 64th also 64 back, so the log is read backwards and needs no index.

use std::sync::Arc;

use domain::Nanos;

use crate::balance::SKIP_LEVELS;
use crate::{
    AccountIndex, Balance, Event, EventRef, Forward, Funding, Holder, Ledger, OrganizationIndex, PeopleEvent,
    Posted, Provider, ReloadLimits, ReloadRule, Restrictions, Status, Throughput, Within,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    pub organization: OrganizationIndex,
    /// Counts the organization's entries, from 1.
    pub entry: u64,
    /// Where the event that answers the act stands.
    pub of: EventRef,
    pub previous: EventRef,
    /// The landing places before, on the levels on which this entry is one.
    pub skips: [EventRef; SKIP_LEVELS],
    pub before: Before,
    /// From where, and under which request; sealed for whoever acted.
    pub origin: Option<Sealed>,
}

/// What the event does not say by itself of what was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    Nothing,
    Account {
        name: Option<Sealed>,
        status: Status,
        restrictions: Restrictions,
        funding: Funding,
    },
    Credit {
        credit: Nanos,
    },
    Settings {
        inbound_url: Option<Sealed>,
        receipt_url: Option<Sealed>,
        forward: Forward,
        throughput: Throughput,
    },
    Reload {
        rule: ReloadTerms,
        limits: ReloadLimits,
        reference: Option<Sealed>,
    },
}

/// A reload rule without what starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadTerms {
    pub provider: Provider,
    pub enabled: bool,
    pub amount: Nanos,
    pub threshold: Option<Nanos>,
}

impl From<&ReloadRule> for ReloadTerms {
    fn from(rule: &ReloadRule) -> Self {
        let ReloadRule { provider, enabled, amount, threshold, .. } = *rule;
        Self { provider, enabled, amount, threshold }
    }
}

/// Bytes under somebody's key; never looked into here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub owner: u64,
    pub bytes: Arc<[u8]>,
}

/// Where an organization's log is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AuditHead {
    pub entries: u64,
    pub last: EventRef,
    pub skips: [EventRef; SKIP_LEVELS],
}

impl AuditHead {
    /// The links of the entry that follows.
    pub fn next(&self) -> (u64, EventRef, [EventRef; SKIP_LEVELS]) {
        let entry = self.entries + 1;
        let mut skips = [EventRef::NONE; SKIP_LEVELS];
        let levels = Balance::skip_levels(entry);
        skips[..levels].copy_from_slice(&self.skips[..levels]);
        (entry, self.last, skips)
    }

    fn record(&mut self, entry: u64, at: EventRef) {
        self.entries = entry;
        self.last = at;
        for skip in &mut self.skips[..Balance::skip_levels(entry)] {
            *skip = at;
        }
    }
}

impl Ledger {
    pub fn audit_head(&self, organization: OrganizationIndex) -> AuditHead {
        self.audits.get(&organization).copied().unwrap_or_default()
    }

    pub(crate) fn apply_audited(&mut self, audited: &Audited, at: EventRef) {
        let head = self.audits.entry(audited.organization).or_default();
        if head.last < at {
            head.record(audited.entry, at);
        }
    }

    /// In whose log an event belongs; none for charges, holds and what happens by itself.
    pub fn audited_for(&self, event: &Event) -> Option<OrganizationIndex> {
        let of_account = |account: AccountIndex| Some(self.account(account).organization);
        let of_image = |image: &crate::Image| of_account(self.balance(image.balance).account);
        match event {
            Event::OrganizationCreated { organization, .. }
            | Event::CurrencyDeclared { organization, .. }
            | Event::UserCreated { organization, .. } => Some(*organization),
            Event::CredentialIssued { credential, .. } => self.organization_of(credential.holder),
            Event::CredentialRevoked { credential, .. } => {
                self.organization_of(self.credential(*credential).holder)
            }
            Event::AccountOpened { new, .. } => Some(new.organization),
            Event::CredentialScoped { credential, .. } | Event::ScopeSet { credential, .. } => {
                self.organization_of(self.credential(*credential).holder)
            }
            Event::AccountChanged { account, .. }
            | Event::HandleSet { account, .. }
            | Event::SettingsChanged { account, .. }
            | Event::ReloadSet { account, .. }
            | Event::ReloadRuled { account, .. } => of_account(*account),
            Event::NumberAssigned { number, .. } | Event::NumberMoved { number, .. } => {
                of_account(number.account)
            }
            Event::NumberReleased { account, .. } => of_account(*account),
            Event::ReloadRequested { balance, .. }
            | Event::ReloadEnded { balance, .. }
            | Event::ReloadStarted { balance, .. }
            | Event::ReloadPaused { balance, .. } => of_account(self.balance(*balance).account),
            Event::CreditSet { image, .. } => of_image(image),
            Event::Allocated { from, .. } | Event::Transferred { from, .. } | Event::Merged { from, .. } => {
                of_image(from)
            }
            Event::ToppedUp(posting)
            | Event::Withdrawn(posting)
            | Event::Adjusted { posting, .. }
            | Event::UsageCredited(posting)
            | Event::Refunded { posting, .. } => of_account(posting.account),
            Event::People(event) => self.audited_person(event),
            Event::CalendarExtended { .. }
            | Event::NameInterned { .. }
            | Event::CredentialSpent { .. }
            | Event::LimitCounted { .. }
            | Event::CredentialUsed { .. }
            | Event::BalanceOpened { .. }
            | Event::PeriodRolled { .. }
            | Event::Charged(_)
            | Event::HoldPlaced(_)
            | Event::HoldExtended { .. }
            | Event::HoldCaptured { .. }
            | Event::HoldEnded { .. }
            | Event::Audited(_) => None,
        }
    }

    fn audited_person(&self, event: &PeopleEvent) -> Option<OrganizationIndex> {
        let of_membership = |index| self.organization_within(self.membership(index).within);
        Some(match event {
            PeopleEvent::UserAdded { new, .. } => new.organization,
            // Letters that are sent are no act of anybody's; one that was given up is for somebody to see.
            PeopleEvent::LetterAsked { .. } => return None,
            PeopleEvent::LetterSettled { about, posted, .. } => {
                return self.organization_about(*about).filter(|_| *posted == Posted::Failed);
            }
            PeopleEvent::ProviderSet { organization, .. } | PeopleEvent::ProviderRemoved { organization } => {
                *organization
            }
            PeopleEvent::Granted { granted, .. } | PeopleEvent::InvitationAccepted { granted, .. } => {
                self.organization_within(granted.within)
            }
            PeopleEvent::MembershipChanged { membership, .. }
            | PeopleEvent::MembershipEnded { membership, .. } => of_membership(*membership),
            PeopleEvent::HandedOver { root, .. } => self.organization_within(Within::Family(*root)),
            PeopleEvent::Invited { invited, .. } => self.organization_within(invited.within),
            PeopleEvent::InvitationRevoked { invitation, .. } => {
                self.organization_within(self.invitation(*invitation)?.within)
            }
            PeopleEvent::PermissionsDefined { defined, .. } => defined.organization,
            PeopleEvent::PermissionsRemoved { set } => self.permission_set(*set).organization,
            of_user => self.user(of_user.user()?).organization,
        })
    }

    pub fn organization_of(&self, holder: Holder) -> Option<OrganizationIndex> {
        Some(match holder {
            Holder::Organization(organization) => organization,
            Holder::Account(account) => self.account(account).organization,
            Holder::Member(membership) => self.organization_within(self.membership(membership).within),
        })
    }
}
