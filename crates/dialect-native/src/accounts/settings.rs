//! `GET` and `PATCH /accounts/{account}/settings`

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::{App, is_web_address, present};
use ledger::{Act, Event, Forward, SettingsChange, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::string;
use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::look::look_at;
use crate::once::Once;
use crate::problem::Problem;
use crate::signed::{Signed, account};
use crate::submit::submit;
use crate::values::Words;

/// Get the settings of an account
///
/// Kept for those who serve its calls: nothing here is called or throttled by this server.
#[utoipa::path(
    get, path = "/accounts/{account}/settings", tag = "accounts", operation_id = "get_settings",
    params(("account" = String, Path, description = "Any handle of the account")),
    responses((status = 200, description = "As they are", body = Settings)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn get(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Answer<Settings>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let index = account(&app, &caller.0, &name)?;
    let seen = look_at(&app, &caller.0, index, move |ledger, _| ledger.settings_of(index).cloned()).await?;
    Ok(Answer::ok(Settings::of(&seen.unwrap_or_default())))
}

/// Change the settings of an account
///
/// What is absent stays. The throughput is the seller's to set.
#[utoipa::path(
    patch, path = "/accounts/{account}/settings", tag = "accounts", operation_id = "change_settings",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = ChangeSettings,
    responses((status = 200, description = "As they are after it", body = Settings)),
    extensions(("x-operation" = json!(["ChangeSettings", "SetThroughput"])), ("x-problems" = json!([
        "account-not-found", "account-closed",
    ]))),
)]
pub(crate) async fn change(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Settings>, Problem> {
    caller.may(Operation::ChangeSettings)?;
    let asked: ChangeSettings = input.read()?;
    if asked.throughput.is_some() {
        caller.may(Operation::SetThroughput)?;
    }
    // Before the account is looked for: what is wrong with a body says nothing of whose accounts there are.
    let change = Box::new(asked.change()?);
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "change settings", index, &asked);
    let receipt = submit(&app, &caller.0, Act::SetSettings { account: index, change }, key).await?;
    let Event::SettingsChanged { settings, .. } = &receipt.event else {
        return Err(Problem::bug("settings were answered by another event"));
    };
    Ok(Answer::ok(Settings::of(settings)).replayed(receipt.repeated))
}

type Url = Words<2048>;

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"inbound_url": "https://hooks.example/in", "receipt_url": null}))]
pub(crate) struct ChangeSettings {
    /// Where to tell of what comes in, `http` or `https`; `null` unsets it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Url>)]
    inbound_url: Option<Option<Url>>,
    /// Where to tell what became of what went out.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Url>)]
    receipt_url: Option<Option<Url>>,
    forward: Option<ForwardName>,
    throughput: Option<Throughput>,
}

impl ChangeSettings {
    fn change(&self) -> Result<SettingsChange, Problem> {
        let url = |name: &str, given: &Option<Option<Url>>| -> Result<Option<Text>, Problem> {
            match given {
                None => Ok(None),
                Some(None) => Ok(Some(None)),
                Some(Some(url)) if is_web_address(url.as_str()) => Ok(Some(url.text())),
                Some(Some(_)) => {
                    Err(Problem::field(name, "expected an http or https URL without a user in it"))
                }
            }
        };
        let throughput = self.throughput.map(Throughput::bounded).transpose()?;
        Ok(SettingsChange {
            inbound_url: url("inbound_url", &self.inbound_url)?,
            receipt_url: url("receipt_url", &self.receipt_url)?,
            forward: self.forward.map(ForwardName::forward),
            throughput,
        })
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Settings {
    inbound_url: Option<String>,
    receipt_url: Option<String>,
    forward: ForwardName,
    throughput: Throughput,
}

impl Settings {
    fn of(settings: &ledger::Settings) -> Self {
        let ledger::Throughput { outbound, inbound, calls } = settings.throughput;
        Self {
            inbound_url: string(&settings.inbound_url),
            receipt_url: string(&settings.receipt_url),
            forward: ForwardName::of(settings.forward),
            throughput: Throughput { outbound, inbound, calls },
        }
    }
}

/// Requests a second, at the most: 1 to 1,000,000.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Throughput {
    outbound: u32,
    inbound: u32,
    calls: u32,
}

impl Throughput {
    fn bounded(self) -> Result<ledger::Throughput, Problem> {
        const MAX: u32 = 1_000_000;
        let Self { outbound, inbound, calls } = self;
        if [outbound, inbound, calls].iter().all(|limit| (1..=MAX).contains(limit)) {
            Ok(ledger::Throughput { outbound, inbound, calls })
        } else {
            Err(Problem::field("throughput", "expected 1 to 1000000 a second"))
        }
    }
}

/// How the URLs are called.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Forward)]
pub(crate) enum ForwardName {
    Unset,
    GetQuery,
    PostQuery,
    PostJson,
}

impl ForwardName {
    fn forward(self) -> Forward {
        match self {
            Self::Unset => Forward::Unset,
            Self::GetQuery => Forward::GetQuery,
            Self::PostQuery => Forward::PostQuery,
            Self::PostJson => Forward::PostJson,
        }
    }

    pub(crate) fn of(forward: Forward) -> Self {
        match forward {
            Forward::Unset => Self::Unset,
            Forward::GetQuery => Self::GetQuery,
            Forward::PostQuery => Self::PostQuery,
            Forward::PostJson => Self::PostJson,
        }
    }
}
