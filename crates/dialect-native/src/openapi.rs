//! The document of this API, made from its handlers: OpenAPI 3.1.
//!
//! Each handler says which operations of the table of roles it is and which problems are its own; who
//! may call it, what every operation may answer and how keys are sent is added here.

use std::sync::LazyLock;

use access::operation::TABLE;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::problem::Kind;
use crate::router::{PREFIX, all_operations};

/// The tags, in the order in which they are read.
pub(crate) const TAGS: &[(&str, &str)] = &[
    ("accounts", "Customers: root accounts and their children, and what they have."),
    ("charges", "Usage, taken from a balance before it is served, one at a time or thousands at once."),
    ("holds", "An amount set aside while a call runs, charged when its cost is known."),
    ("money", "Payments in and out, transfers inside a family, refunds and corrections."),
    ("credit", "How far below zero a balance may go, and how a parent carves that up for its children."),
    ("entries", "What happened to a balance, from its newest entry back."),
    ("usage", "What was used, summed by day, account, product and credential."),
    ("people", "Organizations, their users and tokens, and the secrets of accounts."),
    ("sessions", "People sign in and out, and look after what they sign in with."),
    ("audit", "Who did what, from where, and how it was before."),
    ("sandbox", "The clock of a test server: `bursar serve --sandbox`."),
];

const ABOUT: &str = "\
Charge metered usage against prepaid and postpaid balances. Every charge is decided and durable when it is \
answered, and none passes the limit of its balance.\n\n\
**Money** is a decimal in a string, exact to nine digits behind the point; numbers are read exactly too. \
**Accounts** are named by their id, their api key or any handle. **Sign in** with a seller's token \
(`Authorization: Bearer …`), or with an account's api key and secret (Basic).\n\n\
**Refusals** are `application/problem+json` of RFC 9457; compare `type`. Unknown and foreign accounts are one \
and the same 404. **Retries** are safe with an `Idempotency-Key`: the same key and content gets the same answer \
and `Idempotent-Replayed: true`, other content a 409. After a 503 `outcome-unknown`, repeat with the same key.\n\n\
**Reads are current.** One that may be a little old says so by `Bursar-Max-Age-Ms`: where several nodes share a \
journal, the one that is asked may answer by itself, and states by `Bursar-Age-Ms` how old the answer is.";

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&*DOCUMENT).expect("a document is JSON");
    text.push('\n');
    text
});

pub(crate) fn get() -> &'static Value {
    &DOCUMENT
}

/// The document as it is served, and kept under `docs/api/openapi.json`.
pub fn text() -> &'static str {
    &TEXT
}

/// `GET /openapi.json`
pub(crate) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text()).into_response()
}

fn document() -> Value {
    let (_, api) = all_operations().split_for_parts();
    let order: Vec<String> = api.paths.paths.keys().cloned().collect();
    let mut api = serde_json::to_value(&api).expect("a document is JSON");
    let mut paths = Map::new();
    for (place, path) in order.iter().enumerate() {
        let mut item = api["paths"][path].take();
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(method, operation);
            operation["x-order"] = place.into();
        }
        paths.insert(format!("{PREFIX}{path}"), item);
    }
    let mut schemas = api["components"]["schemas"].take();
    schemas["Problem"] = problem_schema();
    sorted(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bursar API",
            "version": "1",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": TAGS.iter().map(|(name, about)| json!({"name": name, "description": about})).collect::<Vec<_>>(),
        "security": [{"token": []}, {"account": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A seller's token."},
                "account": {"type": "http", "scheme": "basic", "description": "An account's api key and secret."},
            },
        },
    }))
}

/// Of what is done about people, that which may be repeated under a key: the rest answers with what is shown
/// once, or is the same when done twice.
const KEYED_PEOPLE: &[&str] =
    &["found_organization", "declare_currency", "create_user", "issue_token", "add_secret"];

