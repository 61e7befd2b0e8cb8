//! A call of each operation, ready to paste into a shell.

use serde_json::Value;

use crate::openapi;

const BATCH_LINES: usize = 2;

/// What the examples stand on: where the server is, and something of each kind.
pub(super) const FIRST_STEPS: &str = r#"export BURSAR_URL=http://127.0.0.1:8080 BURSAR_TOKEN=…
ask() {
  curl -s -H "Authorization: Bearer $BURSAR_TOKEN" -H "Content-Type: application/json" "$@"
}
ACCOUNT=$(ask "$BURSAR_URL/api/v1/accounts" \
  -d '{"name":"Acme","credit_limit":"200"}' | jq -r .api_key)
CHILD=$(ask "$BURSAR_URL/api/v1/accounts" \
  -d '{"name":"Acme North","parent":"'"$ACCOUNT"'"}' | jq -r .api_key)
CHARGE=$(ask "$BURSAR_URL/api/v1/accounts/$ACCOUNT/charges" \
  -d '{"amount":"0.0012"}' | jq -r .id)
HOLD=$(ask "$BURSAR_URL/api/v1/accounts/$ACCOUNT/holds" \
  -d '{"amount":"4.50"}' | jq -r .id)"#;

pub(super) fn curl(path: &str, method: &str, operation: &Value) -> String {
    let name = operation["operationId"].as_str().unwrap_or_default();
    let mut lines = Vec::new();
    let verb = if method == "get" { String::new() } else { format!("-X {} ", method.to_uppercase()) };
    lines.push(format!("curl {verb}\"$BURSAR_URL{}\"", filled(path, name)));
    lines.push("-H \"Authorization: Bearer $BURSAR_TOKEN\"".to_owned());
    let takes_key = operation["parameters"]
        .as_array()
        .is_some_and(|parameters| parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key"));
    if takes_key && method == "post" {
        lines.push(format!("-H \"Idempotency-Key: {}-1\"", name.replace('_', "-")));
    }
    let content = operation["requestBody"]["content"].as_object();
    if let Some((media_type, body)) = content.and_then(|content| content.iter().next_back()) {
        lines.push(format!("-H \"Content-Type: {media_type}\""));
        if let Some(example) = example(&body["schema"]) {
            let is_lines = media_type.ends_with("ndjson");
            let text = example.to_string();
            let text = if is_lines {
                vec![text; BATCH_LINES].join("\n").replacen("call-1", "call-2", BATCH_LINES)
            } else {
                text
            };
            let option = if is_lines { "--data-binary" } else { "-d" };
            lines.push(format!("{option} '{}'", with_variables(&text)));
        }
    }
    lines.join(" \\\n  ")
}

/// Single quotes keep a shell from looking inside, so they end around a variable.
fn with_variables(body: &str) -> String {
    ["$ACCOUNT", "$CHILD"]
        .iter()
        .fold(body.to_owned(), |body, name| body.replace(name, &format!("'\"{name}\"'")))
}

/// A path with variables in its gaps.
fn filled(path: &str, operation: &str) -> String {
    let is_of_a_child = matches!(operation, "allocate_credit" | "close_account" | "reopen_account");
    let value = |name: &str| match name {
        "account" if is_of_a_child => "$CHILD",
        "account" => "$ACCOUNT",
        "organization" => "default",
        "kind" => "email",
        "number" => "447700900123",
        "hold" => "$HOLD",
        "token" => "$TOKEN_ID",
        "secret" => "$SECRET_ID",
        "user" => "$USER_ID",
        "membership" => "$MEMBERSHIP",
        "invitation" => "$INVITATION",
        "name" => "support",
        // A charge is an entry too.
        _ => "$CHARGE",
    };
    path.split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => value(name),
            None => segment,
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn example(schema: &Value) -> Option<&Value> {
    let name = schema["$ref"].as_str()?.rsplit('/').next()?;
    let schema = &openapi::get()["components"]["schemas"][name];
    schema.get("example").or_else(|| schema["examples"].get(0))
}
