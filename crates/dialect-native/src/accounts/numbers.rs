//! Phone numbers: `POST` and `GET /accounts/{account}/numbers`, `DELETE …/{number}`, `POST /number-transfers`.

use std::sync::Arc;

use access::{Caller, Operation, number_digest};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use dialect::{App, Cursor, Page, PageBounds, PagingError};
use engine::Seals;
use ledger::{Act, Event};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::string;
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Input, Named, NamedWithin, Paging, query};
use crate::look::{find_in_field, look_at};
use crate::once::Once;
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};
use crate::submit::submit;

/// Assign a number to an account
#[utoipa::path(
    post, path = "/accounts/{account}/numbers", tag = "accounts", operation_id = "assign_number",
    params(("account" = String, Path, description = "Any handle of the account")),
    request_body = AssignNumber,
    responses((status = 201, description = "It is the account's", body = Number)),
    extensions(("x-operation" = json!(["AssignNumber"])), ("x-problems" = json!([
        "account-not-found", "account-closed", "number-taken", "too-many-numbers",
    ]))),
)]
pub(crate) async fn assign(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    once: Once,
    input: Input,
) -> Result<Answer<Number>, Problem> {
    caller.may(Operation::AssignNumber)?;
    let asked: AssignNumber = input.read()?;
    let digest = digest(&app, &caller.0, &asked.number)?;
    let country = country(&asked.country)?;
    let index = account(&app, &caller.0, &name)?;
    let key = once.key(&app, &caller.0, "assign number", index, &asked);
    let digits = Some(asked.number.as_bytes().into());
    let act = Act::AssignNumber { account: index, digest, country, digits };
    let receipt = submit(&app, &caller.0, act, key).await?;
    answer(&app, &receipt.event).map(|number| Answer::created(number).replayed(receipt.repeated))
}

/// List the numbers of an account
///
/// In an order that says nothing.
#[utoipa::path(
    get, path = "/accounts/{account}/numbers", tag = "accounts", operation_id = "list_numbers",
    params(("account" = String, Path, description = "Any handle of the account"), Paging),
    responses((status = 200, description = "A page of them", body = List<Number>)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn list(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Number>>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let paging = query(paging)?;
    let page = Page::read(paging.limit.as_deref(), paging.cursor.as_deref(), BOUNDS)?;
    let after = page.after.as_ref().map(|cursor| {
        let bytes = cursor.as_bytes().try_into().map_err(|_| PagingError::Cursor)?;
        Ok::<_, PagingError>(u128::from_le_bytes(bytes))
    });
    let (after, limit) = (after.transpose()?, page.limit);
    let index = account(&app, &caller.0, &name)?;
    let mut seen = look_at(&app, &caller.0, index, move |ledger, _| {
        let numbers = ledger.numbers_of(index, after).take(limit + 1);
        numbers.map(|(digest, number)| (digest, number.clone())).collect::<Vec<_>>()
    })
    .await?;
    let more = seen.len() > limit;
    seen.truncate(limit);
    let last = seen.last().filter(|_| more).map(|(digest, _)| Cursor::new(&digest.to_le_bytes()).to_string());
    let seals = app.engine.seals();
    let data = seen.iter().map(|(_, number)| Number::of(seals, number)).collect();
    Ok(Answer::ok(List { data, next_cursor: last }))
}

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };

