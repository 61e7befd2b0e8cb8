//! What fields hold: amounts, instants, bounded texts, each read once and described in the document.

use std::fmt;

use dialect::{Instant, TextAmount};
use domain::{Nanos, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An exact decimal with up to nine digits behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Amount(TextAmount);

impl Amount {
    pub(crate) fn nanos(self) -> Nanos {
        self.0.0
    }
}

impl From<Nanos> for Amount {
    fn from(amount: Nanos) -> Self {
        Self(TextAmount(amount))
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let decimal = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("decimal".to_owned())))
            .description(Some(
                "An exact decimal with at most nine digits behind the point. A JSON number is read too, \
                 digit by digit; answers are always strings.",
            ))
            .examples(["0.0012"]);
        decimal.into()
    }
}

impl ToSchema for Amount {}

/// An instant, RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Time(Instant<6>);

impl Time {
    pub(crate) fn timestamp(self) -> Timestamp {
        self.0.0
    }
}

impl From<Timestamp> for Time {
    fn from(instant: Timestamp) -> Self {
        Self(Instant(instant))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let instant = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, with `Z` or an offset; answers are in UTC."))
            .examples(["2025-03-01T09:30:00.000000Z"]);
        instant.into()
    }
}

impl ToSchema for Time {}

/// A text of one to `MAX` characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Words<const MAX: usize>(String);

/// Names of accounts, labels, reasons.
pub(crate) type Name = Words<200>;
/// What the caller's own books call a thing.
pub(crate) type Reference = Words<REFERENCE_MAX>;
pub(crate) const REFERENCE_MAX: usize = 1024;

impl<const MAX: usize> Words<MAX> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn text(&self) -> ledger::Text {
        Some(self.0.as_bytes().into())
    }
}

/// The text of an optional field, as the ledger takes it.
pub(crate) fn text<const MAX: usize>(words: Option<&Words<MAX>>) -> ledger::Text {
    words.and_then(Words::text)
}

/// Whether a text may stand in a field of at most `max` characters.
pub(crate) fn is_words(text: &str, max: usize) -> bool {
    // Nearly all texts are short ASCII: their bytes are their characters.
    if text.len() <= max && text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return !text.is_empty();
    }
    !text.is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
}

#[derive(Clone, Copy)]
struct NotWords(usize);

impl fmt::Display for NotWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected 1 to {} characters without control characters", self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Words<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_words(&text, MAX) { Ok(Self(text)) } else { Err(de::Error::custom(NotWords(MAX))) }
    }
}

impl<const MAX: usize> PartialSchema for Words<MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX)).into()
    }
}

impl<const MAX: usize> ToSchema for Words<MAX> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("Text{MAX}").into()
    }
}

/// A currency code: ISO 4217, or declared by the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Currency(pub(crate) domain::Currency);

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        domain::Currency::parse(&text).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[A-Za-z][A-Za-z0-9]{2,7}$"))
            .description(Some("ISO 4217, or a code that the organization declared."))
            .examples(["EUR"])
            .into()
    }
}

impl ToSchema for Currency {}