fn complete(method: &str, operation: &mut Value) {
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let permissions: Vec<Value> =
        texts(&operation["x-operation"]).iter().map(|name| permission(name)).collect();
    let has_body = operation.get("requestBody").is_some();
    let is_batch = operation["operationId"] == "charge_batch";
    // The lines of a batch have keys of their own, and a clock that was moved is not in the books.
    let is_secret = ["sessions", "people"].contains(&operation["tags"][0].as_str().unwrap_or_default())
        && !KEYED_PEOPLE.contains(&operation["operationId"].as_str().unwrap_or_default());
    let is_keyed = !is_batch && !is_secret && operation["operationId"] != "advance_clock";
    let mut kinds = vec![Kind::Unauthenticated, Kind::Forbidden, Kind::OutOfScope];
    let own = texts(&operation["x-problems"]);
    kinds.extend(own.iter().map(|slug| Kind::named(slug).expect("a test reads every problem's name")));
    if has_body {
        kinds.extend([Kind::MalformedJson, Kind::BodyTooLarge, Kind::UnsupportedMediaType]);
        if !is_batch {
            kinds.extend([Kind::MissingField, Kind::UnknownField, Kind::DuplicateField, Kind::InvalidField]);
        }
    }
    if matches!(method, "post" | "put" | "patch") && is_keyed {
        kinds.extend([Kind::KeyConflict, Kind::OutcomeUnknown]);
        let parameters = &mut operation["parameters"];
        if parameters.is_null() {
            *parameters = json!([]);
        }
        parameters.as_array_mut().expect("parameters are a list").push(idempotency_key());
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    if parameters.into_iter().any(|parameter| parameter["in"] != "path") {
        kinds.push(Kind::InvalidParameter);
    }
    if method == "get" {
        may_be_old(operation);
    }
    kinds.push(Kind::Overloaded);
    kinds.sort_by_key(|kind| (kind.status().as_u16(), *kind));
    kinds.dedup();
    for kind in &kinds {
        let response = &mut operation["responses"][kind.status().as_str()];
        if response.is_null() {
            *response = json!({
                "description": "",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            });
        }
        let known = response["description"].as_str().unwrap_or_default();
        let separator = if known.is_empty() { "" } else { " · " };
        response["description"] = format!("{known}{separator}`{}`", kind.slug()).into();
    }
    operation["x-permissions"] = permissions.into();
    operation["x-problems"] = kinds.iter().map(|kind| kind.slug()).collect::<Vec<_>>().into();
}

/// What needs no role: named where an operation of the table would be.
const OPEN: &[(&str, &str, &str)] = &[
    ("Anybody", "ask without signing in", "anybody"),
    ("Yourself", "ask about oneself", "whoever signed in"),
];

/// What a name of the table of roles lets whom do.
fn permission(name: &str) -> Value {
    for (open, text, who) in OPEN {
        if name == *open {
            return json!({"operation": name, "text": text, "roles": [who]});
        }
    }
    let row = TABLE.iter().find(|(operation, _)| format!("{operation:?}") == name);
    let (operation, roles) = row.expect("a test reads every operation's name");
    json!({
        "operation": name,
        "text": operation.text(),
        "roles": roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
    })
}

/// Answers of a follower, which nodes add around this API.
fn may_be_old(operation: &mut Value) {
    let parameters = &mut operation["parameters"];
    if parameters.is_null() {
        *parameters = json!([]);
    }
    parameters.as_array_mut().expect("parameters are a list").push(json!({
        "name": "Bursar-Max-Age-Ms",
        "in": "header",
        "required": false,
        "description": "How many milliseconds old the answer may be, of which 100 count. Without it, or where it is not a whole number, the answer is current.",
        "schema": {"type": "integer", "minimum": 0},
    }));
    let responses = operation["responses"].as_object_mut().into_iter().flatten();
    for (_, response) in responses.filter(|(status, _)| status.starts_with('2')) {
        response["headers"]["Bursar-Age-Ms"] = json!({
            "description": "How many milliseconds old the answer is: everything that was acknowledged before is in it. Absent where it is current.",
            "schema": {"type": "integer", "minimum": 0},
        });
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "Your name for this request, 1 to 255 printable characters: it is done once, however often it is sent.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    })
}

fn problem_schema() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let amount = |about: &str| json!({"type": "string", "format": "decimal", "description": about});
    json!({
        "type": "object",
        "description": "Why not, in the form of RFC 9457.",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {
                "type": "string",
                "description": "Which kind of problem: compare this.",
                "enum": Kind::ALL.iter().map(|kind| kind.uri()).collect::<Vec<_>>(),
            },
            "title": text("The kind in words."),
            "status": {"type": "integer"},
            "detail": text("What and which."),
            "instance": text("The id of the request, as it stands in the log."),
            "field": text("The member, parameter or header that is meant."),
            "pointer": text("Where in the body, RFC 6901."),
            "line": {"type": "integer", "description": "Of a batch: which charge, counted from 1."},
            "account": text("The account that stands in the way: the payer, where funds are short."),
            "need": amount("What it takes."),
            "have": amount("What there is."),
            "limit": amount("The credit limit, or what was given on."),
        },
    })
}

/// Members by name, whatever order they were made in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