/// Release a number
///
/// It is nobody's then.
#[utoipa::path(
    delete, path = "/accounts/{account}/numbers/{number}", tag = "accounts", operation_id = "release_number",
    params(
        ("account" = String, Path, description = "Any handle of the account"),
        ("number" = String, Path, description = "Its digits"),
    ),
    responses((status = 204, description = "It is released")),
    extensions(("x-operation" = json!(["AssignNumber"])), ("x-problems" = json!([
        "account-not-found", "number-not-found",
    ]))),
)]
pub(crate) async fn release(
    caller: Signed,
    State(app): State<Arc<App>>,
    NamedWithin(name, number): NamedWithin,
) -> Result<StatusCode, Problem> {
    caller.may(Operation::AssignNumber)?;
    let index = account(&app, &caller.0, &name)?;
    // What cannot be a number is the number of nobody.
    let digest = number_digest(app.engine.seals(), caller.0.organization(), &number);
    submit(&app, &caller.0, Act::ReleaseNumber { account: index, digest }, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Transfer a number inside a family
///
/// Both accounts must be free to act. A number that you cannot see is not there.
#[utoipa::path(
    post, path = "/number-transfers", tag = "accounts", operation_id = "transfer_number",
    request_body = TransferNumber,
    responses((status = 201, description = "It is at its new account", body = Number)),
    extensions(("x-operation" = json!(["TransferNumber"])), ("x-problems" = json!([
        "account-not-found", "same-account", "not-one-family", "account-suspended", "account-frozen",
        "account-closed", "number-not-found", "number-not-owned", "number-taken", "too-many-numbers",
    ]))),
)]
pub(crate) async fn transfer(
    caller: Signed,
    State(app): State<Arc<App>>,
    once: Once,
    input: Input,
) -> Result<Answer<Number>, Problem> {
    caller.may(Operation::TransferNumber)?;
    let asked: TransferNumber = input.read()?;
    let digest = digest(&app, &caller.0, &asked.number)?;
    let country = asked.country.as_deref().map(country).transpose()?;
    let from = find_in_field(&app, &caller.0, "from", &asked.from).await?;
    let to = find_in_field(&app, &caller.0, "to", &asked.to).await?;
    let key = once.key(&app, &caller.0, "transfer number", (from, to), &(&asked.number, &asked.country));
    let act = Act::TransferNumber { from, to, digest, country };
    let receipt = submit(&app, &caller.0, act, key).await?;
    answer(&app, &receipt.event).map(|number| Answer::created(number).replayed(receipt.repeated))
}

fn answer(app: &App, event: &Event) -> Result<Number, Problem> {
    match event {
        Event::NumberAssigned { number, .. } | Event::NumberMoved { number, .. } => {
            Ok(Number::of(app.engine.seals(), number))
        }
        _ => Err(Problem::bug("a number was answered by another event")),
    }
}

/// E.164 without its plus sign.
fn digest(app: &App, caller: &Caller, digits: &str) -> Result<u128, Problem> {
    let is_number = (1..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number {
        return Err(Problem::field("number", "expected 1 to 15 digits, without a plus sign"));
    }
    Ok(number_digest(app.engine.seals(), caller.organization(), digits))
}

fn country(code: &str) -> Result<[u8; 2], Problem> {
    let letters = <[u8; 2]>::try_from(code.as_bytes()).ok();
    let letters = letters.filter(|letters| letters.iter().all(u8::is_ascii_alphabetic));
    let letters = letters.map(|letters| letters.map(|letter| letter.to_ascii_uppercase()));
    letters.ok_or_else(|| {
        Problem::new(Kind::InvalidField)
            .with_field("country")
            .with_detail("country: expected two letters of ISO 3166-1")
    })
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"number": "447700900123", "country": "GB"}))]
pub(crate) struct AssignNumber {
    /// E.164 without the plus sign.
    number: String,
    /// ISO 3166-1, two letters.
    country: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "$ACCOUNT", "to": "$CHILD", "number": "447700900124"}))]
pub(crate) struct TransferNumber {
    /// Any handle of the account that has it.
    from: String,
    /// Any handle of the account that gets it.
    to: String,
    number: String,
    /// Refused when it is not the number's own.
    country: Option<String>,
}

/// A phone number, and whose it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Number {
    number: Option<String>,
    country: String,
    account: String,
}

impl Number {
    fn of(seals: &Seals, number: &ledger::Number) -> Self {
        Self {
            number: string(&number.digits),
            country: String::from_utf8_lossy(&number.country).into_owned(),
            account: ids::account(seals, number.account),
        }
    }
}
