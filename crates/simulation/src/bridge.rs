//! Between the model's numbers and the ledger's indices.

use std::sync::Arc;

use domain::{Currency, Nanos, Timestamp};
use ledger::{
    AccountIndex, Act, Actor, Admission, AllocationWay, Allowed, BalanceIndex, ChargeId, ChargeKind, Charged,
    Command, Correction, CredentialIndex, Event, ExcessPolicy, Flow, Flows, Forward, Funding, HoldId, Holder,
    Ledger, Limit, NewAccount, OrganizationIndex, Provider, Rejection, ReloadLimits, ReloadRule, RoleCode,
    Scope, SettingsChange, Span, Status, Throughput, Usage, Verifier,
};

use crate::model::{Ask, Cap, Excess, Lasts, Model, Moves, No, Way, Who};
use crate::workload::CURRENCIES;

/// What the ledger calls the things that the model numbers.
#[derive(Clone, Debug, Default)]
pub struct Bridge {
    seller: Option<CredentialIndex>,
    credentials: Vec<CredentialIndex>,
    charges: Vec<Paid>,
    keys: Vec<CredentialIndex>,
}

#[derive(Clone, Debug)]
struct Paid {
    charge: ChargeId,
    payer: BalanceIndex,
    payer_entry: u64,
    charged: Nanos,
}

/// The word that starts every reload.
const RELOAD: u128 = 7;

fn account(number: usize) -> AccountIndex {
    AccountIndex::new(number)
}

fn currency(code: &'static str) -> Option<Currency> {
    // The home currency is mostly left out, as callers do.
    if code == "EUR" { None } else { Some(Currency::parse(code).expect("the workload's codes are codes")) }
}

fn admission(way: Way) -> Admission {
    match way {
        Way::Strict => Admission::Strict,
        Way::Served => Admission::Served,
        Way::Forced => Admission::Forced,
    }
}

impl Bridge {
    pub fn new(seller: CredentialIndex) -> Self {
        Self { seller: Some(seller), ..Self::default() }
    }

    pub fn command(&self, who: Who, ask: &Ask) -> Command {
        let actor = match who {
            Who::Seller => self.seller.map_or(Actor::System, Actor::Credential),
            Who::Buyer(number) => Actor::Credential(self.credentials[number]),
            Who::Key(number) => Actor::Credential(self.keys[number]),
        };
        Command { actor, act: self.act(ask) }
    }

