//! Who is who in a scenario: names of accounts, charges and holds, and the acts that steps mean.

use std::collections::BTreeMap;

use access::{Permissions, Role};
use domain::{Currency, Nanos, Timestamp};
use engine::Seals;
use ledger::{
    AccountIndex, Act, Actor, AllocationWay, Allowed, BalanceIndex, ChargeId, ChargeKind, Charged, Event,
    Flow, Flows, Funding, HoldId, Holder, Limit, NewAccount, OrganizationIndex, Rejection, ReloadRule, Scope,
    Usage, Verifier,
};

use super::cell::Column;
use super::step::{Line, Step};

/// Holds of scenarios live as long as any may.
pub(super) const HOLD_SECS: i64 = ledger::HOLD_LIFE_MAX_SECS;
/// What starts a reload in a scenario.
pub const RELOAD_REFERENCE: &str = "8ef2447e69604f642ae59363aa5f781b";
const PROVES_NOTHING: Verifier = Verifier::Digest([0; 32]);
/// What a step calls the seller.
const SELLER: &str = "seller";

pub(super) struct Cast {
    seals: Option<Seals>,
    organization: OrganizationIndex,
    seller: Actor,
    players: BTreeMap<String, Player>,
    /// The root that was opened first: `total` is of its family.
    first: Option<AccountIndex>,
    charges: BTreeMap<String, Charge>,
    holds: BTreeMap<String, HoldId>,
}

#[derive(Clone)]
pub(super) struct Player {
    pub(super) account: AccountIndex,
    parent: Option<String>,
    root: String,
    actor: Actor,
}

#[derive(Clone, Copy)]
struct Charge {
    id: ChargeId,
    payer: BalanceIndex,
    payer_entry: u64,
    amount: Nanos,
}

impl Cast {
    pub(super) fn new(organization: OrganizationIndex, seller: Actor, seals: Option<Seals>) -> Self {
        Self {
            seals,
            organization,
            seller,
            players: BTreeMap::new(),
            first: None,
            charges: BTreeMap::new(),
            holds: BTreeMap::new(),
        }
    }

    pub(super) fn player(&self, name: &str) -> Option<&Player> {
        self.players.get(name)
    }

    /// Whom a column is about, if they are there yet.
    pub(super) fn of_column(&self, column: &Column) -> Option<AccountIndex> {
        if column.is_total() { self.first } else { self.player(&column.name).map(|it| it.account) }
    }

