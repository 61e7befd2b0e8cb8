//! A call of each operation, ready to paste into a shell.

use serde_json::Value;

use crate::openapi;

const BATCH_LINES: usize = 2;

pub(super) fn curl(path: &str, method: &str, operation: &Value) -> String {
    let mut lines = Vec::new();
    let verb = if method == "get" { String::new() } else { format!("-X {} ", method.to_uppercase()) };
    lines.push(format!("curl {verb}\"$BURSAR_URL{}\"", filled(path)));
    lines.push("-H \"Authorization: Bearer $BURSAR_TOKEN\"".to_owned());
    let takes_key = operation["parameters"]
        .as_array()
        .is_some_and(|parameters| parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key"));
    if takes_key && method == "post" {
        lines.push("-H \"Idempotency-Key: $(uuidgen)\"".to_owned());
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
            lines.push(format!("{option} '{text}'"));
        }
    }
    lines.join(" \\\n  ")
}

/// A path with something in its gaps.
fn filled(path: &str) -> String {
    let value = |name: &str| match name {
        "account" => "e8ab0001",
        "organization" => "default",
        "kind" => "email",
        _ => "5f0c4f0e-93a4-4b33-8d7c-6d3c1d2e9a10",
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
