//! The language of steps: one act in words.

use domain::Nanos;
use ledger::{Admission, Correction, ExcessPolicy, Funding, Provider, ReloadLimits, Span};

/// A step, and who does it when the step says so: `suspend sub1 by sub1`.
#[derive(Clone, Debug)]
pub struct Line {
    pub step: Step,
    pub by: Option<String>,
}

/// | step | |
/// |---|---|
/// | `open primary limit 100`, `open sub1 shares primary`, `open sub1 under primary` | |
/// | `split A`, `merge A`, `suspend A`, `reactivate A` | by the root of the family |
/// | `allocate P A 40`, `transfer P A 40` | by the root of the family |
/// | `charge A 5`, `charge A 5 served`, `charge A 5 as c1`, `refund c1 2` | by the seller |
/// | `hold A 5 as h1`, `capture h1 5`, `capture h1 6 served`, `void h1` | by the seller |
/// | `top-up A 5`, `settle A 5`, `withdraw A 5`, `usage-credit A 5`, `limit A 5` | by the seller |
/// | `reload-rule A 5 manual`, `reload-rule A 5 test`, `reload-rule A 5 manual off` | by the seller |
/// | `reload A` | by the account itself |
/// | `approve-reload A`, `decline-reload A` | by the seller |
/// | `assign A GB 447700900123`, `release A 447700900123` | by the seller |
/// | `transfer-number P A 447700900123` | by the root of the family |
/// | `secret k1 of A`, `secret k1 of A 5 a day` (`a month`, `in total`), `revoke k1`, `reissue k2 of A`; `charge A 1 by k1` | by the seller |
/// | `adjust A -5 funded`, `adjust A 5 used` | by the seller |
/// | `freeze A`, `unfreeze A`, `close A`, `reopen A` | by the seller |
/// | `wait 2h`, `wait 31d` | time passes |
#[derive(Clone, Debug)]
pub enum Step {
    OpenPrimary { name: String, limit: Nanos },
    OpenChild { name: String, parent: String, funding: Funding },
    Split { name: String },
    Merge { name: String },
    SetSuspended { name: String, suspended: bool },
    SetFrozen { name: String, frozen: bool },
    SetClosed { name: String, closed: bool },
    Allocate { from: String, to: String, amount: Nanos },
    Transfer { from: String, to: String, amount: Nanos },
    TopUp { name: String, amount: Nanos },
    Withdraw { name: String, amount: Nanos },
    Adjust { name: String, amount: Nanos, correction: Correction },
    GiveUsageCredit { name: String, amount: Nanos },
    SetCredit { name: String, amount: Nanos },
    Charge { name: String, amount: Nanos, admission: Admission, label: Option<String> },
    Refund { label: String, amount: Nanos },
    Hold { name: String, amount: Nanos, label: String },
    Capture { label: String, amount: Nanos, excess: ExcessPolicy },
    Void { label: String },
    SetReload { name: String, rule: Reloading },
    StartReload { name: String },
    SettleReload { name: String, approved: bool },
    AssignNumber { name: String, country: [u8; 2], digits: String },
    ReleaseNumber { name: String, digits: String },
    TransferNumber { from: String, to: String, digits: String },
    IssueSecret { name: String, of: String, limit: Option<(Nanos, Span)> },
    RevokeSecret { name: String },
    Reissue { name: String, of: String },
    Wait { secs: i64 },
}

impl Line {
    pub fn parse(text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, by) = match words.as_slice() {
            [words @ .., "by", name] => (words, Some((*name).to_owned())),
            words => (words, None),
        };
        let step = Step::parse(words).unwrap_or_else(|| panic!("not a step: {text}"));
        Self { step, by }
    }
}