    fn known(&self, name: &str) -> &Player {
        self.player(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// Who does a step: who it says, else the root of the family or the seller, who has no name.
    pub(super) fn doer<'a>(&'a self, line: &'a Line) -> Option<&'a str> {
        let root_of = |name: &str| Some(self.known(name).root.as_str());
        match (&line.by, &line.step) {
            (Some(by), _) => Some(by.as_str()).filter(|by| *by != SELLER),
            (None, Step::OpenChild { parent: name, .. })
            | (None, Step::Split { name } | Step::Merge { name } | Step::SetSuspended { name, .. })
            | (None, Step::Allocate { from: name, .. } | Step::Transfer { from: name, .. })
            | (None, Step::TransferNumber { from: name, .. }) => root_of(name),
            (None, Step::StartReload { name }) => Some(name.as_str()),
            (None, _) => None,
        }
    }

    pub(super) fn actor(&self, line: &Line) -> Actor {
        self.doer(line).map_or(self.seller, |name| self.known(name).actor)
    }

    /// Whose limit an allocation changes, and which way: the parent gives, a child returns.
    pub(super) fn allocation<'a>(&self, from: &'a str, to: &'a str) -> (&'a str, AllocationWay) {
        let gives = self.known(to).parent.as_deref() == Some(from);
        if gives { (to, AllocationWay::Give) } else { (from, AllocationWay::Return) }
    }

    /// What a step asks for.
    pub(super) fn act(&self, step: &Step, now: Timestamp) -> Act {
        let index = |name: &str| self.known(name).account;
        let modify = |name: &str, suspended, shared| Act::ModifyAccount {
            account: index(name),
            name: None,
            suspended,
            shared,
        };
        let (currency, reference) = (None, None);
        match step {
            Step::OpenPrimary { name, limit } => self.open(name, None, Funding::Own, *limit),
            Step::OpenChild { name, parent, funding } => {
                self.open(name, Some(index(parent)), *funding, Nanos::ZERO)
            }
            Step::Split { name } => modify(name, None, Some(false)),
            Step::Merge { name } => modify(name, None, Some(true)),
            Step::SetSuspended { name, suspended } => modify(name, Some(*suspended), None),
            Step::SetFrozen { name, frozen } => {
                Act::SetFrozen { account: index(name), frozen: *frozen, reason: None }
            }
            Step::SetClosed { name, closed } => Act::SetClosed { account: index(name), closed: *closed },
            Step::Allocate { from, to, amount } => {
                let (child, way) = self.allocation(from, to);
                Act::Allocate { child: index(child), currency, way, amount: *amount, reference }
            }
            Step::Transfer { from, to, amount } => {
                Act::Transfer { from: index(from), to: index(to), currency, amount: *amount, reference }
            }
            Step::TopUp { name, amount } => {
                Act::TopUp { account: index(name), currency, amount: *amount, reference }
            }
            Step::Withdraw { name, amount } => {
                Act::Withdraw { account: index(name), currency, amount: *amount, reference }
            }
            Step::Adjust { name, amount, correction } => Act::Adjust {
                account: index(name),
                currency,
                amount: *amount,
                correction: *correction,
                reference,
            },
            Step::GiveUsageCredit { name, amount } => {
                Act::GiveUsageCredit { account: index(name), currency, amount: *amount, reference }
            }
            Step::SetCredit { name, amount } => {
                Act::SetCredit { account: index(name), currency, credit: *amount, reference }
            }
            Step::Charge { name, amount, admission, .. } => Act::Charge {
                account: index(name),
                currency,
                amount: *amount,
                kind: ChargeKind::Metered,
                admission: *admission,
                usage: Usage::default(),
            },
            Step::Refund { label, amount } => {
                let charge = self.charges.get(label);
                let charge = charge.unwrap_or_else(|| panic!("no charge is called {label}"));
                Act::Refund {
                    charge: charge.id,
                    payer: charge.payer,
                    payer_entry: charge.payer_entry,
                    charged: charge.amount,
                    amount: *amount,
                    reference,
                }
            }
            Step::Hold { name, amount, .. } => Act::PlaceHold {
                account: index(name),
                currency,
                amount: *amount,
                expires_at: now.plus_secs(HOLD_SECS),
                usage: Usage::default(),
            },
            Step::Capture { label, amount, excess } => Act::CaptureHold {
                hold: self.hold(label),
                amount: *amount,
                excess: *excess,
                keep_open: false,
                quantity: None,
                reference,
            },
            Step::Void { label } => Act::VoidHold { hold: self.hold(label) },
            Step::SetReload { name, rule } => {
                let account = index(name);
                let limits = rule.limits;
                let rule = ReloadRule {
                    provider: rule.provider,
                    enabled: rule.enabled,
                    amount: rule.amount,
                    threshold: rule.threshold,
                    digest: self.reload_digest(account),
                    reference: Some(RELOAD_REFERENCE.as_bytes().into()),
                };
                Act::SetReload { account, currency, rule: Box::new(rule), limits }
            }
            Step::StartReload { name } => {
                let account = index(name);
                Act::StartReload { account, currency, digest: self.reload_digest(account) }
            }
            Step::SettleReload { name, approved } => {
                Act::SettleReload { account: index(name), currency, approved: *approved }
            }
            Step::AssignNumber { name, country, digits } => Act::AssignNumber {
                account: index(name),
                digest: self.number_digest(digits),
                country: *country,
                digits: Some(digits.as_bytes().into()),
            },
            Step::ReleaseNumber { name, digits } => {
                Act::ReleaseNumber { account: index(name), digest: self.number_digest(digits) }
            }
            Step::TransferNumber { from, to, digits } => Act::TransferNumber {
                from: index(from),
                to: index(to),
                digest: self.number_digest(digits),
                country: None,
            },
            Step::IssueSecret { of, limit, .. } => Act::IssueCredential {
                holder: Holder::Account(index(of)),
                role: Role::Account.code(),
                verifier: PROVES_NOTHING,
                label: None,
                expires_at: Timestamp::NEVER,
                live_max: None,
                scope: limit.map(|(amount, span)| {
                    let flows = Flows::of([Flow::Charge, Flow::Transfer, Flow::Allocate]);
                    let limit = Limit { flows, currency: Currency::EUR, amount, span };
                    let allowed = Allowed::Operations(Permissions::of_scopes().bits());
                    Box::new(Scope { allowed, accounts: [].into(), below: false, limits: [limit].into() })
                }),
            },
            Step::RevokeSecret { name } => {
                let Actor::Credential(credential) = self.known(name).actor else {
                    panic!("{name} is no secret")
                };
                Act::RevokeCredential { credential, live_min: 1 }
            }
            Step::Reissue { of, .. } => Act::ReissueCredential {
                account: index(of),
                role: Role::Account.code(),
                verifier: PROVES_NOTHING,
                label: None,
            },
            Step::Wait { .. } => panic!("waiting asks for nothing"),
        }
    }

    /// Where nothing is sealed, any number does that is the same for the same.
    fn reload_digest(&self, account: AccountIndex) -> u128 {
        let seals = self.seals.as_ref();
        seals.map_or(1, |seals| access::reload_digest(seals, account, RELOAD_REFERENCE))
    }

    fn number_digest(&self, digits: &str) -> u128 {
        let plain = || digits.bytes().fold(0, |number, digit| number * 10 + u128::from(digit - b'0'));
        let seals = self.seals.as_ref();
        seals.map_or_else(plain, |seals| access::number_digest(seals, self.organization, digits))
    }

    fn hold(&self, label: &str) -> HoldId {
        *self.holds.get(label).unwrap_or_else(|| panic!("no hold is called {label}"))
    }

    /// Every account of a scenario has a credential; its digest proves nothing to anybody.
    fn open(&self, name: &str, parent: Option<AccountIndex>, funding: Funding, credit: Nanos) -> Act {
        let mut digest = [0; 32];
        digest[0] = u8::try_from(self.players.len()).expect("scenarios are small");
        Act::OpenAccount(Box::new(NewAccount {
            organization: self.organization,
            parent,
            currency: Currency::EUR,
            funding,
            managed: true,
            may_open_children: parent.is_none(),
            allows_overruns: false,
            name: Some(name.as_bytes().into()),
            credit,
            credential: Some((Role::Account.code(), Verifier::Digest(digest))),
        }))
    }

    /// Remembers what a step made.
    pub(super) fn note(&mut self, step: &Step, event: &Event) {
        match (step, event) {
            (Step::OpenPrimary { name, .. }, Event::AccountOpened { account, credential, .. }) => {
                let (credential, _) = credential.as_ref().expect("it was asked for");
                self.join(name, None, *account, Actor::Credential(*credential));
            }
            (Step::OpenChild { name, parent, .. }, Event::AccountOpened { account, credential, .. }) => {
                let (credential, _) = credential.as_ref().expect("it was asked for");
                self.join(name, Some(parent), *account, Actor::Credential(*credential));
            }
            // It acts for its account, by another name.
            (
                Step::IssueSecret { name, of, .. } | Step::Reissue { name, of },
                Event::CredentialIssued { index, .. },
            ) => {
                let player = Player { actor: Actor::Credential(*index), ..self.known(of).clone() };
                self.players.insert(name.clone(), player);
            }
            (Step::Charge { label: Some(label), .. }, Event::Charged(charged)) => {
                self.charges.insert(label.clone(), Charge::of(charged));
            }
            // A capture is a charge by the name of its hold.
            (Step::Capture { label, .. }, Event::HoldCaptured { charged, .. }) => {
                self.charges.insert(label.clone(), Charge::of(charged));
            }
            (Step::Hold { label, .. }, Event::HoldPlaced(placed)) => {
                self.holds.insert(label.clone(), placed.hold);
            }
            _ => {}
        }
    }

    pub(super) fn join(&mut self, name: &str, parent: Option<&String>, account: AccountIndex, actor: Actor) {
        let root = parent.map_or_else(|| name.to_owned(), |parent| self.known(parent).root.clone());
        self.first = self.first.or(Some(account));
        let player = Player { account, parent: parent.cloned(), root, actor };
        self.players.insert(name.to_owned(), player);
    }
}

impl Charge {
    fn of(charged: &Charged) -> Self {
        let user = charged.user.unwrap_or(charged.payer);
        Self {
            id: ChargeId { balance: user.balance, entry: user.entry },
            payer: charged.payer.balance,
            payer_entry: charged.payer.entry,
            amount: charged.amount,
        }
    }
}

/// `insufficient_funds, have 133`: what kind it is, and how far off.
pub(super) fn outcome(rejection: &Rejection) -> String {
    let debug = format!("{rejection:?}");
    let name: String = debug.chars().take_while(char::is_ascii_alphanumeric).collect();
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.push(letter.to_ascii_lowercase());
    }
    let detail = match rejection {
        Rejection::InsufficientFunds { have, .. } | Rejection::InsufficientCredit { have, .. } => {
            format!(", have {have}")
        }
        Rejection::CreditBelowGiven { given } => format!(", given {given}"),
        Rejection::ScopeExceeded { have, .. } => format!(", have {have}"),
        Rejection::MergeBelowZero { short } => format!(", short {short}"),
        Rejection::CaptureAboveHold { held } => format!(", held {held}"),
        Rejection::RefundAboveCharge { left } => format!(", left {left}"),
        _ => String::new(),
    };
    words + &detail
}
