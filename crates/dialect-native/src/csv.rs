//! Fields of comma-separated values (RFC 4180) that a spreadsheet takes for what they are.

/// Whether a spreadsheet would compute it.
pub(crate) fn is_formula(field: &str) -> bool {
    field.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// In quotes; what would be a formula begins with an apostrophe.
pub(crate) fn quoted(field: &str) -> String {
    let guard = if is_formula(field) { "'" } else { "" };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}
