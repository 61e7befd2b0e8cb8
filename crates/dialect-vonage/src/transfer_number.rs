//! `POST /accounts/{api_key}/transfer-number`: a number goes from one account of the family to another.

use std::sync::Arc;

use access::{Operation, number_digest};
use axum::extract::State;
use dialect::{App, Arrival, Body, BodyError};
use engine::{Outcome, Request as Submitted};
use ledger::{AccountIndex, Act, Command, Event, Number, Rejection};
use serde::{Deserialize, Serialize};

use crate::body::Answer;
use crate::caller::{Primary, Side};
use crate::error::VonageError;
use crate::members::{Member, Problems, read_object, text};

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    body: Result<Body, BodyError>,
) -> Result<Answer<Transferred>, VonageError> {
    primary.may(Operation::TransferNumber)?;
    let asked = Asked::read(&body?)?;
    if asked.from == asked.to {
        return Err(VonageError::same_accounts());
    }
    let [(one, from), (other, to)] = primary.sides(&app, &asked.from, &asked.to).await?;
    if matches!((one, other), (Side::Subaccount(_), Side::Subaccount(_))) && from.account != to.account {
        return Err(VonageError::unrelated_for_number(&asked.number, &asked.from, &asked.to));
    }
    let number = transfer(&app, &primary, from.account, to.account, &asked).await?;
    let country = String::from_utf8_lossy(&number.country).into_owned();
    let Asked { from, to, number, .. } = asked;
    Ok(Answer(Transferred { number, country, from, to, primary: primary.key }))
}

async fn transfer(
    app: &App,
    primary: &Primary,
    from: AccountIndex,
    to: AccountIndex,
    asked: &Asked,
) -> Result<Number, VonageError> {
    let digest = number_digest(app.engine.seals(), primary.caller.organization(), &asked.number);
    let act = Act::TransferNumber { from, to, digest, country: asked.country };
    let request = Submitted { command: Command { actor: primary.caller.actor(), act }, key: None };
    let (from, to, number) = (&asked.from, &asked.to, &asked.number);
    match app.engine.submit_from(request, Some(Arrival::current().into())).await? {
        Outcome::Done(receipt) => match receipt.event {
            Event::NumberMoved { number, .. } => Ok(number),
            _ => Err(VonageError::internal("a number transfer was answered by another event")),
        },
        Outcome::Rejected(rejection) => Err(match rejection {
            Rejection::AccountSuspended { .. }
            | Rejection::AccountFrozen { .. }
            | Rejection::AccountClosed { .. } => VonageError::banned_for_number(),
            Rejection::NumberNotFound => VonageError::missing_number(number, from, to),
            Rejection::NumberNotOwned => VonageError::number_not_owned(number, from, to),
            Rejection::NumberTaken => VonageError::number_owned_already(number, from, to),
            other => VonageError::rejected(app.engine.seals(), &other, to),
        }),
        Outcome::Refused(refusal) => Err(VonageError::refused(refusal)),
        Outcome::Repeated(_) => Err(VonageError::internal("a request without a key was called repeated")),
    }
}

#[derive(Serialize)]
pub(crate) struct Transferred {
    /// Digits in a string: one client reads nothing else.
    number: String,
    country: String,
    from: String,
    to: String,
    #[serde(rename = "masterAccountId")]
    primary: String,
}

struct Asked {
    from: String,
    to: String,
    number: String,
    country: Option<[u8; 2]>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    from: Member<'a>,
    #[serde(borrow)]
    to: Member<'a>,
    #[serde(borrow)]
    number: Member<'a>,
    #[serde(borrow)]
    country: Member<'a>,
}

impl Asked {
    fn read(body: &Body) -> Result<Self, VonageError> {
        let request: Request<'_> = read_object(&body.bytes)?;
        let mut problems = Problems::default();
        let asked = Self {
            from: problems.required_text("from", request.from),
            to: problems.required_text("to", request.to),
            number: number(request.number, &mut problems),
            country: country(request.country, &mut problems),
        };
        problems.none_or_refuse()?;
        Ok(asked)
    }
}

/// Two letters, in either case. Some clients leave it out.
fn country(member: Member<'_>, problems: &mut Problems) -> Option<[u8; 2]> {
    let code = text(member?).and_then(|code| <[u8; 2]>::try_from(code.into_bytes()).ok());
    let code = code.filter(|code| code.iter().all(u8::is_ascii_alphabetic));
    if code.is_none() {
        problems.add("country", "Should be a code of two letters");
    }
    code.map(|code| code.map(|letter| letter.to_ascii_uppercase()))
}

/// Digits, as a string or as a number.
fn number(member: Member<'_>, problems: &mut Problems) -> String {
    const DIGITS_MAX: usize = 15;
    let digits = member.map(|member| text(member).unwrap_or_else(|| member.get().to_owned()));
    let is_number =
        |it: &String| (1..=DIGITS_MAX).contains(&it.len()) && it.bytes().all(|digit| digit.is_ascii_digit());
    digits.filter(is_number).unwrap_or_else(|| {
        problems.add("number", format!("Should be 1 to {DIGITS_MAX} digits"));
        String::new()
    })
}