    fn act(&self, ask: &Ask) -> Act {
        let reference = None;
        let usage = Usage::default();
        match *ask {
            Ask::Open { parent, shared, credit, overruns } => Act::OpenAccount(Box::new(NewAccount {
                organization: OrganizationIndex::new(0),
                parent: parent.map(account),
                currency: Currency::EUR,
                funding: if shared { Funding::Shared } else { Funding::Own },
                managed: true,
                may_open_children: parent.is_none(),
                allows_overruns: overruns,
                name: Some(b"a customer".as_slice().into()),
                credit: Nanos::new(credit),
                credential: Some((RoleCode(16), Verifier::Digest([7; 32]))),
            })),
            Ask::Suspend { account: number, suspended } => Act::ModifyAccount {
                account: account(number),
                name: None,
                suspended: Some(suspended),
                shared: None,
            },
            Ask::Share { account: number, shared } => Act::ModifyAccount {
                account: account(number),
                name: None,
                suspended: None,
                shared: Some(shared),
            },
            Ask::Freeze { account: number, frozen } => {
                Act::SetFrozen { account: account(number), frozen, reason: None }
            }
            Ask::Close { account: number, closed } => Act::SetClosed { account: account(number), closed },
            Ask::SetCredit { account: number, currency: code, credit } => Act::SetCredit {
                account: account(number),
                currency: currency(code),
                credit: Nanos::new(credit),
                reference,
            },
            Ask::Allocate { child, currency: code, give, amount } => Act::Allocate {
                child: account(child),
                currency: currency(code),
                way: if give { AllocationWay::Give } else { AllocationWay::Return },
                amount: Nanos::new(amount),
                reference,
            },
            Ask::Transfer { from, to, currency: code, amount } => Act::Transfer {
                from: account(from),
                to: account(to),
                currency: currency(code),
                amount: Nanos::new(amount),
                reference: Some(b"between us".as_slice().into()),
            },
            Ask::TopUp { account: number, currency: code, amount } => Act::TopUp {
                account: account(number),
                currency: currency(code),
                amount: Nanos::new(amount),
                reference,
            },
            Ask::Withdraw { account: number, currency: code, amount } => Act::Withdraw {
                account: account(number),
                currency: currency(code),
                amount: Nanos::new(amount),
                reference,
            },
            Ask::Adjust { account: number, currency: code, amount, used } => Act::Adjust {
                account: account(number),
                currency: currency(code),
                amount: Nanos::new(amount),
                correction: if used { Correction::Used } else { Correction::Funded },
                reference,
            },
            Ask::UsageCredit { account: number, currency: code, amount } => Act::GiveUsageCredit {
                account: account(number),
                currency: currency(code),
                amount: Nanos::new(amount),
                reference,
            },
            Ask::Charge { account: number, currency: code, amount, way } => Act::Charge {
                account: account(number),
                currency: currency(code),
                amount: Nanos::new(amount),
                kind: ChargeKind::Metered,
                admission: admission(way),
                usage,
            },
            Ask::Refund { charge, amount } => {
                let paid = &self.charges[charge];
                Act::Refund {
                    charge: paid.charge,
                    payer: paid.payer,
                    payer_entry: paid.payer_entry,
                    charged: paid.charged,
                    amount: Nanos::new(amount),
                    reference,
                }
            }
            Ask::Place { account: number, currency: code, amount, expires_at } => Act::PlaceHold {
                account: account(number),
                currency: currency(code),
                amount: Nanos::new(amount),
                expires_at: Timestamp::from_micros(expires_at),
                usage,
            },
            Ask::Extend { hold, expires_at } => {
                Act::ExtendHold { hold: HoldId(hold), expires_at: Timestamp::from_micros(expires_at) }
            }
            Ask::Capture { hold, amount, excess, keep_open } => Act::CaptureHold {
                hold: HoldId(hold),
                amount: Nanos::new(amount),
                excess: match excess {
                    Excess::Exact => ExcessPolicy::Exact,
                    Excess::UpTo => ExcessPolicy::UpToAvailable,
                    Excess::Admit(way) => ExcessPolicy::Admit(admission(way)),
                },
                keep_open,
                quantity: None,
                reference,
            },
            Ask::Void { hold } => Act::VoidHold { hold: HoldId(hold) },
            Ask::Issue { account: number, ref limits } => Act::IssueCredential {
                holder: Holder::Account(account(number)),
                role: RoleCode(16),
                verifier: Verifier::Digest([9; 32]),
                label: Some(b"so much".as_slice().into()),
                expires_at: Timestamp::NEVER,
                live_max: None,
                scope: Some(Box::new(Scope {
                    allowed: Allowed::Operations(u64::MAX),
                    accounts: [].into(),
                    below: false,
                    limits: limits.iter().map(limit).collect(),
                })),
            },
            Ask::SetReload { account: number, currency: code, rule } => Act::SetReload {
                account: account(number),
                currency: currency(code),
                rule: Box::new(ReloadRule {
                    provider: if rule.at_once { Provider::Test } else { Provider::Manual },
                    enabled: rule.on,
                    amount: Nanos::new(rule.amount),
                    threshold: rule.threshold.map(Nanos::new),
                    digest: RELOAD,
                    reference: Some(b"a payment".as_slice().into()),
                }),
                limits: ReloadLimits { count: rule.count_max, amount: rule.amount_max.map(Nanos::new) },
            },
            Ask::StartReload { account: number, currency: code } => {
                Act::StartReload { account: account(number), currency: currency(code), digest: RELOAD }
            }
            Ask::SettleReload { account: number, currency: code, approved } => {
                Act::SettleReload { account: account(number), currency: currency(code), approved }
            }
            Ask::SetSettings { account: number, url, posts, calls } => Act::SetSettings {
                account: account(number),
                change: Box::new(SettingsChange {
                    inbound_url: url.map(|url| url.map(|url| text_of(url.into()))),
                    receipt_url: None,
                    forward: posts.map(|posts| if posts { Forward::PostJson } else { Forward::Unset }),
                    throughput: calls.map(|calls| Throughput { calls, ..Throughput::default() }),
                }),
            },
            Ask::Assign { account: number, number: digits } => Act::AssignNumber {
                account: account(number),
                digest: digits.into(),
                country: *b"GB",
                digits: Some(text_of(digits)),
            },
            Ask::Release { account: number, number: digits } => {
                Act::ReleaseNumber { account: account(number), digest: digits.into() }
            }
            Ask::MoveNumber { from, to, number: digits } => Act::TransferNumber {
                from: account(from),
                to: account(to),
                digest: digits.into(),
                country: None,
            },
        }
    }

