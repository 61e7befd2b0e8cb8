//! `POST /organizations` and `POST /organizations/{organization}/currencies`

use std::sync::Arc;

use access::{AccessError, Operation};
use axum::extract::State;
use dialect::App;
use domain::iso_exponent;
use ledger::{Act, Actor, Event};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::ids;
use crate::input::{Input, Named};
use crate::once::Once;
use crate::operator::{administer, is_operator};
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::submit_as;
use crate::values::{Currency, Time, Words};

/// Found an organization
///
/// Only the operator does: the owner of the first organization. Issue the new one's first owner token
/// next.
#[utoipa::path(
    post, path = "/organizations", tag = "people", operation_id = "found_organization",
    request_body = FoundOrganization,
    responses((status = 201, description = "It is founded", body = Organization)),
    extensions(("x-operation" = json!(["ManageOrganization"])), ("x-problems" = json!([
        "name-taken", "currency-unknown",
    ]))),
)]
pub(crate) async fn found(
    caller: Signed,
    State(app): State<Arc<App>>,
    once: Once,
    input: Input,
) -> Result<Answer<Organization>, Problem> {
    caller.may(Operation::ManageOrganization)?;
    if !is_operator(&app, &caller.0) {
        return Err(AccessError::Forbidden { operation: Operation::ManageOrganization }.into());
    }
    let asked: FoundOrganization = input.read()?;
    if !is_slug(asked.name.as_str()) {
        return Err(Problem::field("name", "expected letters, digits, hyphens, dots and underscores"));
    }
    if iso_exponent(asked.currency.0).is_none() {
        return Err(Problem::new(Kind::CurrencyUnknown).with_field("currency"));
    }
    let key = once.key(&app, &caller.0, "found organization", (), &asked);
    let now = app.engine.read(|_, now| now).await?;
    let zone = asked.time_zone.as_ref().map_or("UTC", Words::as_str);
    let act = engine::found(asked.name.as_str(), zone, asked.currency.0, now)
        .map_err(|unknown| Problem::field("time_zone", unknown))?;
    let receipt = submit_as(&app, Actor::System, act, key).await?;
    let Event::OrganizationCreated { organization, name, time_zone, currency, created_at, .. } =
        receipt.event
    else {
        return Err(Problem::bug("an organization was answered by another event"));
    };
    let organization = Organization {
        id: ids::print(app.engine.seals(), engine::Id::Organization(organization)),
        name: name.as_ref().to_owned(),
        currency: Currency(currency),
        time_zone: time_zone.as_ref().to_owned(),
        created_at: created_at.into(),
    };
    Ok(Answer::created(organization).replayed(receipt.repeated))
}

/// Declare a currency
///
/// Points, credits, tokens: whatever the organization counts in besides ISO 4217.
#[utoipa::path(
    post, path = "/organizations/{organization}/currencies", tag = "people",
    operation_id = "declare_currency",
    params(("organization" = String, Path, description = "The organization's name")),
    request_body = DeclareCurrency,
    responses((status = 201, description = "It may be used", body = DeclareCurrency)),
    extensions(("x-operation" = json!(["ManageOrganization"])), ("x-problems" = json!([
        "organization-not-found", "currency-exists",
    ]))),
)]
pub(crate) async fn declare(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<DeclareCurrency>, Problem> {
    let (organization, actor) = administer(&app, &caller.0, Operation::ManageOrganization, &name)?;
    let asked: DeclareCurrency = input.read()?;
    if asked.exponent > EXPONENT_MAX {
        return Err(Problem::field("exponent", "expected 0 to 9"));
    }
    let key = once.key(&app, &caller.0, "declare currency", organization, &asked);
    let act = Act::DeclareCurrency { organization, currency: asked.code.0, exponent: asked.exponent };
    let receipt = submit_as(&app, actor, act, key).await?;
    Ok(Answer::created(asked).replayed(receipt.repeated))
}

const EXPONENT_MAX: u8 = 9;

/// It stands in paths, and people type it.
fn is_slug(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "acme", "currency": "USD", "time_zone": "America/New_York"}))]
pub(crate) struct FoundOrganization {
    name: Words<64>,
    /// What its accounts are kept in when nothing else is said.
    currency: Currency,
    /// Where its months begin, as the IANA names it; UTC when absent.
    time_zone: Option<Words<64>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Organization {
    id: String,
    name: String,
    currency: Currency,
    time_zone: String,
    created_at: Time,
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "POINTS", "exponent": 0}))]
pub(crate) struct DeclareCurrency {
    code: Currency,
    /// Digits behind the point of its smallest unit, 0 to 9.
    exponent: u8,
}