impl Step {
    fn parse(words: &[&str]) -> Option<Self> {
        let owned = |name: &&str| (*name).to_owned();
        Some(match words {
            ["open", name] => Self::OpenPrimary { name: owned(name), limit: Nanos::ZERO },
            ["open", name, "limit", limit] => Self::OpenPrimary { name: owned(name), limit: amount(limit)? },
            ["open", name, relation, parent] => Self::OpenChild {
                name: owned(name),
                parent: owned(parent),
                funding: match *relation {
                    "shares" => Funding::Shared,
                    "under" => Funding::Own,
                    _ => return None,
                },
            },
            ["split", name] => Self::Split { name: owned(name) },
            ["merge", name] => Self::Merge { name: owned(name) },
            ["suspend", name] => Self::SetSuspended { name: owned(name), suspended: true },
            ["reactivate", name] => Self::SetSuspended { name: owned(name), suspended: false },
            ["freeze", name] => Self::SetFrozen { name: owned(name), frozen: true },
            ["unfreeze", name] => Self::SetFrozen { name: owned(name), frozen: false },
            ["close", name] => Self::SetClosed { name: owned(name), closed: true },
            ["reopen", name] => Self::SetClosed { name: owned(name), closed: false },
            ["allocate", from, to, text] => {
                Self::Allocate { from: owned(from), to: owned(to), amount: amount(text)? }
            }
            ["transfer", from, to, text] => {
                Self::Transfer { from: owned(from), to: owned(to), amount: amount(text)? }
            }
            ["top-up" | "settle", name, text] => Self::TopUp { name: owned(name), amount: amount(text)? },
            ["withdraw", name, text] => Self::Withdraw { name: owned(name), amount: amount(text)? },
            ["usage-credit", name, text] => {
                Self::GiveUsageCredit { name: owned(name), amount: amount(text)? }
            }
            ["limit", name, text] => Self::SetCredit { name: owned(name), amount: amount(text)? },
            ["adjust", name, text, counter] => Self::Adjust {
                name: owned(name),
                amount: amount(text)?,
                correction: match *counter {
                    "funded" => Correction::Funded,
                    "used" => Correction::Used,
                    _ => return None,
                },
            },
            ["charge", name, text, rest @ ..] => {
                let (rest, label) = labelled(rest);
                let admission = match rest {
                    [] => Admission::Strict,
                    [word] => admission(word)?,
                    _ => return None,
                };
                Self::Charge { name: owned(name), amount: amount(text)?, admission, label }
            }
            ["refund", label, text] => Self::Refund { label: owned(label), amount: amount(text)? },
            ["hold", name, text, "as", label] => {
                Self::Hold { name: owned(name), amount: amount(text)?, label: owned(label) }
            }
            ["capture", label, text, rest @ ..] => {
                let excess = match rest {
                    [] => ExcessPolicy::Exact,
                    ["up-to-available"] => ExcessPolicy::UpToAvailable,
                    [word] => ExcessPolicy::Admit(admission(word)?),
                    _ => return None,
                };
                Self::Capture { label: owned(label), amount: amount(text)?, excess }
            }
            ["void", label] => Self::Void { label: owned(label) },
            ["reload-rule", name, text, provider, rest @ ..] => Self::SetReload {
                name: owned(name),
                rule: Reloading::parse(
                    amount(text)?,
                    match *provider {
                        "manual" => Provider::Manual,
                        "test" => Provider::Test,
                        _ => return None,
                    },
                    rest,
                )?,
            },
            ["reload", name] => Self::StartReload { name: owned(name) },
            ["approve-reload", name] => Self::SettleReload { name: owned(name), approved: true },
            ["decline-reload", name] => Self::SettleReload { name: owned(name), approved: false },
            ["assign", name, country, digits] => Self::AssignNumber {
                name: owned(name),
                country: country.as_bytes().try_into().ok()?,
                digits: owned(digits),
            },
            ["release", name, digits] => Self::ReleaseNumber { name: owned(name), digits: owned(digits) },
            ["transfer-number", from, to, digits] => {
                Self::TransferNumber { from: owned(from), to: owned(to), digits: owned(digits) }
            }
            ["secret", name, "of", account, rest @ ..] => {
                let limit = match rest {
                    [] => None,
                    [text, "a", "day"] => Some((amount(text)?, Span::Day)),
                    [text, "a", "month"] => Some((amount(text)?, Span::Month)),
                    [text, "in", "total"] => Some((amount(text)?, Span::Total)),
                    _ => return None,
                };
                Self::IssueSecret { name: owned(name), of: owned(account), limit }
            }
            ["revoke", name] => Self::RevokeSecret { name: owned(name) },
            ["reissue", name, "of", account] => Self::Reissue { name: owned(name), of: owned(account) },
            ["wait", time] => Self::Wait { secs: secs(time)? },
            _ => return None,
        })
    }
}

/// A reload rule: `below 10`, `at-most 3`, `at-most-amount 50`, `off`.
#[derive(Clone, Debug)]
pub struct Reloading {
    pub amount: Nanos,
    pub provider: Provider,
    pub enabled: bool,
    pub threshold: Option<Nanos>,
    pub limits: ReloadLimits,
}

impl Reloading {
    fn parse(each: Nanos, provider: Provider, mut words: &[&str]) -> Option<Self> {
        let limits = ReloadLimits::default();
        let mut rule = Self { amount: each, provider, enabled: true, threshold: None, limits };
        loop {
            words = match words {
                [] => return Some(rule),
                ["off", rest @ ..] => {
                    rule.enabled = false;
                    rest
                }
                ["below", text, rest @ ..] => {
                    rule.threshold = Some(amount(text)?);
                    rest
                }
                ["at-most", text, rest @ ..] => {
                    rule.limits.count = Some(text.parse().ok()?);
                    rest
                }
                ["at-most-amount", text, rest @ ..] => {
                    rule.limits.amount = Some(amount(text)?);
                    rest
                }
                _ => return None,
            }
        }
    }
}

fn amount(text: &str) -> Option<Nanos> {
    Nanos::parse(text).ok()
}

fn admission(word: &str) -> Option<Admission> {
    match word {
        "strict" => Some(Admission::Strict),
        "served" => Some(Admission::Served),
        "forced" => Some(Admission::Forced),
        _ => None,
    }
}

fn labelled<'a>(words: &'a [&'a str]) -> (&'a [&'a str], Option<String>) {
    match words {
        [rest @ .., "as", label] => (rest, Some((*label).to_owned())),
        rest => (rest, None),
    }
}

fn secs(text: &str) -> Option<i64> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    Some(count.parse::<i64>().ok()? * unit)
}
