//! `POST /accounts/{api_key}/transfer-number`: refused, because there are no numbers yet; all checks that
//! need none are made, in their order.

use std::convert::Infallible;
use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use dialect::{App, Body, BodyError};
use serde::Deserialize;

use crate::caller::{Primary, Side};
use crate::error::VonageError;
use crate::members::{Member, Problems, read_object, text};

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    body: Result<Body, BodyError>,
) -> Result<Infallible, VonageError> {
    primary.may(Operation::ModifyAccount)?;
    let Asked { from, to, number } = Asked::read(&body?)?;
    if from == to {
        return Err(VonageError::same_accounts());
    }
    let [(one, from_account), (other, to_account)] = primary.sides(&app, &from, &to).await?;
    if matches!((one, other), (Side::Subaccount(_), Side::Subaccount(_))) {
        return Err(VonageError::unrelated_for_number(&number, &from, &to));
    }
    if from_account.suspended || to_account.suspended {
        return Err(VonageError::banned_for_number());
    }
    Err(VonageError::missing_number(&number, &from, &to))
}

struct Asked {
    from: String,
    to: String,
    number: String,
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
        };
        // Some clients leave it out.
        if let Some(country) = request.country {
            let is_code = |code: &String| code.len() == 2 && code.bytes().all(|it| it.is_ascii_alphabetic());
            if text(country).filter(is_code).is_none() {
                problems.add("country", "Should be a code of two letters");
            }
        }
        problems.none_or_refuse()?;
        Ok(asked)
    }
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
