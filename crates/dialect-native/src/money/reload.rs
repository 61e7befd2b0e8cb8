//! Reload rules: `PUT` and `GET /accounts/{account}/reload-rule`, and the reloads that they make:
//! `POST /accounts/{account}/reloads` and `…/settle`.

use std::sync::Arc;

use access::{Operation, reload_digest};
use axum::extract::State;
use dialect::App;
use ledger::{Act, Event, Provider};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::posted::Entry;
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
/// for each balance; the threshold is kept, and nothing is started by it yet.
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
    if asked.provider == ProviderName::Test && app.sandbox.is_none() {
        return Err(Problem::field("provider", "test approves everything, and is for sandboxes"));
    }
    if asked.threshold.is_some_and(|threshold| threshold.nanos().is_negative()) {
        return Err(Problem::field("threshold", "must not be negative"));
    }
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
    let act = Act::SetReload { account: index, currency, rule: Box::new(rule) };
    let receipt = submit(&app, &caller.0, act, key).await?;
    let rule = look_at(&app, &caller.0, index, move |ledger, _| {
        let currency = currency.unwrap_or(home);
        ledger.reload_of(index, currency).map(|(_, reload)| ReloadRule::of(reload, currency))
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
    let rule = look(&app, &caller.0, move |ledger, _, sight| {
        if !sight.reaches(ledger, index) {
            return Err(Kind::AccountNotFound);
        }
        let currency = ledger.account(index).currency;
        let known = ledger.reload_of(index, currency);
        known.map(|(_, reload)| ReloadRule::of(reload, currency)).ok_or(Kind::NotFound)
    });
    Ok(Answer::ok(rule.await?))
}

/// Start a reload
///
/// By the reference that the rule was set with. A provider that approves at once has posted the money when
/// this is answered (`approved`); of a manual one the seller has been asked (`requested`), and says later
/// whether the money came.
#[utoipa::path(
    post, path = "/accounts/{account}/reloads", tag = "money", operation_id = "start_reload",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = StartReload,
    responses((status = 201, description = "It is started, or done", body = Reload)),
    extensions(("x-operation" = json!(["StartReload"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "reload-off", "reload-under-way", "scope-exceeded",
    ]))),
)]
pub(crate) async fn start(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Reload>, Problem> {
    caller.may(Operation::StartReload)?;
    let asked: StartReload = input.read()?;
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "start reload", index, &asked);
    let digest = reload_digest(app.engine.seals(), index, asked.reference.as_str());
    let currency = asked.currency.map(|currency| currency.0);
    let receipt = submit(&app, &caller.0, Act::StartReload { account: index, currency, digest }, key).await?;
    let (status, entry) = match receipt.event {
        Event::ToppedUp(_) => (ReloadStatus::Approved, Some(Entry::of(app.engine.seals(), &receipt)?)),
        Event::ReloadRequested { .. } => (ReloadStatus::Requested, None),
        _ => return Err(Problem::bug("a reload was answered by another event")),
    };
    Ok(Answer::created(Reload { status, entry }).replayed(receipt.repeated))
}

/// Settle a reload
///
/// The seller's word on the one that is under way: its money came and is posted, or it will not come.
#[utoipa::path(
    post, path = "/accounts/{account}/reloads/settle", tag = "money", operation_id = "settle_reload",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = SettleReload,
    responses((status = 201, description = "It has ended", body = Reload)),
    extensions(("x-operation" = json!(["SetReload"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "no-reload-under-way", "scope-exceeded",
    ]))),
)]
pub(crate) async fn settle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Reload>, Problem> {
    caller.may(Operation::SetReload)?;
    let asked: SettleReload = input.read()?;
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "settle reload", index, &asked);
    let (currency, approved) = (asked.currency.map(|currency| currency.0), asked.approved);
    let act = Act::SettleReload { account: index, currency, approved };
    let receipt = submit(&app, &caller.0, act, key).await?;
    let (status, entry) = match receipt.event {
        Event::ToppedUp(_) => (ReloadStatus::Approved, Some(Entry::of(app.engine.seals(), &receipt)?)),
        Event::ReloadEnded { .. } => (ReloadStatus::Declined, None),
        _ => return Err(Problem::bug("a reload was answered by another event")),
    };
    Ok(Answer::created(Reload { status, entry }).replayed(receipt.repeated))
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"provider": "manual", "amount": "50", "threshold": "10", "reference": "8ef2447e69604f64"}))]
pub(crate) struct SetReloadRule {
    provider: ProviderName,
    /// What each reload adds.
    amount: Amount,
    /// Posted minus held below this asks for a reload.
    threshold: Option<Amount>,
    /// The payment by which it was switched on; whoever says it starts a reload.
    reference: Words<255>,
    /// On, when absent.
    enabled: Option<bool>,
    /// The home currency when absent.
    currency: Option<Currency>,
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
    fn of(reload: &ledger::Reload, currency: domain::Currency) -> Self {
        let rule = &reload.rule;
        Self {
            provider: ProviderName::of(rule.provider),
            enabled: rule.enabled,
            amount: rule.amount.into(),
            currency: Currency(currency),
            threshold: rule.threshold.map(Into::into),
            reference: string(&rule.reference),
            requested: reload
                .requested
                .map(|it| Requested { amount: it.amount.into(), requested_at: it.requested_at.into() }),
        }
    }
}

/// Who takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Provider)]
enum ProviderName {
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

    fn of(provider: Provider) -> Self {
        match provider {
            Provider::Manual => Self::Manual,
            Provider::Test => Self::Test,
        }
    }
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reference": "8ef2447e69604f64"}))]
pub(crate) struct StartReload {
    reference: Words<255>,
    /// The home currency when absent.
    currency: Option<Currency>,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"approved": true}))]
pub(crate) struct SettleReload {
    /// The money came.
    approved: bool,
    /// The home currency when absent.
    currency: Option<Currency>,
}

/// What became of a reload.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reload {
    status: ReloadStatus,
    /// The top-up that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Entry>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReloadStatus {
    Approved,
    Declined,
    /// It waits for the seller's word.
    Requested,
}
