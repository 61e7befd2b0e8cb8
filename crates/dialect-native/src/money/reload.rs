//! Reload rules: `PUT` and `GET /accounts/{account}/reload-rule`.

use std::sync::Arc;

use access::{Operation, reload_digest};
use axum::extract::State;
use dialect::App;
use domain::Timestamp;
use ledger::{AccountIndex, Act, Ledger, Provider, ReloadLimits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::view::string;
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::look::{look, look_at};
use crate::once::Once;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::submit::submit;
use crate::values::{Amount, Currency, Time, Words};

/// Set the reload rule of an account
///
/// How its balance is topped up again: by whom, how much at a time, and the reference that starts it. One rule
/// for each balance. With a threshold reloads start by themselves as well: whatever happens to the balance, and
/// a refusal for want of funds, starts one if posted minus held is below it and none is under way. After one
/// that was declined the next waits an hour, then four, and so on; after five in a row the rule is switched
/// off, until it is set again.
#[utoipa::path(
    put, path = "/accounts/{account}/reload-rule", tag = "money", operation_id = "set_reload_rule",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = SetReloadRule,
    responses((status = 200, description = "The rule as it is now", body = ReloadRule)),
    extensions(("x-operation" = json!(["SetReload"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "funding-shared", "amount-not-positive", "amount-negative",
        "amount-out-of-range", "currency-unknown",
    ]))),
)]
pub(crate) async fn set(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<ReloadRule>, Problem> {
    caller.may(Operation::SetReload)?;
    let asked: SetReloadRule = input.read()?;
    if asked.threshold.is_some_and(|threshold| threshold.nanos().is_negative()) {
        return Err(Problem::field("threshold", "must not be negative"));
    }
    let limits = asked.limits.as_ref().map_or(Ok(ReloadLimits::default()), Limits::read)?;
    let index = account(&app, &caller.0, &name)?;
    let home = look_at(&app, &caller.0, index, move |ledger, _| ledger.account(index).currency).await?;
    let key = once.key(&app, &caller.0, "set reload rule", index, &asked);
    let rule = ledger::ReloadRule {
        provider: asked.provider.provider(),
        enabled: asked.enabled.unwrap_or(true),
        amount: asked.amount.nanos(),
        threshold: asked.threshold.map(Amount::nanos),
        digest: reload_digest(app.engine.seals(), index, asked.reference.as_str()),
        reference: asked.reference.text(),
    };
    let currency = asked.currency.map(|currency| currency.0);
    let act = Act::SetReload { account: index, currency, rule: Box::new(rule), limits };
    let receipt = submit(&app, &caller.0, act, key).await?;
    let rule = look_at(&app, &caller.0, index, move |ledger, now| {
        ReloadRule::of(ledger, index, currency.unwrap_or(home), now)
    });
    let rule = rule.await?.ok_or_else(|| Problem::bug("a rule that was set is not there"))?;
    Ok(Answer::ok(rule).replayed(receipt.repeated))
}

/// Get the reload rule of an account
///
/// Of its balance in the home currency, and the reload that is under way.
#[utoipa::path(
    get, path = "/accounts/{account}/reload-rule", tag = "money", operation_id = "get_reload_rule",
    params(("account" = String, Path, description = "Any handle of the account")),
    responses((status = 200, description = "The rule", body = ReloadRule)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!([
        "account-not-found", "not-found",
    ]))),
)]
pub(crate) async fn get(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Answer<ReloadRule>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let index = account(&app, &caller.0, &name)?;
    let rule = look(&app, &caller.0, move |ledger, now, sight| {
        if !sight.reaches(ledger, index) {
            return Err(Kind::AccountNotFound);
        }
        let currency = ledger.account(index).currency;
        ReloadRule::of(ledger, index, currency, now).ok_or(Kind::NotFound)
    });
    Ok(Answer::ok(rule.await?))
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"provider": "manual", "amount": "50", "threshold": "10", "reference": "8ef2447e69604f64"}))]
pub(crate) struct SetReloadRule {
    provider: ProviderName,
    /// What each reload adds.
    amount: Amount,
    /// Posted minus held below this starts a reload.
    threshold: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
    /// The payment by which it was switched on; whoever says it starts a reload.
    reference: Words<255>,
    /// On, when absent.
    enabled: Option<bool>,
    /// The home currency when absent.
    currency: Option<Currency>,
}

/// What may start by itself in one calendar month of the organization's time zone.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Limits {
    /// So many reloads; without a limit, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    /// Reloads of so much together; without a limit, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
}

impl Limits {
    fn read(&self) -> Result<ReloadLimits, Problem> {
        let amount = self.amount.map(Amount::nanos);
        if self.count == Some(0) || amount.is_some_and(|amount| !amount.is_positive()) {
            return Err(Problem::field("limits", "must be positive"));
        }
        Ok(ReloadLimits { count: self.count, amount })
    }

    /// Nothing, where nothing is limited.
    fn of(limits: ReloadLimits) -> Option<Self> {
        let given = limits != ReloadLimits::default();
        given.then(|| Self { count: limits.count, amount: limits.amount.map(Into::into) })
    }
}

/// What has started by itself in the month that runs.
#[derive(Serialize, ToSchema)]
struct Started {
    count: u32,
    amount: Amount,
}

/// How a balance is topped up again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReloadRule {
    provider: ProviderName,
    enabled: bool,
    amount: Amount,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Started>,
    /// How many in a row were declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u32>,
    /// After failures: none starts by itself before then.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_until: Option<Time>,
    /// By failures, until the rule is set again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    switched_off: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The reload that waits for the seller's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    requested: Option<Requested>,
}

#[derive(Serialize, ToSchema)]
struct Requested {
    amount: Amount,
    requested_at: Time,
}

impl ReloadRule {
    fn of(
        ledger: &Ledger,
        account: AccountIndex,
        currency: domain::Currency,
        now: Timestamp,
    ) -> Option<Self> {
        let (_, reload) = ledger.reload_of(account, currency)?;
        let rule = &reload.rule;
        let period = ledger.organization(ledger.account(account).organization).calendar.period_at(now);
        let started = period.filter(|(period, _)| reload.started.period == *period);
        let waits = reload.pause.filter(|pause| (now..Timestamp::NEVER).contains(&pause.until));
        Some(Self {
            provider: ProviderName::of(rule.provider),
            enabled: rule.enabled,
            amount: rule.amount.into(),
            currency: Currency(currency),
            threshold: rule.threshold.map(Into::into),
            limits: Limits::of(reload.limits),
            started: started
                .map(|_| Started { count: reload.started.count, amount: reload.started.amount.into() }),
            failures: reload.pause.map(|pause| pause.failures),
            waits_until: waits.map(|pause| pause.until.into()),
            switched_off: rule.enabled && !reload.is_on(),
            reference: string(&rule.reference),
            requested: reload
                .requested
                .map(|it| Requested { amount: it.amount.into(), requested_at: it.requested_at.into() }),
        })
    }
}

/// Who takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Provider)]
pub(crate) enum ProviderName {
    /// The seller's people, who say when it came.
    Manual,
    /// Approves everything: in sandboxes.
    Test,
}

impl ProviderName {
    fn provider(self) -> Provider {
        match self {
            Self::Manual => Provider::Manual,
            Self::Test => Provider::Test,
        }
    }

    pub(crate) fn of(provider: Provider) -> Self {
        match provider {
            Provider::Manual => Self::Manual,
            Provider::Test => Self::Test,
        }
    }
}