    /// Notes what the model will refer to later.
    pub fn learn(&mut self, event: &Event) {
        match event {
            Event::AccountOpened { credential: Some((index, _)), .. } => self.credentials.push(*index),
            Event::CredentialIssued { index, credential }
                if matches!(credential.holder, Holder::Account(_)) =>
            {
                self.keys.push(*index);
            }
            Event::Charged(charged) | Event::HoldCaptured { charged, .. } => self.charges.push(paid(charged)),
            _ => {}
        }
    }
}

fn text_of(number: u64) -> Arc<[u8]> {
    number.to_string().as_bytes().into()
}

/// Whose balance it is, and in which of the workload's currencies.
pub fn place(ledger: &Ledger, balance: BalanceIndex) -> Option<(usize, &'static str)> {
    let balance = ledger.balance(balance);
    let code = CURRENCIES.into_iter().find(|code| *code == balance.currency.as_str())?;
    Some((balance.account.slot(), code))
}

fn limit(cap: &Cap) -> Limit {
    let flow = |moves: &Moves| match moves {
        Moves::Charged => Flow::Charge,
        Moves::Transferred => Flow::Transfer,
        Moves::Allocated => Flow::Allocate,
        Moves::Paid => Flow::Pay,
    };
    Limit {
        flows: Flows::of(cap.moves.iter().map(flow)),
        currency: Currency::EUR,
        amount: Nanos::new(cap.amount),
        span: match cap.lasts {
            Lasts::Day => Span::Day,
            Lasts::Month => Span::Month,
            Lasts::Ever => Span::Total,
        },
    }
}

fn paid(charged: &Charged) -> Paid {
    let user = charged.user.as_ref().unwrap_or(&charged.payer);
    Paid {
        charge: ChargeId { balance: user.balance, entry: user.entry },
        payer: charged.payer.balance,
        payer_entry: charged.payer.entry,
        charged: charged.amount,
    }
}

/// The model's word for a rejection.
pub fn no(rejection: &Rejection) -> Option<No> {
    Some(match *rejection {
        Rejection::AccountNotFound | Rejection::ChargeNotFound => No::NotFound,
        Rejection::SellerOnly => No::SellerOnly,
        Rejection::AccountSuspended { .. } => No::Suspended,
        Rejection::AccountFrozen { .. } => No::Frozen,
        Rejection::AccountClosed { .. } => No::Closed,
        Rejection::AccountInUse { .. } => No::InUse,
        Rejection::AmountNotPositive => No::NotPositive,
        Rejection::AmountNegative => No::Negative,
        Rejection::InsufficientFunds { need, have, .. } => No::Funds { need: need.get(), have: have.get() },
        Rejection::InsufficientCredit { need, have, .. } => No::Credit { need: need.get(), have: have.get() },
        Rejection::CreditBelowGiven { .. } => No::BelowGiven,
        Rejection::MergeBelowZero { .. } => No::MergeBelowZero,
        Rejection::SameAccount => No::Same,
        Rejection::FundingShared { .. } => No::Shared,
        Rejection::NotAChild => No::NotAChild,
        Rejection::NotOneFamily => No::NotOneFamily,
        Rejection::MayNotOpenChildren => No::MayNotOpenChildren,
        Rejection::TooDeep => No::TooDeep,
        Rejection::HoldNotFound => No::NoHold,
        Rejection::HoldTooLong | Rejection::HoldExpiryPast => No::HoldLife,
        Rejection::CaptureAboveHold { .. } => No::AboveHold,
        Rejection::RefundAboveCharge { .. } => No::AboveCharge,
        Rejection::OutOfScope => No::OutOfScope,
        Rejection::ScopeExceeded { need, have, .. } => No::Scope { need: need.get(), have: have.get() },
        Rejection::ReloadOff => No::ReloadOff,
        Rejection::ReloadUnderWay => No::UnderWay,
        Rejection::NoReloadUnderWay => No::NotUnderWay,
        Rejection::NumberTaken => No::NumberTaken,
        Rejection::NumberNotFound => No::NoNumber,
        Rejection::NumberNotOwned => No::NotOwned,
        _ => return None,
    })
}

