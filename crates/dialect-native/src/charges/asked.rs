//! What a charge asks for, as it stands in the body.

use std::borrow::Cow;
use std::fmt;

use dialect::TextAmount;
use domain::Nanos;
use ledger::{Admission, ChargeKind};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use crate::values::Currency;

/// A charge as it was read; texts are still part of the body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    pub(crate) account: Span<'a>,
    pub(crate) amount: Nanos,
    pub(crate) currency: Option<domain::Currency>,
    pub(crate) kind: ChargeKind,
    pub(crate) admission: Admission,
    pub(crate) product: Option<Span<'a>>,
    pub(crate) used_by: Option<Span<'a>>,
    pub(crate) quantity: Option<Nanos>,
    pub(crate) reference: Option<Span<'a>>,
    pub(crate) key: Option<Span<'a>>,
}

/// A text that is borrowed from the body, unless it was written with escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span<'a>(pub(crate) Cow<'a, str>);

impl std::ops::Deref for Span<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// What is charged for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChargeKind)]
pub(crate) enum KindName {
    /// Usage, as it happens.
    #[default]
    Metered,
    Order,
    Fee,
}

/// How a charge may pass the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Admission)]
pub(crate) enum AdmissionName {
    /// It costs no more than what is available.
    #[default]
    Strict,
    /// It was used already: admitted whole if anything was available before it.
    Served,
    /// By the seller, whatever is available.
    Forced,
}

/// `POST /accounts/{account}/charges`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Charge, example = json!({"amount": "0.0012", "product": "tokens", "quantity": 1200, "used_by": "ann"}))]
pub(crate) struct SingleCharge<'a> {
    #[schema(value_type = crate::values::Amount)]
    amount: TextAmount,
    /// The home currency when absent.
    currency: Option<Currency>,
    #[serde(default)]
    kind: KindName,
    #[serde(default)]
    admission: AdmissionName,
    /// What was used.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 255)]
    product: Option<Span<'a>>,
    /// Who used it, where the account is not one person.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 255)]
    used_by: Option<Span<'a>>,
    /// How much of it. A charge of zero needs one.
    #[schema(value_type = Option<crate::values::Amount>)]
    quantity: Option<TextAmount>,
    /// What your own books call it.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    reference: Option<Span<'a>>,
}

/// A line of `POST /charges`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"account": "$ACCOUNT", "amount": "0.0012", "product": "tokens", "quantity": 1200, "key": "call-1"}))]
pub(crate) struct BatchCharge<'a> {
    /// Any handle of the account.
    #[serde(borrow)]
    #[schema(value_type = String)]
    account: Span<'a>,
    #[schema(value_type = crate::values::Amount)]
    amount: TextAmount,
    /// The home currency when absent.
    currency: Option<Currency>,
    #[serde(default)]
    kind: KindName,
    #[serde(default)]
    admission: AdmissionName,
    /// What was used.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 255)]
    product: Option<Span<'a>>,
    /// Who used it, where the account is not one person.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 255)]
    used_by: Option<Span<'a>>,
    /// How much of it. A charge of zero needs one.
    #[schema(value_type = Option<crate::values::Amount>)]
    quantity: Option<TextAmount>,
    /// What your own books call it.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    reference: Option<Span<'a>>,
    /// The idempotency key of this line.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 255)]
    key: Option<Span<'a>>,
}

impl<'a> SingleCharge<'a> {
    /// `account` and `key` are said elsewhere: in the path and in a header.
    pub(crate) fn into_asked(self, account: &'a str, key: Option<&'a str>) -> Asked<'a> {
        Asked {
            account: Span(Cow::Borrowed(account)),
            amount: self.amount.0,
            currency: self.currency.map(|currency| currency.0),
            kind: self.kind.into(),
            admission: self.admission.into(),
            product: self.product,
            used_by: self.used_by,
            quantity: self.quantity.map(|quantity| quantity.0),
            reference: self.reference,
            key: key.map(|key| Span(Cow::Borrowed(key))),
        }
    }
}

impl<'a> From<BatchCharge<'a>> for Asked<'a> {
    fn from(line: BatchCharge<'a>) -> Self {
        Self {
            account: line.account,
            amount: line.amount.0,
            currency: line.currency.map(|currency| currency.0),
            kind: line.kind.into(),
            admission: line.admission.into(),
            product: line.product,
            used_by: line.used_by,
            quantity: line.quantity.map(|quantity| quantity.0),
            reference: line.reference,
            key: line.key,
        }
    }
}

impl From<KindName> for ChargeKind {
    fn from(kind: KindName) -> Self {
        match kind {
            KindName::Metered => Self::Metered,
            KindName::Order => Self::Order,
            KindName::Fee => Self::Fee,
        }
    }
}

impl From<ChargeKind> for KindName {
    fn from(kind: ChargeKind) -> Self {
        match kind {
            ChargeKind::Metered => Self::Metered,
            ChargeKind::Order => Self::Order,
            ChargeKind::Fee => Self::Fee,
        }
    }
}

impl From<AdmissionName> for Admission {
    fn from(admission: AdmissionName) -> Self {
        match admission {
            AdmissionName::Strict => Self::Strict,
            AdmissionName::Served => Self::Served,
            AdmissionName::Forced => Self::Forced,
        }
    }
}

impl From<Admission> for AdmissionName {
    fn from(admission: Admission) -> Self {
        match admission {
            Admission::Strict => Self::Strict,
            Admission::Served => Self::Served,
            Admission::Forced => Self::Forced,
        }
    }
}

// `Cow` alone would be copied inside an `Option`.
impl<'de: 'a, 'a> Deserialize<'de> for Span<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> de::Visitor<'de> for Text {
            type Value = Span<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Span<'de>, E> {
                Ok(Span(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span<'de>, E> {
                Ok(Span(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
