//! The little of Markdown that descriptions use: paragraphs, `code` and **bold**.

use serde_json::Value;

pub(super) fn paragraphs(text: &Value) -> Vec<String> {
    let text = text.as_str().unwrap_or_default();
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).map(inline).collect()
}

/// One paragraph as HTML: escaped first, so that nothing in it is markup but what is made here.
pub(super) fn inline(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    pairs(&pairs(&escaped, "`", "code"), "**", "strong")
}

/// Turns every second of what `mark` separates into an element.
fn pairs(text: &str, mark: &str, element: &str) -> String {
    let pieces: Vec<&str> = text.split(mark).collect();
    let mut html = String::with_capacity(text.len() + 32);
    for (place, piece) in pieces.iter().enumerate() {
        let is_inside = place % 2 == 1;
        let is_closed = place + 1 < pieces.len();
        match (is_inside, is_closed) {
            (true, true) => html.push_str(&format!("<{element}>{piece}</{element}>")),
            (true, false) => html.push_str(&format!("{mark}{piece}")),
            (false, _) => html.push_str(piece),
        }
    }
    html
}