fn compare_reloads(model: &Model, ledger: &Ledger) -> Result<(), String> {
    for ((number, code), expected) in &model.reloads {
        let currency = Currency::parse(code).map_err(|error| error.to_string())?;
        let Some((_, real)) = ledger.reload_of(account(*number), currency) else {
            return Err(format!("account {number} has no rule in {code}"));
        };
        let requested = real.requested.map(|request| request.amount.get());
        let started = (real.started.period, real.started.count, real.started.amount.get());
        let failures = real.pause.map_or(0, |pause| pause.failures);
        let same = requested == expected.requested
            && started == expected.started
            && failures == expected.failures
            && real.is_on() == expected.is_on();
        if !same {
            return Err(format!("account {number}: {real:?} instead of {expected:?}"));
        }
    }
    let waiting = ledger.waiting_reloads(BalanceIndex::new(0)).count();
    let expected = model.reloads.values().filter(|reload| reload.requested.is_some()).count();
    if waiting == expected { Ok(()) } else { Err(format!("{waiting} reloads wait for {expected}")) }
}

fn compare_belongings(model: &Model, ledger: &Ledger) -> Result<(), String> {
    for (number, expected) in &model.settings {
        let real = ledger.settings_of(account(*number)).cloned().unwrap_or_default();
        // A text is nothing where the key it was sealed under was lost with a standby.
        let url = expected.url.map(|url| text_of(url.into()));
        let same_url = real.inbound_url == url || real.inbound_url.is_none();
        let same = same_url
            && (real.forward == Forward::PostJson) == expected.posts
            && real.throughput.calls == expected.calls;
        if !same {
            return Err(format!("account {number}: {real:?} instead of {expected:?}"));
        }
    }
    for (number, owner) in &model.numbers {
        let real = ledger.number(u128::from(*number)).map(|number| number.account);
        if real != Some(account(*owner)) {
            return Err(format!("number {number} is {real:?}'s instead of {owner}'s"));
        }
    }
    let assigned = |(index, _)| ledger.numbers_of(index, None).count();
    let assigned: usize = ledger.accounts_from(0).map(assigned).sum();
    if assigned == model.numbers.len() {
        Ok(())
    } else {
        Err(format!("{assigned} numbers are assigned for {}", model.numbers.len()))
    }
}

/// Every figure of every account, the model's against the ledger's.
pub fn compare(model: &Model, ledger: &Ledger) -> Result<(), String> {
    if model.accounts.len() != ledger.accounts_len() {
        return Err(format!("{} accounts for {}", ledger.accounts_len(), model.accounts.len()));
    }
    if model.holds.len() != ledger.open_holds() {
        return Err(format!("{} holds for {}", ledger.open_holds(), model.holds.len()));
    }
    compare_reloads(model, ledger)?;
    compare_belongings(model, ledger)?;
    for (number, expected) in model.accounts.iter().enumerate() {
        let real = ledger.account(account(number));
        let flags = [
            ("own", expected.own, !real.funding.is_shared()),
            ("suspended", expected.suspended, real.restrictions.suspended),
            ("frozen", expected.frozen, real.restrictions.frozen),
            ("closed", expected.closed, real.status == Status::Closed),
        ];
        for (name, expected, found) in flags {
            if expected != found {
                return Err(format!("account {number}: {name} is {found}"));
            }
        }
        for (code, sheet) in &expected.sheets {
            let currency = Currency::parse(code).map_err(|error| error.to_string())?;
            let Some(index) = ledger.balance_of(account(number), currency) else {
                return Err(format!("account {number} has no balance in {code}"));
            };
            let real = &ledger.balance(index).amounts;
            let pairs = [
                ("carried", sheet.carried, real.carried),
                ("funded", sheet.funded, real.funded),
                ("used", sheet.used, real.used),
                ("held", sheet.held, real.held),
                ("granted", sheet.granted, real.granted),
                ("received", sheet.received, real.received),
                ("given", sheet.given, real.given),
                ("usage", sheet.usage, real.usage),
                ("available", sheet.available(), real.available()),
            ];
            for (name, expected, found) in pairs {
                if expected != found.get() {
                    return Err(format!(
                        "account {number}: {name} is {found} {code} instead of {}",
                        Nanos::new(expected)
                    ));
                }
            }
        }
    }
    Ok(())
}
