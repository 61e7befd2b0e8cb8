//! Reading the members of a body one by one, so that all problems are told together.

use std::borrow::Cow;

use dialect::{read_amount, read_json};
use domain::{MoneyError, Nanos};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::choices::{NAME_CHARACTERS_MAX, REFERENCE_CHARACTERS_MAX};
use crate::error::{InvalidParameter, VonageError};

pub(crate) const NOT_POSITIVE: &str = "Only positive values of data type JSON number are allowed";
const NOT_BOOLEAN: &str = "Should be either 'true' or 'false'";

/// A member as it stands in the body; absent and `null` are the same.
pub(crate) type Member<'a> = Option<&'a RawValue>;

/// A body that is an object. Members it does not name are ignored.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, VonageError> {
    // Without this an array would do: its elements would be taken for members in order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(VonageError::malformed_json());
    }
    read_json(bytes).map_err(|_| VonageError::malformed_json())
}

/// What is wrong with a body so far.
#[derive(Default)]
pub(crate) struct Problems(Vec<InvalidParameter>);

impl Problems {
    pub(crate) fn add(&mut self, name: &'static str, reason: impl Into<Cow<'static, str>>) {
        self.0.push(InvalidParameter::new(name, reason));
    }

    pub(crate) fn none_or_refuse(self) -> Result<(), VonageError> {
        if self.0.is_empty() { Ok(()) } else { Err(VonageError::invalid(self.0)) }
    }

    /// A text that has to be there.
    pub(crate) fn required_text(&mut self, name: &'static str, member: Member<'_>) -> String {
        let text = member.and_then(text).filter(|text| !text.is_empty());
        text.unwrap_or_else(|| {
            self.add(name, "Should be a text");
            String::new()
        })
    }

    /// The name of an account.
    pub(crate) fn name(&mut self, member: Member<'_>) -> String {
        let fits = |name: &String| (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count());
        member.and_then(text).filter(fits).unwrap_or_else(|| {
            self.add("name", format!("Should be a text of 1 to {NAME_CHARACTERS_MAX} characters"));
            String::new()
        })
    }

    pub(crate) fn boolean(&mut self, name: &'static str, member: Member<'_>) -> Option<bool> {
        match member?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.add(name, NOT_BOOLEAN);
                None
            }
        }
    }

    /// A number above zero, exactly as it was sent.
    pub(crate) fn amount(&mut self, member: Member<'_>) -> Nanos {
        let read = member.map_or(Err(MoneyError::Malformed), |member| read_amount(member.get()));
        let reason = match read {
            Ok(amount) if amount.is_positive() => return amount,
            Ok(_) | Err(MoneyError::Malformed | MoneyError::SignMismatch) => NOT_POSITIVE,
            Err(MoneyError::TooPrecise) => "At most 9 decimals are allowed",
            Err(MoneyError::OutOfRange) => "The amount is out of range",
        };
        self.add("amount", reason);
        Nanos::ZERO
    }

    /// Free text for the log; absent and empty are the same.
    pub(crate) fn reference(&mut self, member: Member<'_>) -> String {
        let Some(member) = member else { return String::new() };
        let fits = |text: &String| text.chars().count() <= REFERENCE_CHARACTERS_MAX;
        text(member).filter(fits).unwrap_or_else(|| {
            let reason = format!("Should be a text of at most {REFERENCE_CHARACTERS_MAX} characters");
            self.add("reference", reason);
            String::new()
        })
    }
}

/// The value of a member that is a string.
pub(crate) fn text(member: &RawValue) -> Option<String> {
    serde_json::from_str(member.get()).ok()
}
