//! The kinds of entries by their names.

use ledger::EntryKind;
use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Problem;

/// A kind as it is printed.
#[derive(Clone, Copy)]
pub(crate) struct KindName(pub(crate) EntryKind);

impl Serialize for KindName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl PartialSchema for KindName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What happened."))
            .enum_values(Some(EntryKind::ALL.iter().map(|kind| kind.name())))
            .into()
    }
}

impl ToSchema for KindName {
    fn name() -> std::borrow::Cow<'static, str> {
        "EntryKind".into()
    }
}

/// The kind of this name, given as a parameter.
pub(crate) fn parse(name: &str) -> Result<EntryKind, Problem> {
    let kind = EntryKind::ALL.iter().find(|kind| kind.name() == name);
    kind.copied().ok_or_else(|| {
        let known: Vec<_> = EntryKind::ALL.iter().map(|kind| kind.name()).collect();
        Problem::parameter("kinds", format!("`{name}` is no kind of entry; there are {}", known.join(", ")))
    })
}
