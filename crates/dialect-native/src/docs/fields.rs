//! Schemas as tables of fields.

use serde::Serialize;
use serde_json::Value;

use super::prose::inline;
use crate::openapi;

/// What a body is made of.
#[derive(Serialize)]
pub(super) struct Shape {
    /// How it is sent: its media types.
    media_types: Vec<String>,
    kind: String,
    fields: Vec<Field>,
}

/// A member of a body, or a parameter.
#[derive(Serialize)]
pub(super) struct Field {
    name: String,
    kind: String,
    required: bool,
    about: String,
    /// Of an object inside.
    fields: Vec<Field>,
}

/// Objects inside objects are shown so deep.
const DEPTH_MAX: usize = 2;

impl Shape {
    pub(super) fn of_content(content: &Value) -> Option<Self> {
        let content = content.as_object()?;
        let (_, first) = content.iter().next()?;
        let schema = &first["schema"];
        Some(Self {
            media_types: content.keys().cloned().collect(),
            kind: kind(schema),
            fields: Field::of_schema(schema, DEPTH_MAX),
        })
    }
}

impl Field {
    pub(super) fn of_parameter(parameter: &Value) -> Self {
        let place = parameter["in"].as_str().unwrap_or_default();
        Self {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            kind: format!("{} in the {place}", kind(&parameter["schema"])),
            required: parameter["required"] == true,
            about: inline(parameter["description"].as_str().unwrap_or_default()),
            fields: Vec::new(),
        }
    }

    fn of_schema(schema: &Value, depth: usize) -> Vec<Self> {
        let schema = resolve(schema);
        if let Some(parts) = schema["allOf"].as_array() {
            return parts.iter().flat_map(|part| Self::of_schema(part, depth)).collect();
        }
        if schema["type"] == "array" {
            return Self::of_schema(&schema["items"], depth);
        }
        let required = |name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut fields: Vec<Self> = properties
            .map(|(name, property)| Self {
                name: name.clone(),
                kind: kind(property),
                required: required(name),
                about: about(property),
                fields: if depth > 0 { Self::of_schema(property, depth - 1) } else { Vec::new() },
            })
            .collect();
        // What must be there first.
        fields.sort_by_key(|field| !field.required);
        fields
    }
}

fn resolve(schema: &Value) -> &Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return resolve(&openapi::get()["components"]["schemas"][name]);
    }
    // An optional reference is written as a choice between nothing and it.
    let choices = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    match choices.map(|choices| choices.iter().filter(|it| it["type"] != "null").collect::<Vec<_>>()) {
        Some(choices) if choices.len() == 1 => resolve(choices[0]),
        _ => schema,
    }
}

/// The type in a few words.
fn kind(schema: &Value) -> String {
    let schema = resolve(schema);
    let named = schema["type"].as_str().or_else(|| {
        let types = schema["type"].as_array()?;
        types.iter().filter_map(Value::as_str).find(|name| *name != "null")
    });
    if let Some(values) = values(schema) {
        return values.join(" | ");
    }
    match (named, schema["format"].as_str()) {
        (Some("array"), _) => format!("list of {}", kind(&schema["items"])),
        (Some("string"), Some("decimal")) => "decimal".to_owned(),
        (Some("string"), Some("date-time")) => "instant".to_owned(),
        (Some("string"), _) => match schema["maxLength"].as_u64() {
            Some(max) => format!("string, 1 to {max}"),
            None => "string".to_owned(),
        },
        (Some(name), _) => name.to_owned(),
        (None, _) => "object".to_owned(),
    }
}

/// Of an enumeration, whichever way it is written.
fn values(schema: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.iter().filter_map(text).collect());
    }
    let choices = schema["oneOf"].as_array()?;
    choices.iter().map(|choice| text(&choice["const"]).or_else(|| text(&choice["enum"][0]))).collect()
}

/// What is said of the member itself, or else of its type.
fn about(property: &Value) -> String {
    let choices = property["oneOf"].as_array().into_iter().flatten();
    let own = std::iter::once(property).chain(choices).find_map(|it| it["description"].as_str());
    let inner = || {
        let resolved = resolve(property);
        // Scalars explain themselves once, at the top of the page.
        let is_scalar = resolved["type"] == "string" && resolved["enum"].is_null();
        if is_scalar { None } else { resolved["description"].as_str() }
    };
    inline(own.or_else(inner).unwrap_or_default())
}
